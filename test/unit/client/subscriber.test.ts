import { afterEach, describe, expect, it, vi } from "vitest";
import { AgentEventBus } from "../../../client/agent-event-bus.ts";
import type { SubscriberContext } from "../../../client/context.ts";
import { RejectedError } from "../../../client/errors.ts";
import { subscriber, type SubscriberCallback, type SubscriberOptions } from "../../../client/subscriber.ts";
import { type DeliveredEvent, EVENT_SOURCE } from "../../../shared/event.ts";
import type { BuiltInEventTypes } from "../../../shared/event-types/catalogue.ts";
import { derivedId } from "../../../shared/hash.ts";
import type { Logger } from "../../../shared/ports.ts";
import { answered, delivered, later, type PlayedBus, type PlayedCall, playBus, QUICK, receiptFor, sendJson, sendProblem } from "./played-bus.ts";

const direct = (event: DeliveredEvent): object => ({ version: "0", source: EVENT_SOURCE, "detail-type": event.type, detail: event });

const queued = (...messages: { id: string; body: string; receives?: number }[]): object => ({
  Records: messages.map(({ id, body, receives = 1 }) => ({
    messageId: id,
    body,
    attributes: { ApproximateReceiveCount: String(receives) },
    eventSource: "aws:sqs",
  })),
});
const message = (event: DeliveredEvent, receives = 1) => ({ id: `m-${event.id}`, body: JSON.stringify(direct(event)), receives });
const inMs = (ms: number): string => new Date(Date.now() + ms).toISOString();

interface Line {
  readonly level: string;
  readonly message: string;
  readonly fields: Record<string, unknown>;
}

/** A handler over a played bus that takes every answer unless the test says otherwise. */
async function setUp(callback: SubscriberCallback<BuiltInEventTypes, never>, options: Partial<SubscriberOptions> = {}, onCall?: (call: PlayedCall) => [number, object] | undefined) {
  const played = await playBus((call, reply) => {
    const [status, body] = onCall?.(call) ?? [200, call.path === "/events" ? receiptFor(call) : { event_id: "e", response_id: "r", verdict: "accepted", timestamp: "t" }];
    if (status >= 400) sendProblem(reply, status, (body as { code: string }).code);
    else sendJson(reply, status, body);
  });
  const lines: Line[] = [];
  const note = (level: string) => (text: string, fields: Record<string, unknown> = {}) => void lines.push({ level, message: text, fields });
  const log: Logger = { info: note("info"), warn: note("warn"), error: note("error") };
  const handler = subscriber(callback, { name: "librarian", bus: new AgentEventBus({ url: played.url, retry: QUICK }), log, ...options });
  return { handler, lines, answers: () => answersOf(played), calls: played.calls };
}

const answersOf = ({ calls }: Pick<PlayedBus, "calls">) =>
  calls.filter((call) => call.path.endsWith("/responses")).map(({ path, query, body }) => ({ path, as: query.get("as"), status: body.status, response: body.response, token: body.reply_token, id: body.response_id }));

afterEach(() => vi.unstubAllEnvs());

