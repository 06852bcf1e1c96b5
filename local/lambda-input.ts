/** What a deployed subscriber is called with, built as AWS builds it. */
import { createHash } from "node:crypto";
import { type DeliveredEvent, EVENT_SOURCE } from "../shared/event.ts";
import type { Delivery } from "./journal.ts";

const ACCOUNT = "000000000000";
const REGION = "local";

/** The event that EventBridge gives to a direct target, or puts in the body of a queue's message. */
export function eventBridgeEvent(event: DeliveredEvent): Record<string, unknown> {
  return {
    version: "0",
    id: event.id,
    "detail-type": event.type,
    source: EVENT_SOURCE,
    account: ACCOUNT,
    time: event.timestamp,
    region: REGION,
    resources: [],
    detail: event,
  };
}

/** A batch from a queue. The message id of a delivery is its event's id. */
export function sqsBatch(subscriber: string, deliveries: readonly Delivery[], nowMs: number): { Records: object[] } {
  return {
    Records: deliveries.map(({ event, receives }) => {
      const body = JSON.stringify(eventBridgeEvent(event));
      return {
        messageId: event.id,
        receiptHandle: `${subscriber}/${event.id}/${receives}`,
        body,
        attributes: {
          ApproximateReceiveCount: String(receives),
          SentTimestamp: String(Date.parse(event.timestamp)),
          SenderId: ACCOUNT,
          ApproximateFirstReceiveTimestamp: String(nowMs),
        },
        messageAttributes: {},
        md5OfBody: createHash("md5").update(body).digest("hex"),
        eventSource: "aws:sqs",
        eventSourceARN: `arn:aws:sqs:${REGION}:${ACCOUNT}:${subscriber}`,
        awsRegion: REGION,
      };
    }),
  };
}

/**
 * Which messages of a batch are to come again, read from what the handler returned as Lambda reads it: nothing means
 * none; an answer that makes no sense means all.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
 */
export function failedMessages(result: unknown, messageIds: readonly string[]): Set<string> {
  if (typeof result !== "object" || result === null) return new Set();
  const failures = (result as { batchItemFailures?: unknown }).batchItemFailures;
  if (failures === undefined || failures === null) return new Set();
  const ids = Array.isArray(failures)
    ? failures.map((failure) => (failure as { itemIdentifier?: unknown } | null)?.itemIdentifier)
    : [null];
  const known = ids.filter((id): id is string => typeof id === "string" && messageIds.includes(id));
  return new Set(known.length === ids.length ? known : messageIds);
}
