/**
 * Dispatch: one event to all run-time subscriptions that want it.
 *
 * Each gets a delivery record, put only where there is none: an event that comes twice is delivered once (I5). The
 * record is the message of a pull queue; webhooks are sent for, by reference. A dispatch that fails comes again, and
 * goes on where it ended. One to very many takes its time, so that the event's partition keeps up with it.
 */

import { whatTheyMay } from "../agents/known-agents.ts";
import { expiryOf } from "../draft-event.ts";
import type { BusEvent, DeliveredEvent } from "../event.ts";
import { inLanes } from "../lanes.ts";
import { DELIVERIES_PER_SECOND, FAN_OUT_LANES } from "../limits.ts";
import type { Deps, WebhookQueue, WebhookTask } from "../ports.ts";
import type { DeliveryRecord, SubscriptionEntry } from "../subscriptions/records.ts";
import { subscriptionsOf, wantsCopy } from "../subscriptions/type-index.ts";
import { newDelivery } from "./delivery.ts";

export interface DispatchDeps extends Deps {
  readonly webhookQueue: WebhookQueue;
}

export interface DispatchReport {
  /** Deliveries that began with this call. */
  readonly begun: number;
}

export interface DispatchOptions {
  /** It was dispatched before, and that may have come far: what stands already is looked up rather than written in vain. */
  readonly isRepeated?: boolean;
}

/** @throws BusError `unavailable`: some of the deliveries may not have begun; dispatch it again */
export async function dispatchEvent(
  deps: DispatchDeps,
  { reply_to: _, ...event }: DeliveredEvent,
  { isRepeated = false }: DispatchOptions = {},
): Promise<DispatchReport> {
  const wanting = await whoWants(deps, event);
  const standing = isRepeated ? await standingDeliveries(deps, event.id) : NOTHING_STANDS;
  let begun = 0;
  for (let at = 0; at < wanting.length; at += DELIVERIES_PER_SECOND) {
    const startedAt = deps.monotonic();
    begun += await beginEach(deps, event, wanting.slice(at, at + DELIVERIES_PER_SECOND), standing);
    const isLast = at + DELIVERIES_PER_SECOND >= wanting.length;
    if (!isLast) await deps.pause(Math.max(0, startedAt + 1_000 - deps.monotonic()), "");
  }
  return { begun };
}

/** I9: by the policies of this moment, whatever they were when they subscribed. */
async function whoWants(deps: DispatchDeps, event: BusEvent): Promise<SubscriptionEntry[]> {
  const entries = await subscriptionsOf(deps, event.type);
  const fitting = entries.filter((entry) => wantsCopy(entry, event));
  const may = await whatTheyMay(
    deps,
    fitting.map(({ owner }) => owner),
    event.type,
  );
  return fitting.filter(({ owner }) => may(owner, "subscribe"));
}

/** By subscription. */
type Standing = ReadonlyMap<string, DeliveryRecord>;

const NOTHING_STANDS: Standing = new Map();

async function standingDeliveries({ store }: DispatchDeps, eventId: string): Promise<Standing> {
  const deliveries = await store.getDeliveries(eventId);
  return new Map(deliveries.map((delivery) => [delivery.subscriptionId, delivery]));
}

/** Begins deliveries, and sends for the webhooks among them. @returns how many there were not before */
async function beginEach(
  deps: DispatchDeps,
  event: BusEvent,
  entries: readonly SubscriptionEntry[],
  standing: Standing,
): Promise<number> {
  const tasks: WebhookTask[] = [];
  let begun = 0;
  await inLanes(FAN_OUT_LANES, entries, async (entry) => {
    const found = standing.get(entry.subscriptionId) ?? (await begin(deps, event, entry));
    if (found === "new") begun++;
    // Also when it stands already: an earlier dispatch may have ended before it could send for it.
    if (entry.kind === "webhook" && (found === "new" || isUntried(found)))
      tasks.push({ owner: entry.owner, subscriptionId: entry.subscriptionId, eventId: event.id });
  });
  if (tasks.length > 0) await deps.webhookQueue.send(tasks);
  return begun;
}

const isUntried = ({ state, attempts }: DeliveryRecord): boolean => state === "PENDING" && attempts === 0;

/** Puts a delivery where there is none; else what stands there. */
async function begin(deps: DispatchDeps, event: BusEvent, entry: SubscriptionEntry): Promise<"new" | DeliveryRecord> {
  const nowMs = deps.now();
  const delivery = newDelivery(event, entry, { nowMs, fence: deps.newToken(), expiresAt: expiryOf(deps, nowMs) });
  const put = await deps.store.createDelivery(delivery);
  return put.kind === "created" ? "new" : put.record;
}
