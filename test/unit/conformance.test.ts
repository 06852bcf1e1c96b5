/** The checker itself: it has to see what is not as the document says, or all that it checks proves nothing. */
import { describe, expect, it } from "vitest";
import { type Call, faultsOf } from "../support/conformance.ts";

const RECEIPT = {
  event_id: "01976f2a-4c7e-7d3b-9a61-2f8e5b0c4d11",
  type: "MESSAGE_RECEIVED",
  timestamp: "2026-01-31T12:00:00.000Z",
  correlation_id: "01976f2a-4c7e-7d3b-9a61-2f8e5b0c4d11",
  published: true,
  replayed: false,
};

const PROBLEM = {
  type: "urn:agent-event-bus:error:invalid_request",
  title: "The request has an invalid field",
  status: 422,
  detail: "/type: this field is missing",
  code: "invalid_request",
  retryable: false,
};

const JSON_TYPE = { "content-type": "application/json; charset=utf-8" };
const PROBLEM_TYPE = { "content-type": "application/problem+json; charset=utf-8" };

interface Answer {
  readonly status?: number;
  readonly headers?: Record<string, string>;
  readonly body?: unknown;
}

function aCall(
  method: string,
  path: string,
  { status = 200, headers = JSON_TYPE, body = "" }: Answer = {},
  asked: Pick<Call, "requestBody" | "requestHeaders"> = {},
): Call {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return { method, path, ...asked, status, headers: new Headers(headers), text };
}

const emitted = (body: object, answer: Answer = {}): Call =>
  aCall("POST", "/events", { status: 202, body, ...answer }, { requestBody: { type: RECEIPT.type, data: {} } });

describe("a call that is as documented has no fault", () => {
  it.each<[string, Call]>([
    ["an event", emitted(RECEIPT)],
    [
      "a field of a request that is not sent, for it has no value",
      { ...emitted(RECEIPT), requestBody: { type: RECEIPT.type, data: {}, agent_type: undefined } },
    ],
    ["a path with a slash at its end", { ...emitted(RECEIPT), path: "/events/" }],
    ["a failure", emitted(PROBLEM, { status: 422, headers: PROBLEM_TYPE })],
    ["a body that is empty", aCall("DELETE", "/subscriptions/some-id", { status: 204, headers: {} })],
    [
      "a query",
      aCall("GET", "/events?limit=5&order=asc", {
        body: { events: [], next_cursor: null, as_of: "2026-06-01T12:00:00.000Z" },
      }),
    ],
    [
      "a stream",
      aCall("GET", "/events/stream", { headers: { "content-type": "text/event-stream" }, body: "id: a.b\n\n: hi\n\n" }),
    ],
    [
      "what is not served",
      aCall("GET", "/nothing", {
        status: 404,
        headers: PROBLEM_TYPE,
        body: { ...PROBLEM, type: "urn:agent-event-bus:error:not_found", status: 404, code: "not_found" },
      }),
    ],
    [
      "a batch of which a part was refused, whatever that part was",
      aCall(
        "POST",
        "/events",
        { status: 202, body: { events: [RECEIPT, { error: PROBLEM }], accepted: 1, rejected: 1 } },
        { requestBody: { events: [{ type: RECEIPT.type, data: {} }, { data: 1 }] } },
      ),
    ],
    [
      "the data of a CloudEvent in binary mode",
      { ...emitted(RECEIPT), requestBody: { text: "hi" }, requestHeaders: { "Ce-Id": "1" } },
    ],
  ])("%s", (_what, call) => {
    expect(faultsOf(call)).toEqual([]);
  });
});

