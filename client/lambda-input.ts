/** The two shapes in which Lambda hands over events: EventBridge's own, and SQS records that carry it. */
import type { DeliveredEvent } from "../shared/event.ts";

/** One message of a queue. */
export interface SqsRecord {
  readonly messageId: string;
  readonly body: string;
  readonly attributes?: { readonly ApproximateReceiveCount?: string };
}

export type LambdaInput =
  | { readonly kind: "direct"; readonly detail: unknown }
  | { readonly kind: "queue"; readonly records: readonly SqsRecord[] };

/** What EventBridge invoked the function with is `direct` unless it has records. */
export function readLambdaInput(input: unknown): LambdaInput {
  const { Records, detail } = (input ?? {}) as { Records?: unknown; detail?: unknown };
  return Array.isArray(Records) ? { kind: "queue", records: Records as SqsRecord[] } : { kind: "direct", detail };
}

/** @throws Error that says what is wrong with the message, without its contents */
export function readQueuedEvent(record: SqsRecord): DeliveredEvent {
  let message: unknown;
  try {
    message = JSON.parse(record.body);
  } catch {
    throw new Error("the message is not JSON");
  }
  return readDeliveredEvent((message as { detail?: unknown } | null)?.detail);
}

/** @throws Error that names the first field that is missing */
export function readDeliveredEvent(detail: unknown): DeliveredEvent {
  if (detail === null || typeof detail !== "object") throw new Error("the message has no detail");
  const event = detail as Partial<DeliveredEvent>;
  for (const field of ["id", "type", "timestamp", "correlation_id"] as const)
    if (typeof event[field] !== "string") throw new Error(`the event has no ${field}`);
  if (event.data === null || typeof event.data !== "object") throw new Error("the event has no data");
  if (typeof event.reply_to?.url !== "string" || typeof event.reply_to.token !== "string")
    throw new Error("the event has no reply_to");
  return event as DeliveredEvent;
}

/** How often this message has come, this time included. */
export function receiveCount(record: SqsRecord): number {
  return Math.max(1, Number(record.attributes?.ApproximateReceiveCount ?? 1) || 1);
}
