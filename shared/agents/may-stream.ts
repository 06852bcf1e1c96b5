/** Which live streams an agent may open. */
import type { Deps } from "../ports.ts";
import type { Agent } from "./agent.ts";
import { refusal, requireType } from "./authorize.ts";
import { allows } from "./policy.ts";

/** Of a type that it may subscribe to; of all, where there is any such type. @throws BusError `forbidden` */
export function requireStream(deps: Pick<Deps, "catalogue" | "log">, agent: Agent, type: string | undefined): void {
  if (type !== undefined) requireType(deps, agent, "stream", type, "/type");
  else if (!Object.keys(deps.catalogue).some((name) => allows(agent.policy, "subscribe", name)))
    throw refusal(deps, agent, "stream", "This agent may not subscribe to any event type.");
}
