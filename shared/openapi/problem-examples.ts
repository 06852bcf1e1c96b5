/** A failure of each code, made as the bus makes them. */
import { BusError, type ErrorCode, type FieldError, type Problem, toProblem } from "../errors.ts";
import { MAX_EVENT_BYTES, MAX_HOPS } from "../limits.ts";

const aFault = (code: ErrorCode, detail: string, ...errors: FieldError[]): Problem =>
  toProblem(new BusError(code, detail, { errors }));

/** One of each code. */
export const PROBLEM_EXAMPLES: Readonly<Record<ErrorCode, Problem>> = {
  invalid_json: aFault(
    "invalid_json",
    "/data/n: expected a number that a double holds without loss; send it as a string",
    {
      pointer: "/data/n",
      detail: "expected a number that a double holds without loss; send it as a string",
    },
  ),
  unauthenticated: aFault("unauthenticated", "The call is not signed by a known identity."),
  forbidden: aFault("forbidden", "The reply token does not belong to this event.", {
    pointer: "/reply_token",
    detail: "the token of the event's reply_to was expected",
  }),
  not_found: aFault("not_found", "There is no such event."),
  agent_exists: aFault("agent_exists", 'There is an agent "billing" already.', {
    pointer: "/name",
    detail: "the name of no other agent was expected",
  }),
  idempotency_conflict: toProblem(
    new BusError("idempotency_conflict", "This idempotency key was used with another payload.", {
      errors: [{ pointer: "Idempotency-Key", detail: "a fresh key was expected for a new payload" }],
      members: { event_id: "3f2c9a54-7b1e-8c02-9d4f-5a6b7c8d9e0f", timestamp: "2026-01-31T12:00:00.000Z" },
    }),
  ),
  response_conflict: aFault("response_conflict", "This response id was used with another payload.", {
    pointer: "/response_id",
    detail: "a fresh id was expected for a new response",
  }),
  limit_reached: aFault("limit_reached", "ORDER_PLACED has 5000 subscriptions, and may have no more.", {
    pointer: "/event_types",
    detail: "types with room for another subscription were expected",
  }),
  payload_too_large: aFault(
    "payload_too_large",
    `The event has 200123 bytes with its envelope; the limit is ${MAX_EVENT_BYTES}.`,
    { pointer: "/data", detail: "less data was expected: send a link to what is large" },
  ),
  invalid_request: aFault("invalid_request", "/type: this field is missing", {
    pointer: "/type",
    detail: "this field is missing",
  }),
  unknown_event_type: aFault(
    "unknown_event_type",
    'There is no event type "MESSAGE_RECIEVED". Did you mean MESSAGE_RECEIVED? GET /event-types lists all.',
    { pointer: "/type", detail: "a name of the catalogue was expected" },
  ),
  schema_violation: aFault("schema_violation", "data does not fit ORDER_PLACED: /data/total: a number was expected", {
    pointer: "/data/total",
    detail: "a number was expected",
  }),
  loop_detected: aFault(
    "loop_detected",
    `This event would be ${MAX_HOPS + 1} hops from the first of its chain; the limit is ${MAX_HOPS}.`,
    { pointer: "/causation_id", detail: `an event of at most ${MAX_HOPS - 1} hops was expected` },
  ),
  no_subscribers: aFault(
    "no_subscribers",
    'Nobody who could answer subscribes to SESSION_UPDATED. "require_subscribers": false waits all the same.',
  ),
  rate_limited: toProblem(
    new BusError(
      "rate_limited",
      "An agent may make 500 calls a second, and 5000 at once; some count for several. This one is served in 1.4 s.",
      { retryAfterMs: 1_400 },
    ),
  ),
  internal: aFault("internal", "Retry with the same idempotency key."),
  overloaded: aFault("overloaded", "128 such calls are under way, as many as this bus takes on at once."),
  unavailable: aFault("unavailable", "The store did not answer."),
};
