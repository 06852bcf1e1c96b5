/** What who administers agents works with beside the store. */
import { randomBytes } from "node:crypto";
import type { AgentDeps } from "../../shared/agents/administer.ts";
import type { Deps } from "../../shared/ports.ts";

const SECRET_BYTES = 32;

/** A fresh secret for an agent's key. */
export const freshAgentSecret = (): string => randomBytes(SECRET_BYTES).toString("base64url");

export const createAgentParts = (): Omit<AgentDeps, keyof Deps> => ({ newAgentSecret: freshAgentSecret });
