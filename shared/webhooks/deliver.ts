/**
 * One attempt of a webhook: take the delivery on, call the endpoint, take its answer, write down what came of it.
 *
 * The record decides: whoever takes it on has it to himself for a while, and a task that comes twice, or too early, does
 * nothing. The endpoint may be called again after a crash; `webhook-id` stays the same.
 */
import { whatTheyMay } from "../agents/known-agents.ts";
import { CLOUD_EVENT_MEDIA_TYPE } from "../cloud-events/media-types.ts";
import { toBinary, toCloudEvent } from "../cloud-events/outgoing.ts";
import { dead, delivered, NOT_ALLOWED, putOff, takenOn, whyPointless } from "../deliveries/delivery.ts";
import { type DeliveredEvent, deliveredCopy } from "../event.ts";
import { derivedId } from "../hash.ts";
import { readDeliveryWorkId } from "../keys.ts";
import {
  DELIVERY_OVERDUE_MS,
  LONGEST_HIDDEN_MS,
  MAX_RETRY_AFTER_MS,
  WEBHOOK_LEASE_MS,
  WEBHOOK_RETRIES_MS,
} from "../limits.ts";
import type { Deps, WebhookTask } from "../ports.ts";
import type { EventRecord } from "../records.ts";
import type { DeliveryRecord, SubscriptionRecord, WebhookTarget } from "../subscriptions/records.ts";
import { isoAt } from "../time.ts";
import { takeAnswer } from "./answer.ts";
import { noteFailure, noteSuccess, signingSecrets } from "./health.ts";
import type { WebhookCall, WebhookOutcome, WebhookSender } from "./port.ts";
import { webhookHeaders } from "./signature.ts";

export interface DeliverDeps extends Deps {
  readonly webhooks: Pick<WebhookSender, "send">;
}

/**
 * What is left to do for a task: nothing, or to bring it again after a while. Where that is over `LONGEST_HIDDEN_MS`, a
 * queue may drop it: the reconciler sends for it then.
 */
export type TaskOutcome = { readonly kind: "done" } | { readonly kind: "again"; readonly afterMs: number };

const DONE: TaskOutcome = { kind: "done" };

/** @throws BusError `unavailable`: bring it again */
export async function deliverWebhook(deps: DeliverDeps, task: WebhookTask): Promise<TaskOutcome> {
  const delivery = await deps.store.getDelivery(task);
  if (delivery === null || delivery.state !== "PENDING") return DONE;
  const earlyMs = Date.parse(delivery.nextAttemptAt) - deps.now();
  if (earlyMs > 0) return { kind: "again", afterMs: earlyMs };

  const [subscription, record] = await Promise.all([
    deps.store.getSubscription(task.owner, task.subscriptionId),
    deps.store.getEvent(task.eventId),
  ]);
  const may = await whatTheyMay(deps, [task.owner], delivery.eventType);
  const why = may(task.owner, "subscribe") ? whyNot(subscription, record, deps.now()) : NOT_ALLOWED;
  if (why !== null || subscription === null || record === null) return bury(deps, delivery, why ?? "");
  const { target } = subscription;
  if (target.kind !== "webhook") return bury(deps, delivery, "the subscription is no webhook");
  // I10: also where every attempt is broken off before it has an outcome, there is a last one.
  if (delivery.attempts > WEBHOOK_RETRIES_MS.length)
    return bury(deps, delivery, `no outcome is known of attempt ${delivery.attempts}, the last`);

  const taken = await takeOn(deps, delivery);
  // Somebody else has it: should he die, it comes again.
  if (taken === null) return { kind: "again", afterMs: WEBHOOK_LEASE_MS };
  const at = isoAt(deps.now());
  const outcome = await deps.webhooks.send(callOf(deps, subscription, target, record));
  return outcome.kind === "delivered"
    ? succeed(deps, subscription, taken, record, outcome, at)
    : fail(deps, subscription, taken, outcome, at);
}

/** Why an attempt would be pointless; null when it is not. */
function whyNot(subscription: SubscriptionRecord | null, record: EventRecord | null, nowMs: number): string | null {
  if (subscription === null || subscription.status === "deleted") return "subscription_deleted";
  if (subscription.status === "disabled") return `subscription_disabled: ${subscription.disabledReason}`;
  return whyPointless(subscription, record, nowMs);
}

/** I5, I7: from here on it is this attempt's, counted before the call. Null when somebody else was first. */
async function takeOn(deps: DeliverDeps, delivery: DeliveryRecord): Promise<DeliveryRecord | null> {
  const untilMs = deps.now() + WEBHOOK_LEASE_MS;
  const next = takenOn(delivery, { fence: deps.newToken(), untilMs, tendAt: isoAt(untilMs + DELIVERY_OVERDUE_MS) });
  return (await deps.store.replaceDelivery(next, delivery.fence)) ? next : null;
}

