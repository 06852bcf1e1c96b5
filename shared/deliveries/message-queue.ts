/**
 * Taking messages from a pull queue.
 *
 * A message is the record of a delivery. To take it is one conditional write, which hides it for a while and makes the
 * receipt; without an acknowledgement it comes again. After its last receive it leaves the queue, and the reconciler
 * finds it dead when the time is up (I7).
 */

import { whatTheyMay } from "../agents/known-agents.ts";
import { invalidField } from "../errors.ts";
import { type DeliveredEvent, deliveredCopy } from "../event.ts";
import { inLanes } from "../lanes.ts";
import { LEASE_MS, MAX_MESSAGES } from "../limits.ts";
import { type Deps, messagesTopic } from "../ports.ts";
import { payFor } from "../rate-limit/tokens.ts";
import type { EventRecord } from "../records.ts";
import { findOwnSubscription } from "../subscriptions/look-up.ts";
import type { DeliveryRecord, QueueTarget, SubscriptionRecord } from "../subscriptions/records.ts";
import { isoAt } from "../time.ts";
import { blindGapMs } from "../wait-policy/next-read.ts";
import { dead, NOT_ALLOWED, putOff, takenOn, whyPointless } from "./delivery.ts";

/** An event out of a queue. */
export interface Message {
  readonly event: DeliveredEvent;
  /** To acknowledge it with, give it back or keep it hidden; until it is taken again. */
  readonly receipt: string;
  /** 1 the first time. */
  readonly attempt: number;
}

export interface TakeOptions {
  /** How long to wait for a message, in milliseconds. */
  readonly waitMs: number;
  readonly max: number;
  /** How long what is taken is hidden, in seconds; the subscription's own when not given. */
  readonly visibilitySeconds?: number | undefined;
  /** Aborts when there is nobody to take them any more. */
  readonly signal: AbortSignal;
}

/** Pointless messages that one poll clears away before it waits. */
const MAX_BURIED = 500;

/** A subscription to a queue, and its target as one. */
interface Queue {
  readonly subscription: SubscriptionRecord;
  readonly target: QueueTarget;
}

/**
 * Takes messages; waits for some when there are none. While it waits, and for a while after, the queue counts as a
 * subscriber who can answer.
 *
 * @throws BusError `not_found`; `invalid_request` for a webhook
 */
export async function takeMessages(
  deps: Deps,
  subscriptionId: string,
  owner: string,
  { waitMs, max, visibilitySeconds, signal }: TakeOptions,
): Promise<Message[]> {
  const queue = await findQueue(deps, subscriptionId, owner);
  if (queue.subscription.status !== "active") {
    // Whoever polls again and again must not turn in circles meanwhile.
    if (waitMs > 0) await deps.pause(waitMs, messagesTopic(subscriptionId), signal);
    return [];
  }
  await announce(deps, queue.subscription, waitMs);
  const visibilityMs = (visibilitySeconds ?? queue.target.visibilitySeconds) * 1_000;
  const start = deps.monotonic();
  for (let buried = 0; ; ) {
    if (signal.aborted) return [];
    const round = await takeVisible(deps, queue, max, visibilityMs);
    if (round.messages.length > 0) return round.messages;
    buried += round.buried;
    // What stood in front was pointless, and is out of the way: there may be more behind it.
    if (round.buried > 0 && buried < MAX_BURIED) continue;
    const waitedMs = deps.monotonic() - start;
    if (waitedMs >= waitMs) return [];
    await deps.pause(Math.min(blindGapMs(waitedMs), waitMs - waitedMs), messagesTopic(subscriptionId), signal);
  }
}

/** @throws BusError `not_found`; `invalid_request` for a webhook */
export async function findQueue(deps: Deps, subscriptionId: string, owner: string): Promise<Queue> {
  const subscription = await findOwnSubscription(deps, subscriptionId, owner);
  const { target } = subscription;
  if (target.kind !== "queue") throw invalidField("/subscription_id", "the subscription of a queue was expected");
  return { subscription, target };
}

/**
 * Presence: whoever asks can count on this queue for as long as somebody waits for its messages, and a little longer. It is
 * a write for each type, for which whoever polls pays. @throws BusError `rate_limited`
 */
