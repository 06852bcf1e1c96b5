/** Ask and wait: `POST /requests`, `GET` and `DELETE /requests/{event_id}`. */
import { MAX_TIMEOUT_SECONDS } from "../limits.ts";
import type { PendingRequest, RequestOutcome } from "../request-outcome.ts";
import type { AcceptedRequest } from "../request-stream.ts";
import type { Operation } from "../routes.ts";
import { EVENT_EXAMPLE } from "./events.ts";
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
import { ref } from "./schema.ts";

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