function callOf(
  deps: DeliverDeps,
  subscription: SubscriptionRecord,
  target: WebhookTarget,
  record: EventRecord,
): WebhookCall {
  const nowMs = deps.now();
  const { headers, body } = written(deliveredCopy(record.event, record.replyToken, subscription.name), target);
  const signed = webhookHeaders({
    // A receiver may have several subscriptions: the same event is another message for each.
    id: derivedId("webhook", subscription.subscriptionId, record.event.id),
    timestampSeconds: Math.floor(nowMs / 1_000),
    body,
    secrets: signingSecrets(subscription, nowMs).map(({ secret }) => secret),
  });
  const { traceparent } = record.event;
  const trace = traceparent === undefined ? {} : { traceparent };
  return { url: target.url, headers: { ...headers, ...trace, ...signed }, body };
}

function written(event: DeliveredEvent, { format }: WebhookTarget): Pick<WebhookCall, "headers" | "body"> {
  switch (format) {
    case "event":
      return { headers: { "content-type": "application/json" }, body: JSON.stringify(event) };
    case "cloudevents":
      return {
        headers: { "content-type": `${CLOUD_EVENT_MEDIA_TYPE}; charset=utf-8` },
        body: JSON.stringify(toCloudEvent(event)),
      };
    case "cloudevents-binary":
      return toBinary(event);
  }
}

async function succeed(
  deps: DeliverDeps,
  subscription: SubscriptionRecord,
  delivery: DeliveryRecord,
  record: EventRecord,
  { status, body, elapsedMs }: Extract<WebhookOutcome, { kind: "delivered" }>,
  at: string,
): Promise<TaskOutcome> {
  // Before the delivery is done: should this end here, the endpoint is called again and its answer is the same one.
  const answer = await takeAnswer(deps, subscription, record, body);
  const outcome = answer === null ? `HTTP ${status}` : `HTTP ${status}; ${answer}`;
  await deps.store.replaceDelivery(delivered(delivery, { at, outcome, elapsedMs }), delivery.fence);
  await noteSuccess(deps, subscription);
  return DONE;
}

async function fail(
  deps: DeliverDeps,
  subscription: SubscriptionRecord,
  delivery: DeliveryRecord,
  { reason, status, retryAfterMs = 0, elapsedMs }: Extract<WebhookOutcome, { kind: "failed" }>,
  at: string,
): Promise<TaskOutcome> {
  const attempt = { at, outcome: reason, elapsedMs };
  const isDisabled = await noteFailure(deps, subscription, { at, reason, isGone: status === 410 });
  const scheduledMs = WEBHOOK_RETRIES_MS[delivery.attempts - 1];
  if (isDisabled || scheduledMs === undefined) {
    const why = isDisabled
      ? `${reason}; the subscription is disabled`
      : `${reason}, at attempt ${delivery.attempts}, the last`;
    const end = { at: isoAt(deps.now()), reason: why, fence: deps.newToken(), attempt };
    await deps.store.replaceDelivery(dead(delivery, end), delivery.fence);
    deps.log.warn("a webhook delivery is dead", {
      subscription_id: delivery.subscriptionId,
      event_id: delivery.eventId,
      reason: why,
    });
    return DONE;
  }
  const afterMs = Math.max(scheduledMs, Math.min(retryAfterMs, MAX_RETRY_AFTER_MS));
  const againAtMs = deps.now() + afterMs;
  const next = putOff(delivery, againAtMs, { attempt, tendAt: tendAfter(againAtMs, afterMs) });
  await deps.store.replaceDelivery(next, delivery.fence);
  return { kind: "again", afterMs };
}

/** A queue may drop what is far away: then it is the reconciler that sends for it, just when it is time to. */
function tendAfter(againAtMs: number, afterMs: number): string {
  return isoAt(afterMs > LONGEST_HIDDEN_MS ? againAtMs : againAtMs + DELIVERY_OVERDUE_MS);
}

async function bury(deps: DeliverDeps, delivery: DeliveryRecord, reason: string): Promise<TaskOutcome> {
  const end = { at: isoAt(deps.now()), reason, fence: deps.newToken() };
  await deps.store.replaceDelivery(dead(delivery, end), delivery.fence);
  return DONE;
}

/** More than a machine that was switched off comes back to; what is beyond is found by the reconciler. */
const MAX_PENDING_TASKS = 10_000;

/** All webhooks that are pending, whenever they are due: for a queue that does not outlive its process. */
export async function pendingTasks(deps: Pick<Deps, "store">): Promise<WebhookTask[]> {
  const ids = await deps.store.findDueWork("delivery", "9999", MAX_PENDING_TASKS);
  const deliveries = await deps.store.getDeliveriesOf(ids.map(readDeliveryWorkId));
  return deliveries
    .filter(({ kind, state }) => kind === "webhook" && state === "PENDING")
    .map(({ owner, eventId, subscriptionId }) => ({ owner, eventId, subscriptionId }));
}
