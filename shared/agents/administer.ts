/**
 * Agents and their keys, for administrators. Every change is one write, conditional on the version that was seen: of two
 * at once, the later is made on what the earlier left. So a key that is revoked stays so, whatever comes in between.
 */
import { expiryOf } from "../draft-event.ts";
import { BusError } from "../errors.ts";
import type { Deps } from "../ports.ts";
import { isoAt } from "../time.ts";
import { untilWritten } from "../until-written.ts";
import { changed, deleted, firstVersion, withKey, withoutKey } from "./change.ts";
import { readAgent, readAgentChange, readKeyOverlap } from "./input.ts";
import { hashOfKey, writeKey } from "./key.ts";
import { findAgent, isKnown } from "./look-up.ts";
import { type AgentKey, type AgentRecord, agentIdOf } from "./records.ts";
import { endSubscriptionsOf } from "./subscriptions-of.ts";
import { type AgentView, viewAgent } from "./view.ts";

export interface AgentDeps extends Deps {
  /** 32 fresh random bytes, base64url. */
  newAgentSecret(): string;
}

/** A key, shown this once. */
export interface ShownKey {
  readonly key_id: string;
  readonly key: string;
}

export type RegisteredAgent = AgentView & ShownKey;

export interface RotatedKey extends ShownKey {
  readonly name: string;
  /** Until then the keys before it are valid too. ISO 8601. */
  readonly previous_valid_until: string;
}

/** @throws BusError `agent_exists`, `invalid_request`, `unknown_event_type` */
export async function registerAgent(deps: AgentDeps, body: unknown): Promise<RegisteredAgent> {
  const wanted = readAgent(deps.catalogue, body);
  const { shown, key } = freshKey(deps, wanted.name);
  return untilWritten(deps, "agent", async () => {
    const standing = await deps.store.getAgent(wanted.name);
    // What looked refused may have been written: its acknowledgement was lost, and the client sent it again.
    if (standing !== null && !has(standing, key.keyId)) throw taken(standing);
    const next = standing ?? firstVersion(wanted, key, deps.now());
    if (standing === null && !(await deps.store.replaceAgent(next, 0))) return null;
    deps.log.info("an agent was registered", { name: next.name, key_id: key.keyId });
    return { ...viewAgent(next, deps.now()), ...shown };
  });
}

/** Changes what is named and leaves the rest. @throws BusError `not_found`, `invalid_request`, `unknown_event_type` */
export async function changeAgent(deps: Deps, name: string, body: unknown): Promise<AgentView> {
  const change = readAgentChange(deps.catalogue, body);
  return untilWritten(deps, "agent", async () => {
    const standing = await findAgent(deps, name);
    const next = changed(standing, change, deps.now());
    if (!(await deps.store.replaceAgent(next, standing.version))) return null;
    deps.log.info("an agent was changed", { name, status: next.status });
    return viewAgent(next, deps.now());
  });
}

/**
 * Its keys are dead at once; then its subscriptions end. Deleted once more, what a crash left of them is ended.
 * @throws BusError `not_found`
 */
export async function deleteAgent(deps: Deps, name: string): Promise<void> {
  await untilWritten(deps, "agent", async () => {
    const standing = await deps.store.getAgent(name);
    if (standing === null) throw new BusError("not_found", "There is no such agent.");
    if (!isKnown(standing)) return standing;
    const nowMs = deps.now();
    const next = deleted(standing, expiryOf(deps, nowMs), nowMs);
    return (await deps.store.replaceAgent(next, standing.version)) ? next : null;
  });
  deps.log.info("an agent was deleted", { name });
  await endSubscriptionsOf(deps, agentIdOf(name));
}

/** A key more; the older ones end with the overlap. @throws BusError `not_found`, `invalid_request`, `rate_limited` */
export async function rotateKey(deps: AgentDeps, name: string, body: unknown): Promise<RotatedKey> {
  const overlapSeconds = readKeyOverlap(body);
  const { shown, key } = freshKey(deps, name);
  return untilWritten(deps, "agent", async () => {
    const nowMs = deps.now();
    const standing = await findAgent(deps, name);
    const rotated = { name, ...shown, previous_valid_until: isoAt(nowMs + overlapSeconds * 1_000) };
    if (has(standing, key.keyId)) return rotated;
    const next = withKey(standing, key, overlapSeconds, nowMs);
    if (!(await deps.store.replaceAgent(next, standing.version))) return null;
    deps.log.info("an agent has a new key", { name, key_id: key.keyId });
    return rotated;
  });
}

/** At once: the next call with it is refused. @throws BusError `not_found` */
export async function revokeKey(deps: Deps, name: string, keyId: string): Promise<void> {
  let wasThere = false;
  await untilWritten(deps, "agent", async () => {
    const standing = await findAgent(deps, name);
    if (!has(standing, keyId)) {
      if (wasThere) return standing;
      throw new BusError("not_found", "The agent has no such key.");
    }
    wasThere = true;
    const next = withoutKey(standing, keyId, deps.now());
    return (await deps.store.replaceAgent(next, standing.version)) ? next : null;
  });
  deps.log.info("a key was revoked", { name, key_id: keyId });
}

function freshKey(deps: AgentDeps, name: string): { readonly shown: ShownKey; readonly key: AgentKey } {
  const key = writeKey(name, deps.newAgentSecret());
  const keyId = deps.newId();
  return {
    shown: { key_id: keyId, key },
    key: { keyId, hash: hashOfKey(key), createdAt: isoAt(deps.now()) },
  };
}

const has = (agent: AgentRecord, keyId: string): boolean => agent.keys.some((key) => key.keyId === keyId);

/** Whoever has the name has the events and the conversations: it is not given to another while they are kept. */
function taken({ name, expiresAt }: AgentRecord): BusError {
  return new BusError(
    "agent_exists",
    expiresAt === undefined
      ? `There is an agent "${name}" already.`
      : `An agent "${name}" was deleted, and its events are still kept under this name: it is free again on ${isoAt(expiresAt * 1_000)}.`,
    { errors: [{ pointer: "/name", detail: "the name of no other agent was expected" }] },
  );
}
