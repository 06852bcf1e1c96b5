/** Ask and wait: `POST /requests`, `GET` and `DELETE /requests/{event_id}`. */
import { MAX_COUNTED_ANSWERS, MAX_TIMEOUT_SECONDS, MIN_TIMEOUT_SECONDS } from "../limits.ts";
import type { Expect, ResponseStatus } from "../records.ts";
import type { PendingRequest, RequestOutcome, ResponseView } from "../request-outcome.ts";
import type { AcceptedRequest } from "../request-stream.ts";
import type { Operation } from "../routes.ts";
import { EVENT_EXAMPLE, OPTIONAL_SENT_FIELDS, SENT_FIELDS } from "./events.ts";
import {
  type Content,
  eventStream,
  json,
  mediaType,
  type OperationDescription,
  query,
  type Response,
  type ResponseHeader,
} from "./operation.ts";
import { IDEMPOTENCY_KEY, TRACEPARENT } from "./publish.ts";
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
export const RESPONSE_FIELDS: FieldsOf<keyof ResponseView> = {
  response_id: text("The responder's own, or made by the bus."),
  event_id: text("The event that it answers.", { format: "uuid" }),
  response: anyObject("What was answered."),
  timestamp: instant("When it was stored."),
  responder: text("The subscriber it speaks for, else the agent that sent it."),
  status: oneOfWords<ResponseStatus>({ ok: "an answer", rejected: "a rejection", progress: "a report on the way" }),
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
  Response: closed<ResponseView>("An answer.", RESPONSE_FIELDS),
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

const ANSWERED: RequestOutcome = {
  event_id: EVENT_EXAMPLE.id,
  status: "answered",
  response: { note: "hi" },
  responses: [
    {
      response_id: "01976f2a-4ca1-7f00-8a52-93d1c0b7e642",
      event_id: EVENT_EXAMPLE.id,
      response: { note: "hi" },
      timestamp: "2026-01-31T12:00:00.041Z",
      responder: "pong-direct",
      status: "ok",
    },
  ],
  missing: [],
  elapsed_ms: 41,
};

const PENDING: PendingRequest = {
  event_id: EVENT_EXAMPLE.id,
  status: "pending",
  responses: [],
  resume: `/requests/${EVENT_EXAMPLE.id}`,
};

const ACCEPTED: AcceptedRequest = {
  event_id: EVENT_EXAMPLE.id,
  deadline: "2026-01-31T12:00:05.000Z",
  expected: ["pong-direct"],
  resume: `/requests/${EVENT_EXAMPLE.id}`,
};

const STREAM: Content = eventStream(
  "With `Accept: text/event-stream`: `accepted`, then `progress` and `response` as they come, then one `done`. A stream " +
    "that is joined again begins with what has come so far. A comment comes every 15 s.",
  {
    accepted: ref("AcceptedRequest"),
    progress: ref("Response"),
    response: ref("Response"),
    done: { oneOf: [ref("RequestOutcome"), ref("PendingRequest")] },
  },
  [
    `event: accepted\ndata: ${JSON.stringify(ACCEPTED)}\n\n`,
    `event: response\ndata: ${JSON.stringify(ANSWERED.responses[0])}\n\n`,
    `event: done\ndata: ${JSON.stringify(ANSWERED)}\n\n`,
  ].join(""),
);

const LOCATION: ResponseHeader = {
  description: "The path on which the wait goes on.",
  required: true,
  schema: { type: "string", format: "uri-reference" },
};

const GOES_ON: Response = {
  description: "The call was held for as long as it may be, and the wait goes on.",
  headers: { Location: LOCATION },
  content: json("PendingRequest", { pending: PENDING }),
};

const ENDED: Response = {
  description: "The request has ended.",
  content: { ...json("RequestOutcome", { answered: ANSWERED }), ...STREAM },
};

export const ASK_OPERATIONS = {
  request: {
    tag: "ask",
    summary: "Ask, and wait for the answer.",
    description:
      "The call is held until the request has ended, for 55 s at most (a deployment may choose). The same idempotency " +
      "key joins the same wait; its time-out is the first one's.",
    parameters: [IDEMPOTENCY_KEY, TRACEPARENT],
    requestBody: {
      required: true,
      content: {
        "application/json": mediaType(ref("RequestInput"), {
          first: { type: EVENT_EXAMPLE.type, data: EVENT_EXAMPLE.data, timeout: 5 },
          all: {
            type: EVENT_EXAMPLE.type,
            data: EVENT_EXAMPLE.data,
            timeout: 5,
            expect: { mode: "all" },
            require_subscribers: false,
          },
        }),
      },
    },
    answers: { 200: ENDED, 202: GOES_ON },
    failures: [
      "invalid_json",
      "invalid_request",
      "unknown_event_type",
      "schema_violation",
      "loop_detected",
      "payload_too_large",
      "idempotency_conflict",
      "no_subscribers",
    ],
  },
  resume: {
    tag: "ask",
    summary: "Join a wait again.",
    description: "Only the agent that asked can; to others the request does not exist.",
    parameters: [
      query(
        "wait",
        { type: "number", minimum: 0, maximum: MAX_TIMEOUT_SECONDS, default: 0 },
        "How long to be held, in seconds; without it, how things stand is told at once.",
      ),
    ],
    answers: { 200: ENDED, 202: GOES_ON },
    failures: ["invalid_request", "not_found"],
  },
  cancel: {
    tag: "ask",
    summary: "Cancel a request.",
    description: "One that has ended stays as it is. Only the agent that asked can.",
    answers: {
      200: { description: "The request has ended.", content: json("RequestOutcome", { answered: ANSWERED }) },
    },
    failures: ["not_found"],
  },
} as const satisfies Partial<Record<Operation, OperationDescription>>;
