/** Which conversations an agent may join: by an event that it knows of, or by their name. */
import type { Deps } from "../ports.ts";
import type { EnvelopeRecord } from "../records.ts";
import type { Agent } from "./agent.ts";
import { refusal } from "./authorize.ts";
import { conversationsOf, isDeployedOn, mayLookBackAt, wasGiven } from "./may-see.ts";
import { allows } from "./policy.ts";

type JoinDeps = Pick<Deps, "store" | "subscribers" | "log">;

/**
 * The event that led to another, if the agent that names it may know of it: it may see it or subscribe to its type, or got
 * it. Any other is as good as one that is not there, and nobody is told which it is.
 */
export async function findParent(
  deps: JoinDeps,
  agent: Agent,
  causationId: string,
): Promise<EnvelopeRecord["event"] | null> {
  const event = (await deps.store.getEnvelope(causationId))?.event;
  if (event === undefined) return null;
  return (await mayJoin(deps, agent, event)) ? event : null;
}

/** What costs no read first. */
async function mayJoin(deps: JoinDeps, agent: Agent, event: EnvelopeRecord["event"]): Promise<boolean> {
  const { policy } = agent;
  if (policy.conversations === "any" || event.source === agent.id) return true;
  if (allows(policy, "subscribe", event.type) || isDeployedOn(deps.subscribers, agent, event.type)) return true;
  if (await mayLookBackAt(agent, event, conversationsOf(deps, agent))) return true;
  return wasGiven(deps, agent, event, await deps.store.getDeliveries(event.id));
}

/**
 * Ids of events: UUIDs of version 7, and of version 8 where they are derived from a key. Anything else that a
 * conversation is called names no event, and is free to use.
 */
const EVENT_ID = /^[0-9a-f]{8}-[0-9a-f]{4}-[78][0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/**
 * Whether a conversation may be named that no parent leads to. What looks like an event's id has to be that of an own
 * event: the refusal is the same whether another's has it or nobody's.
 *
 * @throws BusError `forbidden`
 */
export async function requireConversation(
  deps: JoinDeps,
  agent: Agent,
  operation: "emit" | "request",
  correlationId: string,
): Promise<void> {
  if (agent.policy.conversations === "any" || !EVENT_ID.test(correlationId)) return;
  if (await conversationsOf(deps, agent)(correlationId)) return;
  throw refusal(
    deps,
    agent,
    operation,
    "This conversation is not one that this agent began. To carry on another's, name the event that led to this one as causation_id.",
    { pointer: "/correlation_id", detail: "a conversation of your own was expected" },
  );
}
