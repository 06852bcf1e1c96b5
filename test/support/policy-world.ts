/** A bus in memory with something of everything, of the agent whose policy is under test and of another. */
import { type Agent, openAgent } from "../../shared/agents/agent.ts";
import { recordDeadLetter } from "../../shared/deliveries/dead-letters.ts";
import { dead, newDelivery } from "../../shared/deliveries/delivery.ts";
import { dispatchEvent } from "../../shared/deliveries/dispatch.ts";
import { takeMessages } from "../../shared/deliveries/message-queue.ts";
import { emit } from "../../shared/emit.ts";
import { deliveredCopy } from "../../shared/event.ts";
import { openRequest } from "../../shared/request.ts";
import { subscribe } from "../../shared/subscriptions/subscribe.ts";
import { type BusInMemory, busInMemory } from "./bus-in-memory.ts";
import type { OracleEvent } from "./policy-oracle.ts";
import { HOOK } from "./scripted-webhooks.ts";
import { type WatchedStore, watched } from "./watched-store.ts";

export const TYPES = ["ORDER_PLACED", "ORDER_CANCELLED", "INVOICE_SENT"] as const;

/** The deployed subscriber, on the first of the types. */
export const CLERK = "clerk";

/** The agent under test, and whatever is not its own. */
export const SUBJECT = "arn:aws:iam::123456789012:role/subject";
export const OTHER = "arn:aws:iam::123456789012:role/other";

export const subject: Agent = openAgent(SUBJECT);
export const other: Agent = openAgent(OTHER);

export interface WorldEvent extends OracleEvent {
  readonly token: string;
  /** What it is, for the title of a test. */
  readonly title: string;
}

export interface World {
  readonly bus: BusInMemory;
  readonly store: WatchedStore;
  readonly events: readonly WorldEvent[];
}

/** Every type, by both agents, in conversations that either began; and one of each that was delivered to the subject. */
export async function policyWorld(): Promise<World> {
  const plain = busInMemory({
    eventTypes: { ORDER_PLACED: {}, ORDER_CANCELLED: {}, INVOICE_SENT: {} },
    subscribers: [{ name: CLERK, on: TYPES[0], handler: "clerk.ts", via: "queue" }],
    limits: { ratePerAgent: { perSecond: 1_000, burst: 1_000_000_000 } },
  });
  const store = watched(plain.store);
  const bus = { ...plain, deps: { ...plain.deps, store: store.store } };
  const events: WorldEvent[] = [];
  const put = async (agent: Agent, type: string, title: string, correlation_id?: string): Promise<WorldEvent> => {
    const body = { type, data: {}, agent_type: "worker", ...(correlation_id === undefined ? {} : { correlation_id }) };
    const { result, afterwards } = await emit(bus.deps, body, { agent });
    await afterwards();
    bus.clock.nowMs += 1;
    const record = await plain.store.getEvent(result.event_id);
    const began = correlation_id === undefined ? agent.id : agentOfRoot.get(correlation_id);
    agentOfRoot.set(result.event_id, agent.id);
    const event = {
      id: result.event_id,
      type,
      title,
      token: record?.replyToken ?? "",
      correlationId: result.correlation_id,
      isOwn: agent.id === SUBJECT,
      isInOwnConversation: began === SUBJECT,
      isDelivered: false,
    };
    events.push(event);
    return event;
  };
  const agentOfRoot = new Map<string, string>();
  for (const type of TYPES) {
    const own = await put(subject, type, "its own, in its own conversation");
    const foreign = await put(other, type, "another's, in another's conversation");
    await put(other, type, "another's, in its own conversation", own.id);
    await put(subject, type, "its own, in another's conversation", foreign.id);
    await put(other, type, "another's, in a conversation with a name", "ticket 7");
  }
  // From here on it has a subscription, and is given what comes.
  await queueOf(bus, subject, "given", TYPES);
  for (const type of TYPES) {
    const given = await put(other, type, "another's, delivered to it");
    await bring(bus, given.id);
    events[events.indexOf(given)] = { ...given, isDelivered: true };
  }
  return { bus, store, events };
}

/** Brings an event to the run-time subscriptions that want it. */
export async function bring({ deps }: BusInMemory, eventId: string): Promise<void> {
  const record = await deps.store.getEvent(eventId);
  if (record !== null) await dispatchEvent(deps, deliveredCopy(record.event, record.replyToken));
}

/** A queue of an agent, of its own name or another's: each agent has its own. @returns its id */
export async function queueOf(
  { deps }: BusInMemory,
  agent: Agent,
  name: string,
  types: readonly string[] = [TYPES[0]],
): Promise<string> {
  const wanted = { name, event_types: types, target: { kind: "queue" } };
  return (await subscribe(deps, wanted, agent)).subscription.subscription_id;
}

export async function webhookOf({ deps }: BusInMemory, agent: Agent, name: string): Promise<string> {
  const wanted = { name, event_types: [TYPES[0]], target: { kind: "webhook", url: HOOK } };
  return (await subscribe(deps, wanted, agent)).subscription.subscription_id;
}

/** Publishes an event. @returns its id and its token */
export async function said(bus: BusInMemory, agent: Agent, type: string): Promise<{ id: string; token: string }> {
  const { result } = await emit(bus.deps, { type, data: {} }, { agent });
  return { id: result.event_id, token: (await bus.store.getEvent(result.event_id))?.replyToken ?? "" };
}

/** Asks; nobody waits for the answer. */
export async function asked(
  bus: BusInMemory,
  agent: Agent,
  type: string,
  change: object = {},
): Promise<{ id: string; token: string }> {
  const body = { type, data: {}, timeout: 600, require_subscribers: false, ...change };
  const { request, settled } = await openRequest(bus.deps, body, { agent });
  await settled;
  return { id: request.eventId, token: request.replyToken };
}

/** A message that an agent has taken from its queue. @returns the queue's id and the receipt */
export async function takenBy(bus: BusInMemory, agent: Agent): Promise<{ queue: string; receipt: string }> {
  const queue = await queueOf(bus, agent, "taken");
  await bring(bus, (await said(bus, other, TYPES[0])).id);
  const [message] = await takeMessages(bus.deps, queue, agent.id, {
    waitMs: 0,
    max: 1,
    signal: new AbortController().signal,
  });
  if (message === undefined) throw new Error("There is no message.");
  return { queue, receipt: message.receipt };
}

/** A delivery of an agent's queue that is dead. @returns the queue's id and the event's */
export async function deadOf(bus: BusInMemory, agent: Agent): Promise<{ queue: string; eventId: string }> {
  const queue = await queueOf(bus, agent, "of the dead", [TYPES[2]]);
  const { id } = await said(bus, other, TYPES[2]);
  const entry = { subscriptionId: queue, owner: agent.id, name: "of the dead", kind: "queue" } as const;
  const begun = newDelivery({ id, type: TYPES[2] }, entry, { nowMs: bus.clock.nowMs, fence: "1", expiresAt: 4e9 });
  const at = new Date(bus.clock.nowMs).toISOString();
  await bus.store.createDelivery(dead(begun, { at, reason: "poison", fence: "2" }));
  return { queue, eventId: id };
}

/** A delivery of the deployed subscriber that is dead. @returns the event's id */
export async function deadLetter(bus: BusInMemory): Promise<string> {
  const { id } = await said(bus, other, TYPES[0]);
  const letter = { subscriber: CLERK, event: { id, type: TYPES[0] }, reason: "it threw", attempts: 5 };
  await recordDeadLetter(bus.deps, letter);
  return id;
}