export async function announce(
  deps: Deps,
  { subscriptionId, owner, name, eventTypes, answers }: SubscriptionRecord,
  waitMs: number,
): Promise<void> {
  if (!answers) return;
  await payFor(deps, owner, eventTypes.length);
  const leasedUntil = deps.now() + waitMs + LEASE_MS;
  await Promise.all(
    eventTypes.map((eventType) =>
      deps.store.putListener({ eventType, name, streamId: subscriptionId, kind: "queue", leasedUntil }),
    ),
  );
}

/** What one look at a queue gave. */
interface Round {
  readonly messages: Message[];
  /** Messages that were pointless, and are dead. */
  readonly buried: number;
}

async function takeVisible(deps: Deps, queue: Queue, max: number, visibilityMs: number): Promise<Round> {
  const { subscriptionId } = queue.subscription;
  // Others may be taking the same ones at this moment.
  const eventIds = await deps.store.findMessages(subscriptionId, isoAt(deps.now() + 1), max + MAX_MESSAGES);
  if (eventIds.length === 0) return { messages: [], buried: 0 };
  const [deliveries, events] = await Promise.all([
    deps.store.getDeliveriesOf(eventIds.map((eventId) => ({ eventId, subscriptionId }))),
    deps.store.getEvents(eventIds),
  ]);
  const eventsById = new Map(events.map((record) => [record.event.id, record]));
  const visible = deliveries.filter((delivery) => isVisible(deps, delivery));
  const inOrder = visible.sort((a, b) => (a.nextAttemptAt < b.nextAttemptAt ? -1 : 1));
  const messages: Message[] = [];
  let taken = 0;
  let buried = 0;
  const takeNext = async (delivery: DeliveryRecord): Promise<void> => {
    taken++;
    const message = await take(deps, queue, delivery, eventsById.get(delivery.eventId), visibilityMs);
    if (message !== "dead" && message !== null) messages.push(message);
    // A lane whose message somebody else was quicker to take goes on to the next one.
    else taken--;
    if (message === "dead") buried++;
  };
  await inLanes(max, inOrder, takeNext, () => taken < max);
  messages.sort((a, b) => (a.event.timestamp < b.event.timestamp ? -1 : 1));
  return { messages, buried };
}

/** The index may lag, and name what somebody has taken. */
function isVisible(deps: Deps, { state, nextAttemptAt }: DeliveryRecord): boolean {
  return state === "PENDING" && Date.parse(nextAttemptAt) <= deps.now();
}

/** One conditional write: whoever makes it has the message. Null when somebody else was first. */
async function take(
  deps: Deps,
  { subscription, target }: Queue,
  delivery: DeliveryRecord,
  record: EventRecord | undefined,
  visibilityMs: number,
): Promise<Message | "dead" | null> {
  const nowMs = deps.now();
  const fence = deps.newToken();
  const may = await whatTheyMay(deps, [subscription.owner], delivery.eventType);
  const why = may(subscription.owner, "subscribe") ? whyPointless(subscription, record, nowMs) : NOT_ALLOWED;
  if (why !== null || record === undefined) {
    const end = { at: isoAt(nowMs), reason: why ?? "", fence };
    return (await deps.store.replaceDelivery(dead(delivery, end), delivery.fence)) ? "dead" : null;
  }
  const isLast = delivery.attempts + 1 >= target.maxAttempts;
  const untilMs = nowMs + visibilityMs;
  const next = takenOn(withLapse(delivery, nowMs), { fence, untilMs, tendAt: isLast ? isoAt(untilMs) : undefined });
  if (!(await deps.store.replaceDelivery(next, delivery.fence))) return null;
  return {
    event: deliveredCopy(record.event, record.replyToken, subscription.name),
    receipt: `${delivery.eventId}.${fence}`,
    attempt: next.attempts,
  };
}

/** Says in the log that the receive before was never acknowledged. */
function withLapse(delivery: DeliveryRecord, nowMs: number): DeliveryRecord {
  const answered = delivery.log.at(-1)?.outcome.startsWith("given back") === true;
  if (delivery.attempts === 0 || answered) return delivery;
  const attempt = { at: isoAt(nowMs), outcome: "not acknowledged in time" };
  return putOff(delivery, Date.parse(delivery.nextAttemptAt), { attempt });
}
