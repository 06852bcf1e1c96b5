/** CloudEvents 1.0 in JSON: as they are taken, and as events are given to whoever asks for them. */
import { CLOUD_EVENT_BATCH_MEDIA_TYPE, CLOUD_EVENT_MEDIA_TYPE } from "../cloud-events/media-types.ts";
import { type CloudEvent, toCloudEvent } from "../cloud-events/outgoing.ts";
import { EVENT_TYPE_NAME } from "../event-types/catalogue.ts";
import { MAX_BATCH, MAX_HOPS } from "../limits.ts";
import { EVENT_EXAMPLE } from "./events.ts";
import { type Content, header, mediaType, type Parameter } from "./operation.ts";
import { anyObject, closed, instant, type JsonSchema, listOf, name, ref, text, whole } from "./schema.ts";

const attribute = (description: string): JsonSchema => text(description, { minLength: 1 });

/** The attributes that the bus reads. */
const READ_ATTRIBUTES = {
  specversion: { const: "1.0" },
  id: attribute("With `source`, the idempotency key."),
  source: {
    ...attribute("Where it came from; not who sent it, which is the verified caller."),
    format: "uri-reference",
  },
  type: ref("EventType"),
  agenttype: name("As `agent_type`."),
  correlationid: name("As `correlation_id`."),
  causationid: name("As `causation_id`."),
  traceparent: attribute("W3C trace context."),
} as const satisfies Readonly<Record<string, JsonSchema>>;

const REQUIRED = ["specversion", "id", "source", "type"];

/** Any other attribute; null is the same as absent. */
const OTHER_ATTRIBUTE: JsonSchema = { type: ["string", "boolean", "integer", "null"] };

export const CLOUD_EVENT_SCHEMAS: Readonly<Record<string, JsonSchema>> = {
  CloudEventInput: {
    type: "object",
    description: "A CloudEvent as it is sent. Attributes that are not named here are not kept.",
    properties: {
      ...READ_ATTRIBUTES,
      time: { ...attribute(""), format: "date-time" },
      datacontenttype: text("A media type of JSON.", { pattern: "json" }),
      data: anyObject("The event's data."),
      data_base64: text("The same as bytes: base64 of a JSON object.", { contentEncoding: "base64" }),
    },
    required: REQUIRED,
    oneOf: [{ required: ["data"] }, { required: ["data_base64"] }],
    additionalProperties: OTHER_ATTRIBUTE,
  },
  CloudEventInputBatch: listOf(ref("CloudEventInput"), { maxItems: MAX_BATCH }),
  CloudEvent: closed<CloudEvent>(
    "An event as a CloudEvent. A delivered one has `replyurl` and `replytoken`.",
    {
      specversion: { const: "1.0" },
      id: text("", { format: "uuid" }),
      source: text("The authenticated agent.", { format: "uri-reference" }),
      type: text("", { pattern: EVENT_TYPE_NAME.source }),
      time: instant("When the bus accepted it."),
      datacontenttype: { const: "application/json" },
      hops: whole("", 0, { maximum: MAX_HOPS }),
      data: anyObject(""),
    },
    {
      correlationid: name(""),
      causationid: name(""),
      agenttype: name(""),
      deadline: instant(""),
      traceparent: text(""),
      replyurl: text("", { format: "uri-reference" }),
      replytoken: text(""),
      replydeadline: instant(""),
    },
  ),
};

const SENT = {
  specversion: "1.0",
  id: "mail-4711",
  source: "/mailbox",
  type: EVENT_EXAMPLE.type,
  data: EVENT_EXAMPLE.data,
};

/** As they are published in structured and in batched mode. */
export const CLOUD_EVENT_BODIES: Content = {
  [CLOUD_EVENT_MEDIA_TYPE]: mediaType(ref("CloudEventInput"), { event: SENT }),
  [CLOUD_EVENT_BATCH_MEDIA_TYPE]: mediaType(ref("CloudEventInputBatch"), { batch: [SENT] }),
};

/** As they are published in binary mode: these stand beside a body that is the data. */
export const BINARY_MODE_HEADERS: readonly Parameter[] = Object.entries(READ_ATTRIBUTES).map(([attribute, schema]) =>
  header(`ce-${attribute}`, schema, "Of a CloudEvent in binary mode."),
);

/** One event, given to whoever accepts it so. */
export const AS_CLOUD_EVENT: Content = {
  [CLOUD_EVENT_MEDIA_TYPE]: mediaType(ref("CloudEvent"), { event: toCloudEvent(EVENT_EXAMPLE) }),
};

/** A page of events, given to whoever accepts it so. */
export const AS_CLOUD_EVENT_BATCH: Content = {
  [CLOUD_EVENT_BATCH_MEDIA_TYPE]: mediaType(listOf(ref("CloudEvent")), { page: [toCloudEvent(EVENT_EXAMPLE)] }),
};
