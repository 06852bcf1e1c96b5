/**
 * What becomes of a delivery, as pure steps from one record to the next. It ends `DELIVERED` or `DEAD` with a reason
 * (I7); whoever writes a step must have seen the one before (`fence`).
 */
import type { BusEvent } from "../event.ts";
import { DELIVERY_OVERDUE_MS, MAX_LOGGED_ATTEMPTS } from "../limits.ts";
import type { EnvelopeRecord } from "../records.ts";
import type { DeliveryAttempt, DeliveryRecord, SubscriptionRecord } from "../subscriptions/records.ts";
import { isoAt } from "../time.ts";

/** A delivery that is about to begin. */
export function newDelivery(
  event: Pick<BusEvent, "id" | "type">,
  subscriber: Pick<DeliveryRecord, "subscriptionId" | "owner" | "name" | "kind">,
  { nowMs, fence, expiresAt }: { nowMs: number; fence: string; expiresAt: number },
): DeliveryRecord {
  return {
    eventId: event.id,
    subscriptionId: subscriber.subscriptionId,
    eventType: event.type,
    owner: subscriber.owner,
    name: subscriber.name,
    kind: subscriber.kind,
    state: "PENDING",
    fence,
    attempts: 0,
    log: [],
    createdAt: isoAt(nowMs),
    nextAttemptAt: isoAt(nowMs),
    // A message waits for whoever polls; a webhook that nothing calls has been forgotten.
    ...(subscriber.kind === "webhook" ? { tendAt: isoAt(nowMs + DELIVERY_OVERDUE_MS) } : {}),
    redrives: 0,
    expiresAt,
  };
}

/** Taken on for an attempt: nobody else may until `untilMs`. */
export function takenOn(
  delivery: DeliveryRecord,
  { fence, untilMs, tendAt }: { fence: string; untilMs: number; tendAt?: string | undefined },
): DeliveryRecord {
  const { tendAt: _, ...rest } = delivery;
  return {
    ...rest,
    fence,
    attempts: delivery.attempts + 1,
    nextAttemptAt: isoAt(untilMs),
    ...(tendAt === undefined ? {} : { tendAt }),
  };
}

/** Pending still, to be tried again from `againAtMs` on. */
export function putOff(
  delivery: DeliveryRecord,
  againAtMs: number,
  { fence = delivery.fence, attempt, tendAt }: { fence?: string; attempt?: DeliveryAttempt; tendAt?: string } = {},
): DeliveryRecord {
  const { tendAt: _, ...rest } = delivery;
  return {
    ...rest,
    fence,
    nextAttemptAt: isoAt(againAtMs),
    log: attempt === undefined ? delivery.log : logged(delivery, attempt),
    ...(tendAt === undefined ? {} : { tendAt }),
  };
}

/** Its subscriber has it. */
export function delivered(delivery: DeliveryRecord, attempt: DeliveryAttempt): DeliveryRecord {
  const { tendAt: _, ...rest } = delivery;
  const fence = doneFence(delivery.fence);
  return { ...rest, state: "DELIVERED", fence, log: logged(delivery, attempt), endedAt: attempt.at };
}

/** The fence of a delivery once it is done: another one, so that nobody who saw it pending can write it any more. */
export const doneFence = (fence: string): string => `${fence}+`;

/** Given up, until somebody redrives it. */
export function dead(
  delivery: DeliveryRecord,
  { at, reason, fence, attempt }: { at: string; reason: string; fence: string; attempt?: DeliveryAttempt },
): DeliveryRecord {
  const { tendAt: _, ...rest } = delivery;
  return {
    ...rest,
    state: "DEAD",
    fence,
    log: attempt === undefined ? delivery.log : logged(delivery, attempt),
    endedAt: at,
    reason,
  };
}

/** Back from the dead, with all its attempts before it again. */
export function redriven(delivery: DeliveryRecord, { nowMs, fence }: { nowMs: number; fence: string }): DeliveryRecord {
  const { endedAt: _, reason, ...rest } = delivery;
  const at = isoAt(nowMs);
  const log = logged(delivery, { at, outcome: `sent again after: ${reason ?? "no reason"}` });
  const again = { ...rest, fence, attempts: 0, log, redrives: delivery.redrives + 1 };
  if (delivery.kind === "deployed") return { ...again, state: "REDRIVEN", endedAt: at };
  return {
    ...again,
    state: "PENDING",
    nextAttemptAt: at,
    ...(delivery.kind === "webhook" ? { tendAt: isoAt(nowMs + DELIVERY_OVERDUE_MS) } : {}),
  };
}

function logged({ log }: DeliveryRecord, attempt: DeliveryAttempt): DeliveryAttempt[] {
  return [...log, attempt].slice(-MAX_LOGGED_ATTEMPTS);
}

/** A message whose last receive was never acknowledged, found by the reconciler. */
export function lapsed(delivery: DeliveryRecord, nowMs: number, fence: string): DeliveryRecord {
  const at = isoAt(nowMs);
  const reason = `not acknowledged in time, at receive ${delivery.attempts}, the last`;
  return dead(delivery, { at, reason, fence, attempt: { at, outcome: "not acknowledged in time" } });
}

/** Why a delivery ends that its agent may not get any more. */
export const NOT_ALLOWED = "its agent may not subscribe to this type any more";

/** Expired work is not begun. Who only observes wants to know of it all the same. */
export function whyPointless(
  { answers }: Pick<SubscriptionRecord, "answers">,
  record: EnvelopeRecord | null | undefined,
  nowMs: number,
): string | null {
  if (record === null || record === undefined) return "the event has expired";
  const { deadline } = record.event;
  if (answers && deadline !== undefined && Date.parse(deadline) <= nowMs) return "the deadline has passed";
  return null;
}
