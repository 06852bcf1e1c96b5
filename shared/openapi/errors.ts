/** How failures look: one problem document (RFC 9457), one response a status. */
import { ERROR_KINDS, type ErrorCode, type FieldError, type Problem } from "../errors.ts";
import { type MediaType, mediaType, type Response, type ResponseHeader } from "./operation.ts";
import { PROBLEM_EXAMPLES } from "./problem-examples.ts";
import { closed, flag, instant, type JsonSchema, listOf, oneOfWords, ref, text } from "./schema.ts";

/** What any operation may answer: the first two come from what stands before it. */
const EVERYWHERE: readonly ErrorCode[] = [
  "unauthenticated",
  "forbidden",
  "rate_limited",
  "internal",
  "overloaded",
  "unavailable",
];

/** When each code is told. */
const WHEN: Readonly<Record<ErrorCode, string>> = {
  invalid_json:
    "not UTF-8, not JSON, a key twice or `__proto__`, deeper than 32, a number or a text that would not come back as it was",
  unauthenticated: "no identity: no signature, or no agent key that is valid",
  forbidden:
    "no permission, by IAM or by the agent's policy; an answer in another's name; a wrong reply token; a page of another site",
  not_found: "there is no such thing, or it is another agent's",
  agent_exists: "there is an agent of this name, or there was one whose events are still kept",
  idempotency_conflict: "the key was used with another payload; `event_id` and `timestamp` say for what",
  response_conflict: "the response id was used with another payload",
  limit_reached: "the agent, or the event type, has as many subscriptions as it may have",
  payload_too_large: "an event or an answer over 192 KiB, a progress report over 16 KiB, a body over 5 MiB",
  invalid_request: "a field is missing, unknown, of the wrong type or out of range",
  unknown_event_type: "it is not in the catalogue; `detail` names the nearest",
  schema_violation: "`data` does not fit the type's schema",
  loop_detected: "over 16 hops, or the conversation's budget is spent",
  no_subscribers: "a request that nobody can answer",
  rate_limited: "too many calls, or too many of these; `retryable` says whether waiting helps",
  internal: "something failed that was not foreseen; the outcome is unknown; safe to retry with the same key",
  overloaded: "more calls are under way than can be served; nothing was done",
  unavailable: "something failed; the outcome is unknown; safe to retry with the same key, unless `retryable` is false",
};

const PROBLEM_FIELDS = closed<Problem>(
  "What went wrong, as RFC 9457 has it, with the bus's own members.",
  {
    type: text("`urn:agent-event-bus:error:` and the code.", {
      format: "uri",
      pattern: "^urn:agent-event-bus:error:[a-z_]+$",
    }),
    title: text("The code in words."),
    status: { type: "integer", enum: [...new Set(Object.values(ERROR_KINDS).map(({ status }) => status))] },
    detail: text("This case in words."),
    code: oneOfWords(WHEN),
    retryable: flag("Whether the same call may succeed later."),
  },
  {
    errors: listOf(
      closed<FieldError>("", {
        pointer: text(
          "JSON pointer (RFC 6901) into the body; a header by its name; a query or path parameter as `/<name>`.",
        ),
        detail: text("What was expected there."),
      }),
      { minItems: 1, description: "The faults of the input." },
    ),
    retry_after_ms: {
      type: "integer",
      minimum: 1,
      description: "How long to wait before the same call; `Retry-After` is the same in whole seconds.",
    },
    event_id: text("With `idempotency_conflict`: the event that the key stands for."),
    timestamp: instant("With `idempotency_conflict`: when the bus accepted that event."),
  },
);

const RETRY_AFTER: ResponseHeader = {
  description: "Seconds after which the same call can be tried again; with every failure whose `retryable` is true.",
  schema: { type: "integer", minimum: 1 },
};

export const ERROR_SCHEMAS: Readonly<Record<string, JsonSchema>> = { Problem: PROBLEM_FIELDS };

/** The failures of an operation by status, those that every operation has among them: references to components. */
export function problemReferences(own: readonly ErrorCode[]): Record<string, { readonly $ref: string }> {
  return Object.fromEntries(
    groupsOf(own).map(({ status, codes }) => [String(status), { $ref: `#/components/responses/${nameOf(codes)}` }]),
  );
}

/** The components that these refer to. */
export function problemResponses(own: readonly ErrorCode[]): Record<string, Response> {
  return Object.fromEntries(groupsOf(own).map(({ codes }) => [nameOf(codes), problemResponse(codes)]));
}

/** One response a status, whatever codes it may have. */
function groupsOf(own: readonly ErrorCode[]): { readonly status: number; readonly codes: readonly ErrorCode[] }[] {
  const codes = [...own, ...EVERYWHERE.filter((code) => !own.includes(code))];
  const statuses = [...new Set(codes.map((code) => ERROR_KINDS[code].status))].sort((a, b) => a - b);
  return statuses.map((status) => ({ status, codes: codes.filter((code) => ERROR_KINDS[code].status === status) }));
}

const nameOf = (codes: readonly ErrorCode[]): string => codes.join(".");

function problemResponse(codes: readonly ErrorCode[]): Response {
  const kinds = codes.map((code) => ERROR_KINDS[code]);
  return {
    description: codes.map((code) => `\`${code}\`: ${WHEN[code]}.`).join("\n"),
    ...(kinds.some(({ retryable }) => retryable) ? { headers: { "Retry-After": RETRY_AFTER } } : {}),
    content: { "application/problem+json": problemOf(codes) },
  };
}

function problemOf(codes: readonly ErrorCode[]): MediaType {
  const statuses = [...new Set(codes.map((code) => ERROR_KINDS[code].status))];
  return mediaType(
    { ...ref("Problem"), type: "object", properties: { status: { enum: statuses }, code: { enum: codes } } },
    Object.fromEntries(codes.map((code) => [code, PROBLEM_EXAMPLES[code]])),
  );
}
