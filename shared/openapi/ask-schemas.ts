/** A question, its wait and its answers. */
import { MAX_COUNTED_ANSWERS, MAX_TIMEOUT_SECONDS, MIN_TIMEOUT_SECONDS } from "../limits.ts";
import type { Expect, ResponseStatus } from "../records.ts";
import type { PendingRequest, RequestOutcome, ResponseView } from "../request-outcome.ts";
import type { AcceptedRequest } from "../request-stream.ts";
import { OPTIONAL_SENT_FIELDS, SENT_FIELDS } from "./events.ts";
import {
  anyObject,
  closed,
  closedObject,
  type FieldsOf,
  flag,
  instant,
  type JsonSchema,
  listOf,
  oneOfWords,
  ref,
  text,
  whole,
} from "./schema.ts";

type ExpectOf<Mode extends Expect["mode"]> = Extract<Expect, { mode: Mode }>;

const EXPECT: JsonSchema = {
  description: "Which answers end the wait.",
  oneOf: [
    closed<ExpectOf<"first">>("The first.", { mode: { const: "first" } }),
    closed<ExpectOf<"count">>("So many.", {
      mode: { const: "count" },
      count: whole("", 1, { maximum: MAX_COUNTED_ANSWERS }),
    }),
    closed<ExpectOf<"all">>("Those of all who can answer now.", { mode: { const: "all" } }),
  ],
};

/** An answer, wherever it is shown. */
export const RESPONSE_FIELDS: FieldsOf<Exclude<keyof ResponseView, "traceparent">> = {
  response_id: text("The responder's own, or made by the bus."),
  event_id: text("The event that it answers.", { format: "uuid" }),
  response: anyObject("What was answered."),
  timestamp: instant("When it was stored."),
  responder: text("The subscriber it speaks for, else the agent that sent it."),
  status: oneOfWords<ResponseStatus>({ ok: "an answer", rejected: "a rejection", progress: "a report on the way" }),
};

/** What may stand beside it. */
export const RESPONSE_MAYBE: FieldsOf<"traceparent"> = {
  traceparent: text("W3C trace context of who answered, if the answer came with one."),
};

const RESUME = text("The path on which the same wait goes on.", {
  format: "uri-reference",
  pattern: "^/requests/[^/]+$",
});

const RESPONSES = listOf(ref("Response"), { description: "All that count, oldest first." });

export const ASK_SCHEMAS: Readonly<Record<string, JsonSchema>> = {
  Expect: EXPECT,
  RequestInput: closedObject(
    "A question: an event whose sender waits.",
    {
      ...SENT_FIELDS,
      timeout: {
        type: "number",
        description: "How long to wait, in seconds.",
        minimum: MIN_TIMEOUT_SECONDS,
        maximum: MAX_TIMEOUT_SECONDS,
      },
    },
    {
      ...OPTIONAL_SENT_FIELDS,
      expect: ref("Expect"),
      require_subscribers: flag("False: wait although nobody who could answer is there.", { default: true }),
    },
  ),
  Response: closed<ResponseView>("An answer.", RESPONSE_FIELDS, RESPONSE_MAYBE),
  RequestOutcome: closed<RequestOutcome>("How a wait ended.", {
    event_id: text("", { format: "uuid" }),
    status: oneOfWords<RequestOutcome["status"]>({
      answered: "it has the answers that it wanted",
      timed_out: "its time was up",
      cancelled: "it was cancelled",
      failed: "the first answer was a rejection",
    }),
    response: {
      type: ["object", "null"],
      description: "The answer that decided, the first of several; null when none did.",
    },
    responses: RESPONSES,
    missing: listOf(text(""), { description: "Who was expected and had not answered when it ended unanswered." }),
    elapsed_ms: whole("From the question to the end, in milliseconds.", 0),
  }),
  PendingRequest: closed<PendingRequest>("A wait that goes on.", {
    event_id: text("", { format: "uuid" }),
    status: { const: "pending" },
    responses: RESPONSES,
    resume: RESUME,
  }),
  AcceptedRequest: closed<AcceptedRequest>("The first event of a wait that is streamed.", {
    event_id: text("", { format: "uuid" }),
    deadline: instant("When its time is up."),
    expected: listOf(text(""), { description: "Who could answer when the request was made." }),
    resume: RESUME,
  }),
};
