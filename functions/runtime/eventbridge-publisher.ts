/** Publishes to an EventBridge bus. */
import type { PutEventsRequestEntry } from "@aws-sdk/client-eventbridge";
import { type DeliveredEvent, EVENT_SOURCE } from "../../shared/event.ts";
import { utf8Bytes } from "../../shared/input.ts";
import type { EventPublisher, PublishOutcome } from "../../shared/ports.ts";
import type { EventCalls } from "./aws/calls.ts";

/** PutEvents takes 10 entries. */
const MAX_ENTRIES = 10;
/** And 1 MB in all; 256 KB where that has not arrived yet, so this suits both. */
const MAX_BYTES = 256_000;

export function createEventBridgePublisher({
  calls,
  eventBusName,
}: {
  calls: EventCalls;
  eventBusName: string;
}): EventPublisher {
  return {
    async publish(events) {
      const outcomes = await Promise.all(chunksOf(events).map((chunk) => putEvents(calls, eventBusName, chunk)));
      return outcomes.flat();
    },
  };
}

async function putEvents(
  calls: EventCalls,
  eventBusName: string,
  events: readonly DeliveredEvent[],
): Promise<PublishOutcome[]> {
  try {
    const result = await calls.putEvents({ Entries: events.map((event) => toEntry(eventBusName, event)) });
    // Of a batch only the failed entries are sent again (I10).
    return events.map((_, i) => {
      const entry = result.Entries?.[i];
      return entry?.EventId === undefined
        ? { kind: "failed", reason: `${entry?.ErrorCode ?? "NoResult"}: ${entry?.ErrorMessage ?? ""}` }
        : { kind: "published" };
    });
  } catch (error) {
    // Unknown or failed, it is the same: it will be sent again under the same id (I1, I11).
    return events.map(() => ({ kind: "failed", reason: String(error) }));
  }
}

function toEntry(eventBusName: string, event: DeliveredEvent): PutEventsRequestEntry {
  return {
    EventBusName: eventBusName,
    Source: EVENT_SOURCE,
    DetailType: event.type,
    Time: new Date(event.timestamp),
    Detail: JSON.stringify(event),
  };
}

function chunksOf(events: readonly DeliveredEvent[]): readonly (readonly DeliveredEvent[])[] {
  // One event is within the limits, or it would not have been recorded: it need not be measured.
  if (events.length === 1) return [events];
  const chunks: DeliveredEvent[][] = [];
  let bytesInLast = 0;
  for (const event of events) {
    const bytes = utf8Bytes(event) + EVENT_SOURCE.length + event.type.length + 14;
    const last = chunks.at(-1);
    if (last === undefined || last.length === MAX_ENTRIES || bytesInLast + bytes > MAX_BYTES) {
      chunks.push([event]);
      bytesInLast = bytes;
    } else {
      last.push(event);
      bytesInLast += bytes;
    }
  }
  return chunks;
}