describe("subscriber() called by EventBridge, against a server that plays the bus", () => {
  it("answers with what the callback returns, under its own name and an id of (subscriber, event)", async () => {
    const { handler, answers } = await setUp(async (event) => ({ about: event.data.topic ?? null }));
    await expect(handler(direct(delivered("e-1")))).resolves.toBeUndefined();
    await handler(direct(delivered("e-1")));
    const answer = { path: "/events/e-1/responses", as: "librarian", status: "ok", response: { about: "weather" }, token: "token-of-e-1", id: await derivedId("response", "librarian", "e-1") };
    expect(answers()).toEqual([answer, answer]);
  });

  it("does not answer when the callback returns nothing", async () => {
    const { handler, calls } = await setUp(() => undefined);
    await handler(direct(delivered("e-1")));
    expect(calls).toEqual([]);
  });

  it("drops what is past its deadline without running the callback", async () => {
    const callback = vi.fn(() => ({}));
    const { handler, calls, lines } = await setUp(callback);
    await expect(handler(direct(delivered("e-1", { deadline: inMs(-1) })))).resolves.toBeUndefined();
    expect(callback).not.toHaveBeenCalled();
    expect(calls).toEqual([]);
    expect(lines).toMatchObject([{ level: "info", fields: { event_id: "e-1" } }]);
  });

  it("tells a thrown error as rejected and throws it on, so that the failure is recorded", async () => {
    const error = new TypeError("no such topic");
    const { handler, answers } = await setUp(() => {
      throw error;
    });
    await expect(handler(direct(delivered("e-1")))).rejects.toBe(error);
    expect(answers()).toMatchObject([{ status: "rejected", response: { error: { name: "TypeError", message: "no such topic" } }, id: await derivedId("response", "librarian", "e-1") }]);
  });

  it("tells a RejectedError as rejected and is done with the event", async () => {
    const { handler, answers } = await setUp(async () => {
      throw new RejectedError("not mine");
    });
    await expect(handler(direct(delivered("e-1")))).resolves.toBeUndefined();
    expect(answers()).toMatchObject([{ status: "rejected", response: { error: { name: "RejectedError", message: "not mine" } } }]);
  });

  it.each([["a string", "text"], ["an array", [1]], ["null", null]])("refuses %s as an answer", async (what, value) => {
    const { handler, answers } = await setUp(() => value as never);
    await expect(handler(direct(delivered("e-1")))).rejects.toThrow(`not with ${what}`);
    expect(answers()).toMatchObject([{ status: "rejected", response: { error: { name: "TypeError" } } }]);
  });

  it("fails when its answer cannot be sent, and tries to send it more than once", async () => {
    const { handler, answers } = await setUp(() => ({}), {}, () => [503, { code: "unavailable" }]);
    await expect(handler(direct(delivered("e-1")))).rejects.toMatchObject({ code: "unavailable" });
    expect(answers()).toHaveLength(QUICK.tries);
    expect(new Set(answers().map((one) => one.id)).size).toBe(1);
  });

  it("takes an answer that an earlier delivery gave for given", async () => {
    const { handler } = await setUp(() => ({ other: Math.random() }), {}, () => [409, { code: "response_conflict" }]);
    await expect(handler(direct(delivered("e-1")))).resolves.toBeUndefined();
  });

  it.each([
    ["no detail", {}],
    ["no id", { detail: { type: "X" } }],
    ["no reply_to", { detail: { ...delivered("e-1"), reply_to: undefined } }],
    ["nothing", null],
  ])("fails on an input with %s, with one clear line", async (_, input) => {
    const { handler, lines } = await setUp(() => ({}));
    await expect(handler(input)).rejects.toThrow(/has no/);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatchObject({ level: "error", fields: { error: expect.stringMatching(/has no/) } });
  });
});

describe("subscriber() called by a queue, against a server that plays the bus", () => {
  it("reports exactly what failed, and works on a batch at once", async () => {
    const gate = later();
    let running = 0;
    const { handler, answers } = await setUp(async (event) => {
      if (++running === 3) gate.resolve();
      await gate.promise;
      if (event.id === "e-2") throw new Error("not now");
      return { id: event.id };
    });
    const result = await handler(queued(message(delivered("e-1")), message(delivered("e-2")), message(delivered("e-3"))));
    expect(result).toEqual({ batchItemFailures: [{ itemIdentifier: "m-e-2" }] });
    expect(answers().map((one) => one.path).sort()).toEqual(["/events/e-1/responses", "/events/e-3/responses"]);
  });

  it("says nothing of an error before the last receive, and tells it as rejected with the last", async () => {
    const { handler, answers } = await setUp(
      () => {
        throw new Error("broken");
      },
      { maxReceives: 3 },
    );
    const failures = { batchItemFailures: [{ itemIdentifier: "m-e-1" }] };
    expect(await handler(queued(message(delivered("e-1"), 1)))).toEqual(failures);
    expect(await handler(queued(message(delivered("e-1"), 2)))).toEqual(failures);
    expect(answers()).toEqual([]);
    expect(await handler(queued(message(delivered("e-1"), 3)))).toEqual(failures);
    expect(answers()).toMatchObject([{ status: "rejected", response: { error: { name: "Error", message: "broken" } } }]);
  });

  it("is done with a RejectedError at the first receive", async () => {
    const { handler, answers } = await setUp(() => Promise.reject(new RejectedError("not mine")), { maxReceives: 3 });
    expect(await handler(queued(message(delivered("e-1"))))).toEqual({ batchItemFailures: [] });
    expect(answers()).toMatchObject([{ status: "rejected" }]);
  });

  it("reports a message whose answer could not be sent", async () => {
    const { handler } = await setUp(() => ({}), {}, (call) => (call.path.includes("e-2") ? [503, { code: "unavailable" }] : undefined));
    expect(await handler(queued(message(delivered("e-1")), message(delivered("e-2"))))).toEqual({ batchItemFailures: [{ itemIdentifier: "m-e-2" }] });
  });

  it("drops what is past its deadline as done", async () => {
    const { handler } = await setUp(() => ({}));
    expect(await handler(queued(message(delivered("e-1", { deadline: inMs(-1000) }))))).toEqual({ batchItemFailures: [] });
  });

  it("reports messages that cannot be read, with one line each and none of their contents, and handles the others", async () => {
    const { handler, lines, answers } = await setUp(() => ({}));
    const result = await handler(queued({ id: "m-1", body: "secret{" }, { id: "m-2", body: '{"detail":{"id":7,"note":"secret"}}' }, { id: "m-3", body: "null" }, message(delivered("e-1"))));
    expect(result).toEqual({ batchItemFailures: [{ itemIdentifier: "m-1" }, { itemIdentifier: "m-2" }, { itemIdentifier: "m-3" }] });
    expect(lines.map((line) => line.fields.message_id)).toEqual(["m-1", "m-2", "m-3"]);
    expect(JSON.stringify(lines)).not.toContain("secret");
    expect(answers()).toHaveLength(1);
  });

  it("gives the callback which attempt it is", async () => {
    const attempts: number[] = [];
    const { handler } = await setUp((_, context) => void attempts.push(context.attempt));
    await handler(queued(message(delivered("e-1"), 4)));
    await handler(direct(delivered("e-1")));
    expect(attempts).toEqual([4, 1]);
  });

  it("fails a callback that outlives the function alone, before the function's time is up", async () => {
    const { handler, lines } = await setUp((event) => (event.id === "e-1" ? new Promise(() => undefined) : { ok: true }), { maxReceives: 5 });
    const result = await handler(queued(message(delivered("e-1")), message(delivered("e-2"))), { getRemainingTimeInMillis: () => 1_050 });
    expect(result).toEqual({ batchItemFailures: [{ itemIdentifier: "m-e-1" }] });
    expect(lines).toMatchObject([{ level: "error", fields: { event_id: "e-1", error: expect.stringContaining("time is up") } }]);
  });
});