describe("what is not documented is a fault", () => {
  it.each<[string, Call, string]>([
    ["a field", emitted({ ...RECEIPT, extra: 1 }), "must NOT have additional properties"],
    ["a field that is not there", emitted({ ...RECEIPT, published: undefined }), "required property 'published'"],
    ["a value of another type", emitted({ ...RECEIPT, published: "yes" }), "/published must be boolean"],
    [
      "a time without milliseconds",
      emitted({ ...RECEIPT, timestamp: "2026-01-31T12:00:00Z" }),
      "/timestamp must match",
    ],
    ["a field of a failure", emitted({ ...PROBLEM, cause: "x" }, { status: 422, headers: PROBLEM_TYPE }), "additional"],
    [
      "a code at a status that is not its own",
      emitted({ ...PROBLEM, code: "not_found" }, { status: 422, headers: PROBLEM_TYPE }),
      "/code must be equal to one of the allowed values",
    ],
    [
      "a code that this operation does not have",
      aCall("GET", "/deliveries", { status: 422, headers: PROBLEM_TYPE, body: { ...PROBLEM, code: "loop_detected" } }),
      "/code must be equal to one of the allowed values",
    ],
    ["a status", emitted(RECEIPT, { status: 201 }), "201 is not documented"],
    ["a media type", emitted(RECEIPT, { headers: { "content-type": "text/plain" } }), '"text/plain" is not documented'],
    ["no media type at all", emitted(RECEIPT, { headers: {} }), '"" is not documented'],
    ["a problem that does not say so", emitted(PROBLEM, { status: 422 }), '"application/json" is not documented'],
    ["a body where there is none", aCall("DELETE", "/subscriptions/x", { status: 204, body: {} }), "a body is not"],
    ["a text that is no JSON", aCall("GET", "/health", { body: "ok" }), "no JSON"],
    [
      "a header that is missing",
      aCall("GET", "/requests/x", {
        status: 202,
        body: { event_id: RECEIPT.event_id, status: "pending", responses: [], resume: "/requests/x" },
      }),
      "the header Location is missing",
    ],
    [
      "a retryable failure that does not say when to come back",
      aCall("GET", "/health", {
        status: 503,
        headers: PROBLEM_TYPE,
        body: {
          ...PROBLEM,
          type: "urn:agent-event-bus:error:unavailable",
          status: 503,
          code: "unavailable",
          retryable: true,
        },
      }),
      "no Retry-After",
    ],
    [
      "an event of a stream",
      aCall("GET", "/requests/x", {
        headers: { "content-type": "text/event-stream" },
        body: 'event: accepted\ndata: {"event_id":"x"}\n\nevent: gossip\ndata: {}\n\n',
      }),
      'the event "gossip" is not documented',
    ],
    [
      "the data of a stream's event",
      aCall("GET", "/events/stream", {
        headers: { "content-type": "text/event-stream" },
        body: `data: ${JSON.stringify({ id: RECEIPT.event_id })}\n\n`,
      }),
      "required property 'reply_to'",
    ],
    ["a query that was taken", aCall("GET", "/health?verbose=1", { body: { status: "ok" } }), '"verbose"'],
    [
      "a value of a query",
      aCall("GET", "/events?limit=0", { body: { events: [], next_cursor: null, as_of: "2026-06-01T12:00:00.000Z" } }),
      '"limit"',
    ],
    [
      "a field of a request that was taken",
      { ...emitted(RECEIPT), requestBody: { type: RECEIPT.type, data: {}, priority: 1 } },
      'the request: the whole must NOT have additional properties ("priority")',
    ],
    [
      "a request as text",
      { ...emitted(RECEIPT), requestBody: '{"type": "MESSAGE_RECEIVED"}' },
      "the request: the whole must have required property 'data'",
    ],
    [
      "a type that is not in the catalogue",
      { ...emitted(RECEIPT), requestBody: { type: "X", data: {} } },
      "/type must",
    ],
    [
      "a body that was taken where there is none",
      aCall("GET", "/health", { body: { status: "ok" } }, { requestBody: {} }),
      "a body was taken",
    ],
    ["an answer on a path that nobody serves", aCall("GET", "/nothing", { body: {} }), "200 is not documented"],
    ["an answer to a method that nobody serves", aCall("PUT", "/events", { status: 202, body: RECEIPT }), "202 is not"],
  ])("%s", (_what, call, fault) => {
    const faults = faultsOf(call);
    expect(faults).not.toEqual([]);
    expect(faults.join("\n")).toContain(fault);
    expect(faults[0]).toContain(`${call.method} ${call.path.split("?")[0]} (${call.status}): `);
  });
});
