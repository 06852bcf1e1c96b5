/** An agent as administrators see it: never a hash. */
import { isValid } from "./key.ts";
import type { Policy } from "./policy.ts";
import { type AgentKey, type AgentRecord, agentIdOf } from "./records.ts";

export interface AgentKeyView {
  readonly key_id: string;
  readonly created_at: string;
  /** Of a key that was replaced. */
  readonly expires_at?: string;
}

export interface AgentView {
  readonly name: string;
  /** The `source` of its events. */
  readonly id: string;
  readonly policy: Policy;
  /** No key lets it in. */
  readonly disabled: boolean;
  /** Those that are valid, newest first. */
  readonly keys: readonly AgentKeyView[];
  readonly created_at: string;
  readonly updated_at: string;
}

export function viewAgent(record: AgentRecord, nowMs: number): AgentView {
  return {
    name: record.name,
    id: agentIdOf(record.name),
    policy: record.policy,
    disabled: record.status !== "active",
    keys: record.keys.filter((key) => isValid(key, nowMs)).map(viewKey),
    created_at: record.createdAt,
    updated_at: record.updatedAt,
  };
}

function viewKey({ keyId, createdAt, expiresAt }: AgentKey): AgentKeyView {
  return { key_id: keyId, created_at: createdAt, ...(expiresAt === undefined ? {} : { expires_at: expiresAt }) };
}
