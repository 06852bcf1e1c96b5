/**
 * Dispatch: one event to all run-time subscriptions that want it.
 *
 * Each gets a delivery record, put only where there is none: an event that comes twice is delivered once (I5). The
 * record is the message of a pull queue; webhooks are sent for, by reference. A dispatch that fails comes again, and
 * goes on where it ended.
 */

import { whatTheyMay } from "../agents/known-agents.ts";
import { expiryOf } from "../draft-event.ts";
import type { BusEvent, DeliveredEvent } from "../event.ts";
import { inLanes } from "../lanes.ts";
import { FAN_OUT_LANES } from "../limits.ts";
import type { Deps, WebhookQueue, WebhookTask } from "../ports.ts";
import type { SubscriptionEntry } from "../subscriptions/records.ts";
import { subscriptionsOf, wantsCopy } from "../subscriptions/type-index.ts";
import { newDelivery } from "./delivery.ts";

export interface DispatchDeps extends Deps {
  readonly webhookQueue: WebhookQueue;
}

export interface DispatchReport {
  /** Deliveries that began with this call. */
  readonly begun: number;
}

/** @throws BusError `unavailable`: some of the deliveries may not have begun; dispatch it again */
export async function dispatchEvent(
  deps: DispatchDeps,
  { reply_to: _, ...event }: DeliveredEvent,
): Promise<DispatchReport> {
  const entries = await subscriptionsOf(deps, event.type);
  const fitting = entries.filter((entry) => wantsCopy(entry, event));
  const may = await whatTheyMay(
    deps,
    fitting.map(({ owner }) => owner),
    event.type,
  );
  // I9: by the policy of this moment, whatever it was when they subscribed.
  const wanting = fitting.filter(({ owner }) => may(owner, "subscribe"));
  const tasks: WebhookTask[] = [];
  let begun = 0;
  await inLanes(FAN_OUT_LANES, wanting, async (entry) => {
    const { isNew, isUntried } = await begin(deps, event, entry);
    if (isNew) begun++;
    // Also when it stands already: an earlier dispatch may have ended before it could send for it.
    if (entry.kind === "webhook" && isUntried)
      tasks.push({ owner: entry.owner, subscriptionId: entry.subscriptionId, eventId: event.id });
  });
  if (tasks.length > 0) await deps.webhookQueue.send(tasks);
  return { begun };
}

async function begin(
  deps: DispatchDeps,
  event: BusEvent,
  entry: SubscriptionEntry,
): Promise<{ isNew: boolean; isUntried: boolean }> {
  const nowMs = deps.now();
  const delivery = newDelivery(event, entry, { nowMs, fence: deps.newToken(), expiresAt: expiryOf(deps, nowMs) });
  const put = await deps.store.createDelivery(delivery);
  if (put.kind === "created") return { isNew: true, isUntried: true };
  return { isNew: false, isUntried: put.record.state === "PENDING" && put.record.attempts === 0 };
}
