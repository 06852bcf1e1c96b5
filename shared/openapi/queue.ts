/** Pull queues: take messages, and say what became of them. */
import { toCloudEvent } from "../cloud-events/outgoing.ts";
import type { Message } from "../deliveries/message-queue.ts";
import type { ReceiptResult } from "../deliveries/message-receipts.ts";
import { MAX_MESSAGES, MAX_POLL_SECONDS, MAX_REASON_CHARS, MAX_RECEIPTS, MAX_VISIBILITY_SECONDS } from "../limits.ts";
import type { Operation } from "../routes.ts";
import { DELIVERED_EXAMPLE } from "./events.ts";
import { json, type OperationDescription, query, type Response } from "./operation.ts";
import { closed, closedObject, type JsonSchema, listOf, oneOfWords, ref, text, whole } from "./schema.ts";

const RECEIPTS = listOf(text("The `receipt` of a message.", { pattern: "^[^.]+\\.[^.]+$" }), {
  minItems: 1,
  maxItems: MAX_RECEIPTS,
});

const message = (event: JsonSchema): JsonSchema =>
  closed<Message>("An event out of a queue.", {
    event,
    receipt: text("To acknowledge it with, give it back or keep it hidden; until it is taken again."),
    attempt: whole("1 the first time.", 1),
  });

export const QUEUE_SCHEMAS: Readonly<Record<string, JsonSchema>> = {
  Messages: closedObject("", { messages: listOf(message(ref("DeliveredEvent")), { maxItems: MAX_MESSAGES }) }),
  CloudEventMessages: closedObject("With `Accept: application/cloudevents+json`.", {
    messages: listOf(message(ref("CloudEvent")), { maxItems: MAX_MESSAGES }),
  }),
  Acknowledgement: closedObject("", { receipts: RECEIPTS }),
  Return: closedObject(
    "",
    { receipts: RECEIPTS },
    {
      delay: {
        type: "number",
        minimum: 0,
        maximum: MAX_VISIBILITY_SECONDS,
        default: 0,
        description: "They come again after so many seconds.",
      },
      reason: text("For the log.", { maxLength: MAX_REASON_CHARS }),
    },
  ),
  Extension: closedObject("", {
    receipts: RECEIPTS,
    visibility: whole("Hidden for so many seconds from now.", 1, { maximum: MAX_VISIBILITY_SECONDS }),
  }),
  ReceiptResults: closedObject("", {
    results: listOf(
      closed<ReceiptResult>("", {
        receipt: text(""),
        status: oneOfWords<ReceiptResult["status"]>({
          ok: "as you said",
          expired: "the message was taken again since, is done, or is dead",
        }),
      }),
      { description: "In the order of the receipts." },
    ),
  }),
};

const RECEIPT = `${DELIVERED_EXAMPLE.id}.Wq7mZl0b3k9xU2vNfTg1aA`;
const MESSAGE: Message = { event: DELIVERED_EXAMPLE, receipt: RECEIPT, attempt: 1 };

const RESULTS: Response = {
  description: "What became of each receipt.",
  content: json("ReceiptResults", { ok: { results: [{ receipt: RECEIPT, status: "ok" }] } }),
};

const failuresOfReceipts = ["invalid_json", "invalid_request", "not_found", "payload_too_large"] as const;

export const QUEUE_OPERATIONS = {
  messages: {
    tag: "queues",
    summary: "Take messages from a queue.",
    description: "What is taken is hidden for a while, then it comes again unless it is acknowledged.",
    parameters: [
      query(
        "wait",
        { type: "number", minimum: 0, maximum: MAX_POLL_SECONDS, default: 0 },
        "How long to be held until there is a message, in seconds.",
      ),
      query("max", { type: "integer", minimum: 1, maximum: MAX_MESSAGES, default: MAX_MESSAGES }, "How many at most."),
      query(
        "visibility",
        { type: "integer", minimum: 1, maximum: MAX_VISIBILITY_SECONDS },
        "For how many seconds they are hidden; else the target's.",
      ),
    ],
    answers: {
      200: {
        description: "The messages; none when there are none.",
        content: {
          "application/json": {
            schema: { anyOf: [ref("Messages"), ref("CloudEventMessages")] },
            examples: {
              events: { value: { messages: [MESSAGE] } },
              cloudevents: { value: { messages: [{ ...MESSAGE, event: toCloudEvent(DELIVERED_EXAMPLE) }] } },
            },
          },
        },
      },
    },
    failures: ["invalid_request", "not_found"],
  },
  ack: {
    tag: "queues",
    summary: "They are done.",
    requestBody: { required: true, content: json("Acknowledgement", { one: { receipts: [RECEIPT] } }) },
    answers: { 200: RESULTS },
    failures: failuresOfReceipts,
  },
  nack: {
    tag: "queues",
    summary: "They come again, at once or after a while.",
    requestBody: {
      required: true,
      content: json("Return", { later: { receipts: [RECEIPT], delay: 5, reason: "the model is overloaded" } }),
    },
    answers: { 200: RESULTS },
    failures: failuresOfReceipts,
  },
  extend: {
    tag: "queues",
    summary: "They stay hidden for longer.",
    requestBody: { required: true, content: json("Extension", { minute: { receipts: [RECEIPT], visibility: 60 } }) },
    answers: { 200: RESULTS },
    failures: failuresOfReceipts,
  },
} as const satisfies Partial<Record<Operation, OperationDescription>>;
