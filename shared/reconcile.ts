/**
 * Reconcile, once a minute: publish what stayed unpublished, end what nobody ended, look after subscriptions and
 * deliveries that whoever was at them left.
 *
 * It works off the sparse work index. The index may lag and may name what is done; the conditions of the writes decide.
 */

import { type TendDeliveryDeps, tendDelivery } from "./deliveries/tend.ts";
import { drain, eachOf, newTally, type Tally } from "./due-work.ts";
import { endRequest } from "./end-request.ts";
import { deliveredCopy } from "./event.ts";
import { readDeliveryWorkId, readSubscriptionWorkId } from "./keys.ts";
import { RELAY_AFTER_MS, RELAY_RETRY_MS, SWEEP_GRACE_MS, TEND_AFTER_MS } from "./limits.ts";
import { fieldsOfEvent } from "./log.ts";
import type { Deps } from "./ports.ts";
import type { EventRecord } from "./records.ts";
import { tendSubscription } from "./subscriptions/tend.ts";
import { isoAt } from "./time.ts";

export type ReconcileDeps = TendDeliveryDeps;

export interface ReconcileOptions {
  /** No further batch begins from here on, in milliseconds of `Deps.monotonic`. */
  readonly untilMs: number;
}

export interface ReconcileReport {
  /** Events published that had stayed unpublished. */
  readonly published: number;
  /** Requests ended that were overdue. */
  readonly ended: number;
  /** Subscriptions and deliveries looked after. */
  readonly tended: number;
  /** What failed and stays due: pieces of work, and look-ups of what is due. */
  readonly failed: number;
  /** Age of the oldest event that was due and unpublished when the run came to it; 0 if there was none. Milliseconds. */
  readonly oldest_unpublished_ms: number;
}

/** Works until nothing more is due or the time is up. Never throws; none waits for another. */
export async function reconcile(deps: ReconcileDeps, { untilMs }: ReconcileOptions): Promise<ReconcileReport> {
  const relay = newTally();
  const sweep = newTally();
  const subscriptions = newTally();
  const deliveries = newTally();
  await Promise.allSettled([
    drain(deps, { kind: "publish", afterMs: RELAY_AFTER_MS, untilMs, tally: relay, work: relayBatch }),
    drain(deps, { kind: "deadline", afterMs: SWEEP_GRACE_MS, untilMs, tally: sweep, work: sweepBatch }),
    drain(deps, {
      kind: "subscription",
      afterMs: TEND_AFTER_MS,
      untilMs,
      tally: subscriptions,
      work: tendSubscriptions,
    }),
    drain(deps, { kind: "delivery", afterMs: 0, untilMs, tally: deliveries, work: tendDeliveries }),
  ]);
  const report = {
    published: relay.done,
    ended: sweep.done,
    tended: subscriptions.done + deliveries.done,
    failed: relay.failed + sweep.failed + subscriptions.failed + deliveries.failed,
    oldest_unpublished_ms: relay.oldestMs,
  };
  if (report.published + report.ended + report.tended + report.failed > 0) deps.log.info("reconciled", { ...report });
  return report;
}

/** I1: what was acknowledged unpublished is published. At least once: a crash before the mark sends it again. */
async function relayBatch(deps: Deps, ids: readonly string[], tally: Tally): Promise<void> {
  const leased = (await Promise.all(ids.map((id) => leaseUnpublished(deps, id, tally)))).filter(
    (record) => record !== null,
  );
  if (leased.length === 0) return;
  const outcomes = await deps.publisher.publish(leased.map((record) => deliveredCopy(record.event, record.replyToken)));
  await Promise.all(
    leased.map(async (record, i) => {
      try {
        if (outcomes[i]?.kind !== "published") throw new Error(outcomes[i]?.reason ?? "no outcome");
        await deps.store.markPublished(record.event.id);
        tally.done++;
      } catch (error) {
        tally.failed++;
        deps.log.warn("an event stays due for publication", {
          ...fieldsOfEvent(record.event),
          error: String(error),
        });
      }
    }),
  );
}

/** The event, if it is unpublished still and no other relay has it. */
async function leaseUnpublished(deps: Deps, eventId: string, tally: Tally): Promise<EventRecord | null> {
  try {
    const record = await deps.store.getEvent(eventId);
    if (record === null || record.published) return null;
    tally.oldestMs = Math.max(tally.oldestMs, deps.now() - Date.parse(record.event.timestamp));
    // What is due is looked for a while after it is (`RELAY_AFTER_MS`), so the lease ends that much before the next try.
    const until = isoAt(deps.now() + RELAY_RETRY_MS - RELAY_AFTER_MS);
    const isLeased = await deps.store.leaseForRelay(eventId, record.relayAttempts, until);
    return isLeased ? record : null;
  } catch (error) {
    tally.failed++;
    deps.log.warn("an event could not be taken on for publication", { event_id: eventId, error: String(error) });
    return null;
  }
}

/** I6: nothing stays pending. Whoever waits ends the request itself at its deadline; this is for those who died. */
async function sweepBatch(deps: Deps, ids: readonly string[], tally: Tally): Promise<void> {
  await Promise.all(
    ids.map(async (eventId) => {
      try {
        const event = await deps.store.getEnvelope(eventId);
        const reason = event === null ? "never_published" : undefined;
        const write = await endRequest(deps, eventId, "TIMED_OUT", reason);
        if (write.kind === "written") tally.done++;
      } catch (error) {
        tally.failed++;
        deps.log.warn("an overdue request could not be ended", { event_id: eventId, error: String(error) });
      }
    }),
  );
}

/** What a change of a subscription began, and the messages that are too old. */
async function tendSubscriptions(deps: ReconcileDeps, ids: readonly string[], tally: Tally): Promise<void> {
  await eachOf(deps, ids, tally, async (id) => {
    const { owner, subscriptionId } = readSubscriptionWorkId(id);
    const subscription = await deps.store.getSubscription(owner, subscriptionId);
    const isDue = subscription?.tendAt !== undefined && Date.parse(subscription.tendAt) <= deps.now();
    if (isDue) await tendSubscription(deps, subscription);
    return isDue;
  });
}

/** I7: deliveries that nobody is at. */
async function tendDeliveries(deps: ReconcileDeps, ids: readonly string[], tally: Tally): Promise<void> {
  await eachOf(deps, ids, tally, (id) => tendDelivery(deps, readDeliveryWorkId(id)));
}
