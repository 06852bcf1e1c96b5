/**
 * Agent keys: `aeb_<name>_<secret>`. The name says whose record to read; the secret is 32 random bytes. Only the hash of
 * the whole key is kept, so that a hash in another agent's record fits nothing.
 */
import { sha256 } from "../hash.ts";
import { MAX_AGENT_KEYS } from "../limits.ts";
import type { AgentKey, AgentRecord } from "./records.ts";

/** Exactly what `writeKey` makes: the last of 43 characters carries four bits. */
const KEY = /^aeb_([a-z][a-z0-9-]{0,39})_[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/;

/** @param secret 32 random bytes as base64url */
export const writeKey = (name: string, secret: string): string => `aeb_${name}_${secret}`;

/** The name in a key; null for what is none. */
export const nameInKey = (key: string): string | null => KEY.exec(key)?.[1] ?? null;

export const hashOfKey = (key: string): string => sha256(key);

/** What no key hashes to. */
const NO_HASH = "-".repeat(64);

/**
 * Whether a key is one of an agent's at this moment. The same work whoever asks: a hash, and a comparison with each place
 * that a key may have, whether there is an agent, and whatever keys it has.
 */
export function isKeyOf(agent: AgentRecord | null, key: string, nowMs: number): boolean {
  const hash = hashOfKey(key);
  let fits = false;
  for (let place = 0; place < MAX_AGENT_KEYS; place++) {
    const one = agent?.keys[place];
    const isEqual = equalsInConstantTime(one?.hash ?? NO_HASH, hash);
    const isGood = one !== undefined && isValid(one, nowMs);
    fits = (isEqual && isGood) || fits;
  }
  return fits && agent?.status === "active";
}

/** Whether a key has not expired. */
export const isValid = ({ expiresAt }: AgentKey, nowMs: number): boolean =>
  expiresAt === undefined || Date.parse(expiresAt) > nowMs;

/** Looks at every character, whichever is the first that differs. */
function equalsInConstantTime(a: string, b: string): boolean {
  let difference = a.length ^ b.length;
  for (let i = 0; i < b.length; i++) difference |= a.charCodeAt(i) ^ b.charCodeAt(i);
  return difference === 0;
}
