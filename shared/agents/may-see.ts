/**
 * Which events an agent may see: its own; of others' those whose types its policy lets it read, in conversations that it
 * may look into; and its own part of what was delivered to it. To whom may not see it an event looks absent.
 */
import type { DeployedSubscriber } from "../deployed-subscriber.ts";
import type { Deps } from "../ports.ts";
import type { EnvelopeRecord, ResponseRecord } from "../records.ts";
import { DEPLOYED_OWNER, type DeliveryRecord } from "../subscriptions/records.ts";
import type { Agent } from "./agent.ts";
import { allows, allowsAll } from "./policy.ts";

type SeenEvent = EnvelopeRecord["event"];

/** `own_part`: it was delivered to the agent, who sees the event, and what it said to it itself. */
export type Sight = "all" | "own_part" | "nothing";

/** Whether there is nothing that an agent may not see. */
export const maySeeAll = ({ policy }: Agent): boolean => policy.conversations === "any" && allowsAll(policy, "read");

/** Whether a conversation is one that an agent began; each is looked up once. */
export type BeganIt = (correlationId: string) => Promise<boolean>;

export function conversationsOf({ store }: Pick<Deps, "store">, agent: Agent): BeganIt {
  const known = new Map<string, Promise<boolean>>();
  let asked: string[] = [];
  let firstEvents: Promise<ReadonlyMap<string, SeenEvent>> | undefined;

  /** The first events of all conversations that are asked for in one go. */
  const lookUp = async (): Promise<ReadonlyMap<string, SeenEvent>> => {
    await Promise.resolve();
    const ids = asked;
    asked = [];
    firstEvents = undefined;
    const [only = ""] = ids;
    const found = ids.length > 1 ? await store.getEnvelopes(ids) : [await store.getEnvelope(only)];
    return new Map(found.flatMap((one) => (one === null ? [] : [[one.event.id, one.event]])));
  };

  const isOwn = async (correlationId: string): Promise<boolean> => {
    asked.push(correlationId);
    firstEvents ??= lookUp();
    return (await firstEvents).get(correlationId)?.source === agent.id;
  };

  return (correlationId) => {
    const answer = known.get(correlationId) ?? isOwn(correlationId);
    known.set(correlationId, answer);
    return answer;
  };
}

/** Whether an event is among those that an agent may look back at. */
export async function mayLookBackAt(agent: Agent, event: SeenEvent, beganIt: BeganIt): Promise<boolean> {
  if (event.source === agent.id) return true;
  if (!allows(agent.policy, "read", event.type)) return false;
  return agent.policy.conversations === "any" || beganIt(event.correlation_id);
}

/** What an agent may see of one event. As many reads for one that is absent as for one that is another's. */
export async function sightOf(
  deps: Pick<Deps, "store" | "subscribers">,
  agent: Agent,
  eventId: string,
  event: SeenEvent | undefined,
  deliveries: readonly DeliveryRecord[],
): Promise<Sight> {
  if (event?.source === agent.id) return "all";
  const isOpen =
    agent.policy.conversations === "any" || (await conversationsOf(deps, agent)(event?.correlation_id ?? eventId));
  if (event === undefined) return "nothing";
  if (isOpen && allows(agent.policy, "read", event.type)) return "all";
  return wasGiven(deps, agent, event, deliveries) ? "own_part" : "nothing";
}

/** Whether an event came to an agent by one of its subscriptions, or by its deployment. */
export function wasGiven(
  { subscribers }: Pick<Deps, "subscribers">,
  agent: Agent,
  event: SeenEvent,
  deliveries: readonly DeliveryRecord[],
): boolean {
  return isDeployedOn(subscribers, agent, event.type) || deliveries.some(({ owner }) => owner === agent.id);
}

/** Whether an agent is a deployed subscriber of a type. */
export function isDeployedOn(subscribers: readonly DeployedSubscriber[], agent: Agent, type: string): boolean {
  return subscribers.some(({ name, on }) => name === agent.subscriber && on.includes(type));
}

/** Of what others see too, the part that is an agent's own. */
export const isOwnAnswer = (agent: Agent, { sender }: Pick<ResponseRecord, "sender">): boolean => sender === agent.id;

export function isOwnDelivery(agent: Agent, { owner, name }: Pick<DeliveryRecord, "owner" | "name">): boolean {
  return owner === DEPLOYED_OWNER ? name === agent.subscriber : owner === agent.id;
}
