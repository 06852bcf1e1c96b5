/** Who calls, by an agent key. */
import type { Deps } from "../ports.ts";
import type { Agent } from "./agent.ts";
import { isKeyOf, nameInKey } from "./key.ts";
import { agentIdOf } from "./records.ts";

/**
 * The agent whose key an `Authorization` header carries; null when there is none, for whatever reason: what reasons there
 * are cannot be told apart from outside. One consistent read, so that a key that is revoked is dead with the next call.
 *
 * @throws BusError `unavailable`: then nobody knows, and nobody is let in
 */
export async function agentOfKey(
  deps: Pick<Deps, "store" | "now">,
  authorization: string | undefined,
): Promise<Agent | null> {
  const key = keyIn(authorization);
  const name = key === null ? null : nameInKey(key);
  if (key === null || name === null) return null;
  const agent = await deps.store.getAgent(name);
  if (!isKeyOf(agent, key, deps.now()) || agent === null) return null;
  return { id: agentIdOf(name), policy: agent.policy };
}

/** The token of `Authorization: Bearer <token>` (RFC 6750, section 2.1); the scheme in any case (RFC 9110, section 11.1). */
export function keyIn(authorization: string | undefined): string | null {
  return /^bearer +([\w.~+/-]+=*)$/i.exec(authorization ?? "")?.[1] ?? null;
}
