/** What an agent becomes, as pure steps from one version to the next. */
import { BusError } from "../errors.ts";
import { MAX_AGENT_KEYS } from "../limits.ts";
import { isoAt } from "../time.ts";
import type { AgentChangeWanted, AgentWanted } from "./input.ts";
import { isValid } from "./key.ts";
import type { AgentKey, AgentRecord } from "./records.ts";

export function firstVersion({ name, policy }: AgentWanted, key: AgentKey, nowMs: number): AgentRecord {
  const at = isoAt(nowMs);
  return { name, policy, status: "active", keys: [key], createdAt: at, updatedAt: at, version: 1 };
}

export function changed(standing: AgentRecord, change: AgentChangeWanted, nowMs: number): AgentRecord {
  const { policy, disabled } = change;
  return {
    ...after(standing, nowMs),
    policy: { ...standing.policy, ...policy },
    ...(disabled === undefined ? {} : { status: disabled ? "disabled" : "active" }),
  };
}

/** No key lets it in any more. @param expiresAt when its name may be given to another, in epoch seconds */
export function deleted(standing: AgentRecord, expiresAt: number, nowMs: number): AgentRecord {
  return { ...after(standing, nowMs), status: "deleted", keys: [], expiresAt };
}

/** A key more; those before it end with the overlap, or earlier where that was said before. @throws BusError `rate_limited` */
export function withKey(standing: AgentRecord, key: AgentKey, overlapSeconds: number, nowMs: number): AgentRecord {
  const endsAt = isoAt(nowMs + overlapSeconds * 1_000);
  const older = standing.keys
    .map((one) => (one.expiresAt !== undefined && one.expiresAt < endsAt ? one : { ...one, expiresAt: endsAt }))
    .filter((one) => isValid(one, nowMs));
  if (older.length >= MAX_AGENT_KEYS)
    throw new BusError("rate_limited", `An agent has ${MAX_AGENT_KEYS} keys at most: revoke one of them first.`, {
      retryable: false,
    });
  return { ...after(standing, nowMs), keys: [key, ...older] };
}

export function withoutKey(standing: AgentRecord, keyId: string, nowMs: number): AgentRecord {
  return { ...after(standing, nowMs), keys: standing.keys.filter((key) => key.keyId !== keyId) };
}

const after = (standing: AgentRecord, nowMs: number): AgentRecord => ({
  ...standing,
  version: standing.version + 1,
  updatedAt: isoAt(nowMs),
});
