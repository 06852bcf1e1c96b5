/** The envelope of an event: as it is sent, served and delivered. */
import type { BusEvent, DeliveredEvent, ReplyTo } from "../event.ts";
import { type Catalogue, EVENT_TYPE_NAME } from "../event-types/catalogue.ts";
import { MAX_BATCH, MAX_HOPS } from "../limits.ts";
import {
  anyObject,
  closed,
  closedObject,
  type FieldsOf,
  instant,
  type JsonSchema,
  listOf,
  name,
  ref,
  text,
  whole,
} from "./schema.ts";

/** The fields of an event that its sender must set. */
export const SENT_FIELDS = {
  type: ref("EventType"),
  data: anyObject("What is said. The event with its envelope has up to 192 KiB."),
} as const satisfies Readonly<Record<string, JsonSchema>>;

/** The fields that its sender may set. */
export const OPTIONAL_SENT_FIELDS = {
  agent_type: name("What kind of agent you are."),
  correlation_id: name("The conversation. The parent's if there is one, else the event's own id."),
  causation_id: name("The event that led to this one."),
} as const satisfies Readonly<Record<string, JsonSchema>>;

const EVENT_ALWAYS: FieldsOf<"id" | "type" | "data" | "timestamp" | "correlation_id" | "hops" | "source"> = {
  id: text("UUIDv7; or a UUIDv8 derived from agent and idempotency key.", { format: "uuid" }),
  // History outlives a catalogue: what was said may have a type that has left it since.
  type: text("The event type.", { pattern: EVENT_TYPE_NAME.source }),
  data: anyObject("What was said."),
  timestamp: instant("When the bus accepted it."),
  correlation_id: name("The conversation it belongs to."),
  hops: whole("How many events lie between this one and the first of its chain.", 0, { maximum: MAX_HOPS }),
  source: text("The authenticated agent that emitted it."),
};

const EVENT_MAYBE: FieldsOf<"agent_type" | "causation_id" | "deadline" | "traceparent"> = {
  agent_type: name("What kind of agent emitted it, in its own words."),
  causation_id: name("The event that led to this one."),
  deadline: instant("For a request: after this moment nobody waits for the answer any more."),
  traceparent: text("W3C trace context."),
};

const REPLY_TO = closed<ReplyTo>(
  "Where and with what to answer.",
  {
    url: text("Path of the answer operation.", {
      format: "uri-reference",
      pattern: "^/events/[^/]+/responses(\\?as=.+)?$",
    }),
    token: text("To be sent as `reply_token`."),
  },
  { deadline: instant("After this moment nobody waits for the answer any more; absent when nobody does.") },
);

export function eventSchemas(catalogue: Catalogue): Readonly<Record<string, JsonSchema>> {
  return {
    EventType: { type: "string", description: "A name of the catalogue.", enum: Object.keys(catalogue) },
    EventInput: closedObject("An event as it is sent.", SENT_FIELDS, OPTIONAL_SENT_FIELDS),
    EventBatch: closedObject("Several events. Each is acknowledged or refused by itself.", {
      events: listOf(ref("EventInput"), { minItems: 1, maxItems: MAX_BATCH }),
    }),
    ...ENVELOPE_SCHEMAS,
  };
}

/** The same whatever the catalogue. */
export const ENVELOPE_SCHEMAS: Readonly<Record<"Event" | "ReplyTo" | "DeliveredEvent", JsonSchema>> = {
  Event: closed<BusEvent>("An event as history serves it.", EVENT_ALWAYS, EVENT_MAYBE),
  ReplyTo: REPLY_TO,
  DeliveredEvent: closed<DeliveredEvent>(
    "An event on its way to a subscriber.",
    { ...EVENT_ALWAYS, reply_to: ref("ReplyTo") },
    EVENT_MAYBE,
  ),
};

const ID = "01976f2a-4c7e-7d3b-9a61-2f8e5b0c4d11";

export const EVENT_EXAMPLE = {
  id: ID,
  type: "MESSAGE_RECEIVED",
  data: { text: "Hello" },
  agent_type: "mailbox",
  timestamp: "2026-01-31T12:00:00.000Z",
  correlation_id: ID,
  hops: 0,
  source: "local",
} as const satisfies BusEvent;

export const DELIVERED_EXAMPLE: DeliveredEvent = {
  ...EVENT_EXAMPLE,
  reply_to: { url: `/events/${ID}/responses?as=librarian`, token: "b2f7QWJmVhkq0mUu1sX3eA" },
};