describe("the callback's context, against a server that plays the bus", () => {
  const run = async (callback: (context: SubscriberContext, event: DeliveredEvent) => unknown, event = delivered("e-1"), options: Partial<SubscriberOptions> = {}) => {
    const parts = await setUp(async (given, context) => void (await callback(context, given)), options, (call) => (call.path === "/requests" ? [200, answered("e-9", { yes: true })] : undefined));
    await parts.handler(direct(event), { getRemainingTimeInMillis: () => 30_000 });
    return parts;
  };

  it("carries conversation and cause on, under keys that are the same for a redelivery and differ by call", async () => {
    const work = async (context: SubscriberContext): Promise<void> => {
      await Promise.all([context.emit("SESSION_UPDATED", {}), context.emit("SESSION_CREATED", {})]);
      await context.emit("SESSION_UPDATED", {});
      const outcome = await context.emitAndWait("CONTEXT_REQUESTED", {}, { timeout: 5 });
      expect(outcome.response).toEqual({ yes: true });
    };
    const [first, again] = [await run(work), await run(work)];
    const keysOf = ({ calls }: { calls: PlayedCall[] }) => calls.map((call) => String(call.headers["idempotency-key"])).sort();
    expect(keysOf(first)).toEqual(keysOf(again));
    expect(new Set(keysOf(first)).size).toBe(4);
    for (const { body } of first.calls) expect(body).toMatchObject({ correlation_id: "c-1", causation_id: "e-1" });
    expect(keysOf(await run(work, delivered("e-2")))).not.toEqual(keysOf(first));
  });

  it("waits no longer than until its own event's deadline less a margin", async () => {
    const ask = (timeout: number) => (context: SubscriberContext) => context.emitAndWait("CONTEXT_REQUESTED", {}, { timeout });
    const clipped = await run(ask(60), delivered("e-1", { deadline: inMs(4_000) }));
    const timeout = clipped.calls[0]?.body.timeout as number;
    expect(timeout).toBeLessThanOrEqual(3.75);
    expect(timeout).toBeGreaterThan(2.5);
    const free = await run(ask(2), delivered("e-1", { deadline: inMs(60_000) }));
    expect(free.calls[0]?.body.timeout).toBe(2);
  });

  it("does not ask when there is no time left to be answered", async () => {
    const { calls, handler } = await setUp((_, context) => context.emitAndWait("CONTEXT_REQUESTED", {}, { timeout: 5 }).then(() => undefined));
    await expect(handler(direct(delivered("e-1", { deadline: inMs(260) })))).rejects.toMatchObject({ code: "deadline_passed", retryable: false });
    expect(calls.filter((call) => call.path === "/requests")).toEqual([]);
  });

  it("aborts its signal at the deadline and says how much time is left", async () => {
    let remaining = 0;
    await run(async (context) => {
      remaining = context.remainingMs();
      await new Promise((resolve) => context.signal.addEventListener("abort", resolve));
      expect(context.signal.reason).toMatchObject({ name: "TimeoutError" });
      expect(context.remainingMs()).toBeLessThanOrEqual(1);
    }, delivered("e-1", { deadline: inMs(150) }));
    expect(remaining).toBeGreaterThan(0);
    expect(remaining).toBeLessThanOrEqual(150);
  });

  it("bounds the time by the function's when the event has no deadline", async () => {
    let remaining = 0;
    await run((context) => {
      remaining = context.remainingMs();
    });
    expect(remaining).toBeGreaterThan(25_000);
    expect(remaining).toBeLessThanOrEqual(29_000);
  });

  it("tells progress, and never fails because of it", async () => {
    const told = await run((context) => context.progress({ percent: 40 }));
    expect(told.answers()).toMatchObject([{ status: "progress", response: { percent: 40 }, as: "librarian" }]);
    const failing = await setUp(async (_, context) => ({ verdict: await context.progress({}) }) as never, {}, (call) => (call.body.status === "progress" ? [404, { code: "not_found" }] : undefined));
    await failing.handler(direct(delivered("e-1")));
    expect(failing.answers().at(-1)).toMatchObject({ status: "ok", response: { verdict: null } });
  });

  it("answers early under the same id", async () => {
    const { answers } = await run((context) => context.respond({ early: true }));
    expect(answers()).toMatchObject([{ status: undefined, response: { early: true }, id: await derivedId("response", "librarian", "e-1") }]);
  });

  it("lets an observer emit but never answer, not even with its failure", async () => {
    const { handler, answers, calls } = await setUp(
      async (event, context) => {
        await context.emit("SESSION_UPDATED", {});
        await context.progress({});
        if (event.id === "e-2") throw new Error("broken");
        return { not: "sent" };
      },
      { answers: false },
    );
    await handler(direct(delivered("e-1")));
    await expect(handler(direct(delivered("e-2")))).rejects.toThrow("broken");
    expect(answers()).toEqual([]);
    expect(calls).toHaveLength(2);
  });
});

