import type { Context, SQSRecord } from "aws-lambda";
import { afterEach, describe, expect, it, vi } from "vitest";
import * as deadLetters from "../../../functions/dead-letters.ts";
import * as deliverWebhook from "../../../functions/deliver-webhook.ts";
import * as dispatch from "../../../functions/dispatch.ts";
import * as emit from "../../../functions/emit.ts";
import * as request from "../../../functions/request.ts";
import * as respond from "../../../functions/respond.ts";
import type { Handle, HttpRequest } from "../../../functions/runtime/http.ts";
import { ofInvocation } from "../../../functions/runtime/lambda.ts";
import { jsonLogger } from "../../../functions/runtime/logger.ts";
import type { Metrics } from "../../../functions/runtime/metrics.ts";
import { eachMessage } from "../../../functions/runtime/sqs-batch.ts";
import { openAgent } from "../../../shared/agents/agent.ts";
import { BusError } from "../../../shared/errors.ts";
import { workLogger } from "../../../shared/log.ts";
import type { Deps } from "../../../shared/ports.ts";
import { busInMemory } from "../../support/bus-in-memory.ts";
import { deliveredEvent } from "../../support/delivered-event.ts";

const TRACE_ID = "0af7651916cd43dd8448eb211c80319c";
const SECRETS = { authorization: "Bearer aeb_planner_topsecret", "x-note": "topsecret", cookie: "topsecret" };
const metrics: Metrics = { add: () => undefined, write: async () => undefined };
const UNAVAILABLE = new BusError("unavailable", "The store is away.", { cause: new Error("ThrottlingException") });

afterEach(() => vi.restoreAllMocks());

/** The records that are written to standard output from here on. */
function records(): Record<string, unknown>[] {
  const written: Record<string, unknown>[] = [];
  vi.spyOn(process.stdout, "write").mockImplementation((chunk) => {
    for (const line of String(chunk).trimEnd().split("\n")) written.push(JSON.parse(line));
    return true;
  });
  return written;
}

const invocation = { functionName: "AgentEventBus-emit", awsRequestId: "9c1f" } as Context;

/** The dependencies of one call on AWS, on a store in memory. */
const logging = (change: Partial<Deps> = {}, level: "info" | "debug" = "info"): Deps =>
  ofInvocation({ ...busInMemory().deps, ...change, log: jsonLogger(level) }, invocation);

function call(method: string, path: string, body: object, headers: Record<string, string> = {}): HttpRequest {
  return {
    method,
    path,
    query: new URLSearchParams(),
    headers: { "content-type": "application/json", ...SECRETS, ...headers },
    body: new TextEncoder().encode(JSON.stringify(body)),
    agent: openAgent("planner"),
    signal: new AbortController().signal,
    gone: new AbortController().signal,
    canStream: true,
    remainingMs: () => 60_000,
  };
}

const aMessage = (body: object): SQSRecord =>
  ({ messageId: "m-1", body: JSON.stringify(body), attributes: { ApproximateReceiveCount: "2" } }) as SQSRecord;

/** The store with other methods in place of its own. */
const changed = (store: Deps["store"], methods: Partial<Deps["store"]>): Deps["store"] =>
  Object.assign(Object.create(store), methods);

const failingStore = (method: keyof Deps["store"]): Partial<Deps> => ({
  store: changed(busInMemory().deps.store, { [method]: () => Promise.reject(UNAVAILABLE) }),
});

