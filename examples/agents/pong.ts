/** Answers PING with what it was sent, and how long the event was on its way: a sign of life of its way of delivery. */
import type config from "../../bus.config.ts";
import { subscriber } from "../../client/subscriber.ts";
import type { EventTypesOf } from "../../shared/bus-config.ts";

export const handler = subscriber<"PING", EventTypesOf<typeof config>>((event, context) => ({
  ...(event.data.note === undefined ? {} : { note: event.data.note }),
  from: context.subscriber,
  on_its_way_ms: Date.now() - Date.parse(event.timestamp),
}));
