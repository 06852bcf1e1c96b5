/** What is recorded of an agent that calls with a key. */
import type { Policy } from "./policy.ts";

/** A key of an agent, of which only the hash is kept. */
export interface AgentKey {
  readonly keyId: string;
  /** SHA-256 of the whole key, in hexadecimal: its secret has 256 random bits, so a slow hash would add nothing. */
  readonly hash: string;
  readonly createdAt: string;
  /** ISO 8601; absent for a key that nothing has replaced. */
  readonly expiresAt?: string;
}

export interface AgentRecord {
  readonly name: string;
  readonly policy: Policy;
  /** `disabled`: no key lets it in. `deleted` stays for a while: until then nobody else may have its name. */
  readonly status: "active" | "disabled" | "deleted";
  /** Newest first. */
  readonly keys: readonly AgentKey[];
  readonly createdAt: string;
  readonly updatedAt: string;
  /** Grows with every write, which is conditional on it. */
  readonly version: number;
  /** Epoch seconds; only once it is deleted. */
  readonly expiresAt?: number;
}

/** Lower case, digits and hyphens: it stands in keys and paths as it is. */
export const AGENT_NAME = /^[a-z][a-z0-9-]{0,39}$/;

const ID_PREFIX = "agent:";

/** The id that the agent of a name goes by: the `source` of its events, and the owner of what it makes. */
export const agentIdOf = (name: string): string => `${ID_PREFIX}${name}`;

/** The name of an agent with a key; null for who is known by something else. */
export const agentNameOf = (id: string): string | null =>
  id.startsWith(ID_PREFIX) ? id.slice(ID_PREFIX.length) : null;