describe("subscriber() in its environment", () => {
  it("reads it at the first call: name, URL, receives, and whether it answers", async () => {
    vi.stubEnv("AGENT_EVENT_BUS_SUBSCRIBER", undefined);
    const played = await playBus((_, reply) => sendJson(reply, 200, { verdict: "accepted" }));
    const lines = vi.spyOn(console, "error").mockReturnValue(undefined);
    const failing = subscriber(() => Promise.reject(new Error("broken")));
    await expect(failing(direct(delivered("e-1")))).rejects.toThrow("AGENT_EVENT_BUS_SUBSCRIBER");

    vi.stubEnv("AGENT_EVENT_BUS_SUBSCRIBER", "from-env");
    vi.stubEnv("AGENT_EVENT_BUS_URLS", JSON.stringify({ respond: played.url }));
    vi.stubEnv("AGENT_EVENT_BUS_MAX_RECEIVES", "2");
    await failing(queued(message(delivered("e-1"), 1)));
    expect(answersOf(played)).toEqual([]);
    await failing(queued(message(delivered("e-1"), 2)));
    expect(answersOf(played)).toMatchObject([{ as: "from-env", status: "rejected" }]);
    for (const [line] of lines.mock.calls) expect(JSON.parse(line as string)).toMatchObject({ level: "error", subscriber: "from-env", event_id: "e-1" });
    expect(lines).toHaveBeenCalledTimes(2);

    vi.stubEnv("AGENT_EVENT_BUS_ANSWERS", "false");
    await subscriber(() => ({}))(direct(delivered("e-2")));
    expect(played.calls).toHaveLength(1);
    lines.mockRestore();
  });

  it("names the variable that makes no sense", async () => {
    vi.stubEnv("AGENT_EVENT_BUS_SUBSCRIBER", "x");
    vi.stubEnv("AGENT_EVENT_BUS_MAX_RECEIVES", "many");
    await expect(subscriber(() => ({}))(direct(delivered("e-1")))).rejects.toThrow('AGENT_EVENT_BUS_MAX_RECEIVES: expected a number of at least 1, not "many"');
  });
});
