/** An event as a subscriber gets it, for tests that care only about some of its fields. */
import type { DeliveredEvent } from "../../shared/event.ts";

export function deliveredEvent(fields: Partial<DeliveredEvent> & { id: string }): DeliveredEvent {
  return {
    type: "MESSAGE_RECEIVED",
    data: {},
    timestamp: "2026-01-01T00:00:00.000Z",
    correlation_id: fields.id,
    hops: 0,
    source: "local",
    reply_to: { url: `/events/${fields.id}/responses`, token: "t" },
    ...fields,
  };
}
