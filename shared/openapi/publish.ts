/** Publish: `POST /events`. */
import type { BatchReceipt, EmitReceipt } from "../emit.ts";
import { EVENT_TYPE_NAME } from "../event-types/catalogue.ts";
import { MAX_BATCH, MAX_IDEMPOTENCY_KEY_CHARS } from "../limits.ts";
import type { Operation } from "../routes.ts";
import { BINARY_MODE_HEADERS, CLOUD_EVENT_BODIES } from "./cloud-events.ts";
import { EVENT_EXAMPLE } from "./events.ts";
import { header, mediaType, type OperationDescription, type Parameter } from "./operation.ts";
import { closed, closedObject, flag, instant, type JsonSchema, listOf, name, ref, text, whole } from "./schema.ts";

/** What makes a retry safe. */
export const IDEMPOTENCY_KEY: Parameter = header(
  "Idempotency-Key",
  { type: "string", minLength: 1, maxLength: MAX_IDEMPOTENCY_KEY_CHARS },
  "Makes a retry safe: the same key and payload is the same event. Keys belong to the agent that uses them.",
);

export const TRACEPARENT: Parameter = header(
  "traceparent",
  { type: "string" },
  "W3C trace context, carried on with the event. What is not well-formed is dropped.",
);

const RECEIPT = closed<EmitReceipt>("The acknowledgement of an event: it will not be lost.", {
  event_id: text("", { format: "uuid" }),
  type: text("", { pattern: EVENT_TYPE_NAME.source }),
  timestamp: instant("When the bus accepted it."),
  correlation_id: name("The conversation it belongs to."),
  published: flag("False: recorded, and sent to its subscribers within 90 s."),
  replayed: flag("The same key and payload as before: nothing new happened."),
});

const BATCH_RECEIPT = closed<BatchReceipt>("What became of each event of a batch.", {
  events: listOf(
    { oneOf: [ref("EmitReceipt"), closedObject("Refused.", { error: ref("Problem") })] },
    { maxItems: MAX_BATCH, description: "In the order of the batch." },
  ),
  accepted: whole("", 0, { maximum: MAX_BATCH }),
  rejected: whole("", 0, { maximum: MAX_BATCH }),
});

export const PUBLISH_SCHEMAS: Readonly<Record<string, JsonSchema>> = {
  EmitReceipt: RECEIPT,
  BatchReceipt: BATCH_RECEIPT,
};

const { type, data, agent_type, id: event_id, timestamp, correlation_id } = EVENT_EXAMPLE;
const SENT = { type, data, agent_type };
const ACKNOWLEDGED: EmitReceipt = { event_id, type, timestamp, correlation_id, published: true, replayed: false };

export const PUBLISH_OPERATIONS = {
  emit: {
    tag: "publish",
    summary: "Publish an event, or up to 100.",
    description:
      "Recorded before it is acknowledged. With a key for a batch, the place in it makes it each event's own. " +
      "CloudEvents 1.0 are taken in structured, batched and binary mode; in binary mode the attributes are headers and " +
      "the body is the data, a JSON object. Their `source` and `id` are their key: there is to be no Idempotency-Key.",
    parameters: [IDEMPOTENCY_KEY, TRACEPARENT, ...BINARY_MODE_HEADERS],
    requestBody: {
      required: true,
      content: {
        "application/json": mediaType(
          { anyOf: [ref("EventInput"), ref("EventBatch")] },
          {
            event: SENT,
            batch: { events: [SENT, { ...SENT, correlation_id }] },
          },
        ),
        ...CLOUD_EVENT_BODIES,
      },
    },
    answers: {
      202: {
        description: "Recorded. A batch: each event by itself.",
        content: {
          "application/json": mediaType(
            { oneOf: [ref("EmitReceipt"), ref("BatchReceipt")] },
            {
              event: ACKNOWLEDGED,
              batch: {
                events: [ACKNOWLEDGED],
                accepted: 1,
                rejected: 0,
              },
            },
          ),
        },
      },
    },
    failures: [
      "invalid_json",
      "invalid_request",
      "unknown_event_type",
      "schema_violation",
      "loop_detected",
      "payload_too_large",
      "idempotency_conflict",
    ],
  },
} as const satisfies Partial<Record<Operation, OperationDescription>>;