describe("the record of a call that failed", () => {
  it("says when, where, by whom and of which event, conversation and trace, although nobody handed these on", async () => {
    const written = records();
    const body = { type: "MESSAGE_RECEIVED", data: { text: "topsecret" }, correlation_id: "case-7" };
    const headers = { traceparent: `00-${TRACE_ID}-b7ad6b7169203331-01` };
    const response = await emit.handle(call("POST", "/events", body, headers), logging(failingStore("putEvent")));
    expect(response.status).toBe(503);
    expect(written).toEqual([
      {
        level: "error",
        message: "an operation failed",
        time: expect.stringMatching(/^\d{4}-.*Z$/),
        function: "AgentEventBus-emit",
        request_id: "9c1f",
        operation: "emit",
        agent: "planner",
        event_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
        event_type: "MESSAGE_RECEIVED",
        correlation_id: "case-7",
        trace_id: TRACE_ID,
        status: 503,
        code: "unavailable",
        error: expect.stringContaining("ThrottlingException"),
      },
    ]);
  });

  it("takes over the trace and the conversation of what led to the event", async () => {
    const bus = busInMemory();
    const deps = { ...bus.deps, log: jsonLogger("info") };
    const parent = { type: "MESSAGE_RECEIVED", data: {} };
    const headers = { traceparent: `00-${TRACE_ID}-b7ad6b7169203331-01` };
    const first = JSON.parse(String((await emit.handle(call("POST", "/events", parent, headers), deps)).body));
    const written = records();
    const failing = { ...deps, store: changed(deps.store, { putEvent: () => Promise.reject(UNAVAILABLE) }) };
    await emit.handle(call("POST", "/events", { ...parent, causation_id: first.event_id }), failing);
    expect(written).toMatchObject([{ trace_id: TRACE_ID, correlation_id: first.correlation_id }]);
  });

  it("has the event of the path, for an answer", async () => {
    const written = records();
    const body = { response: { text: "topsecret" }, reply_token: "topsecret" };
    await respond.handle(call("POST", "/events/e-1/responses", body), logging(failingStore("getRequest")));
    expect(written).toMatchObject([{ operation: "respond", event_id: "e-1", agent: "planner", code: "unavailable" }]);
  });

  it("of a batch has the ids of the one event that failed, and its place", async () => {
    const written = records();
    const { deps } = busInMemory();
    let puts = 0;
    const putEvent: Deps["store"]["putEvent"] = (record) =>
      ++puts === 2 ? Promise.reject(new TypeError("boom")) : deps.store.putEvent(record);
    const events = ["a", "b", "c"].map((correlation_id) => ({ type: "MESSAGE_RECEIVED", data: {}, correlation_id }));
    const store = changed(deps.store, { putEvent });
    await emit.handle(call("POST", "/events", { events }), { ...deps, store, log: jsonLogger("info") });
    expect(written).toMatchObject([{ batch_index: 1, correlation_id: "b", event_type: "MESSAGE_RECEIVED" }]);
  });
});

describe("what is logged at all", () => {
  const unknownEvent = call("POST", "/events/e-1/responses", { response: {}, reply_token: "topsecret" });
  const tooOften: Handle = async (incoming, deps) => {
    const getRequest = () => Promise.reject(new BusError("rate_limited", "slow down"));
    const store = changed(deps.store, { getRequest });
    return respond.handle(incoming, { ...deps, store });
  };

  it("is nothing for what goes well, or fails by the caller's own fault", async () => {
    const written = records();
    const event = { type: "MESSAGE_RECEIVED", data: {} };
    await emit.handle(call("POST", "/events", event), logging());
    await respond.handle(unknownEvent, logging());
    expect(written).toEqual([]);
  });

  it("is whoever is turned away", async () => {
    const written = records();
    await tooOften(unknownEvent, logging());
    expect(written).toMatchObject([
      { level: "warn", message: "a call was refused", status: 429, code: "rate_limited", agent: "planner" },
    ]);
  });

  it("is each call, if that is wanted, with what came of it", async () => {
    const written = records();
    await emit.handle(call("POST", "/events", { type: "MESSAGE_RECEIVED", data: {} }), logging({}, "debug"));
    await respond.handle(unknownEvent, logging({}, "debug"));
    expect(written).toMatchObject([
      { level: "debug", operation: "emit", status: 202, elapsed_ms: expect.any(Number), event_id: expect.anything() },
      { level: "debug", operation: "respond", status: 404, code: "not_found" },
    ]);
  });

  it("is never a payload, a token, a header or a query", async () => {
    const written = records();
    const asked = { type: "MESSAGE_RECEIVED", data: { text: "topsecret" }, timeout: 0.05, require_subscribers: false };
    const incoming = { ...call("POST", "/requests", asked), query: new URLSearchParams("after=topsecret") };
    for (const level of ["info", "debug"] as const) {
      await request.handle(incoming, logging(failingStore("createRequest"), level));
      await request.handle(incoming, logging({}, level));
      await emit.handle(call("POST", "/events", { type: "topsecret", data: {} }), logging({}, level));
      await respond.handle(unknownEvent, logging({}, level));
    }
    expect(written.map(({ message }) => message)).toContain("an operation failed");
    expect(written.length).toBeGreaterThan(4);
    expect(JSON.stringify(written)).not.toContain("topsecret");
  });
});

describe("the record of a message that comes again", () => {
  const deps = (change: Partial<Deps>) => ({ ...busInMemory().deps, ...change, log: jsonLogger("info") });

  it("says of which event it was, of which conversation and trace", async () => {
    const written = records();
    const traceparent = `00-${TRACE_ID}-b7ad6b7169203331-01`;
    const event = deliveredEvent({ id: "e-1", correlation_id: "case-7", traceparent });
    const away = { ...deps(failingStore("getGeneration")), webhookQueue: { send: async () => undefined } };
    await eachMessage([aMessage(event)], ofInvocation(away, invocation), ({ body }, own) =>
      dispatch.handle(own, JSON.parse(body)),
    );
    expect(written).toMatchObject([
      {
        level: "error",
        message: "a message failed and comes again",
        function: "AgentEventBus-emit",
        request_id: "9c1f",
        message_id: "m-1",
        receives: 2,
        event_id: "e-1",
        correlation_id: "case-7",
        trace_id: TRACE_ID,
      },
    ]);
  });

  it("says of which delivery it was, for a webhook", async () => {
    const written = records();
    const webhooks = { send: async () => Promise.reject(new Error("unused")) };
    const task = { owner: "planner", subscriptionId: "s-1", eventId: "e-1" };
    await eachMessage([aMessage(task)], { ...deps(failingStore("getDelivery")), webhooks }, (_, own) =>
      deliverWebhook.handle(own, task).then(() => undefined),
    );
    expect(written).toMatchObject([{ event_id: "e-1", subscription_id: "s-1", agent: "planner" }]);
  });

  it("says of which event and subscriber it was, for a dead letter", async () => {
    const written = records();
    const letter = aMessage({ detail: deliveredEvent({ id: "e-1" }) });
    const fromQueue = {
      ...letter,
      messageAttributes: {},
      attributes: { ...letter.attributes, DeadLetterQueueSourceArn: "arn:aws:sqs:eu-west-1:1:Bus-agent-reviewer" },
    };
    const away = { ...deps(failingStore("createDelivery")), subscriberPrefix: "Bus-agent-" };
    await eachMessage([fromQueue], away, (record, own) => deadLetters.handle(own, metrics, record));
    expect(written).toMatchObject([{ event_id: "e-1", subscriber: "reviewer" }]);
  });
});

describe("a logger of a piece of work", () => {
  it("keeps what it notes to itself; what a record says itself goes before", () => {
    const written = records();
    const call = workLogger(jsonLogger("info"), { operation: "emit" });
    const [first, second] = [workLogger(call, {}), workLogger(call, {})];
    first.note({ event_id: "e-1", operation: "first" });
    second.info("second");
    first.info("first", { event_id: "e-2" });
    expect(written).toMatchObject([
      { message: "second", operation: "emit" },
      { message: "first", operation: "first", event_id: "e-2" },
    ]);
    expect(written[0]).not.toHaveProperty("event_id");
    expect(call.debug).toBeUndefined();
  });
});
