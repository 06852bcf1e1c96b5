import { afterEach, describe, expect, it, vi } from "vitest";
import { RejectedError } from "../../../client/errors.ts";
import { subscriber } from "../../../client/subscriber.ts";
import { derivedId } from "../../../shared/hash.ts";
import type { JsonObject } from "../../../shared/json.ts";
import { answersOf, direct, inMs, message, queued, setUp } from "./called-subscriber.ts";
import { delivered, playBus, QUICK, sendJson } from "./played-bus.ts";

function circle(): JsonObject {
  const answer: JsonObject = {};
  answer["itself"] = answer;
  return answer;
}

describe("subscriber() called by EventBridge, against a server that plays the bus", () => {
  it("answers with what the callback returns, under its own name and an id of (subscriber, event)", async () => {
    const { handler, answers } = await setUp(async (event) => ({ about: event.data.topic ?? null }));
    await expect(handler(direct(delivered("e-1")))).resolves.toBeUndefined();
    await handler(direct(delivered("e-1")));
    const answer = {
      path: "/events/e-1/responses",
      as: "librarian",
      status: "ok",
      response: { about: "weather" },
      token: "token-of-e-1",
      id: await derivedId("response", "librarian", "e-1"),
    };
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
    expect(answers()).toMatchObject([
      {
        status: "rejected",
        response: { error: { name: "TypeError", message: "no such topic" } },
        id: await derivedId("response", "librarian", "e-1"),
      },
    ]);
  });

  it("tells a RejectedError as rejected and is done with the event", async () => {
    const { handler, answers } = await setUp(async () => {
      throw new RejectedError("not mine");
    });
    await expect(handler(direct(delivered("e-1")))).resolves.toBeUndefined();
    expect(answers()).toMatchObject([
      { status: "rejected", response: { error: { name: "RejectedError", message: "not mine" } } },
    ]);
  });

  it.each([
    ["a string", "text"],
    ["an array", [1]],
    ["null", null],
  ])("refuses %s as an answer", async (what, value) => {
    const { handler, answers } = await setUp(() => value as never);
    await expect(handler(direct(delivered("e-1")))).rejects.toThrow(`not with ${what}`);
    expect(answers()).toMatchObject([{ status: "rejected", response: { error: { name: "TypeError" } } }]);
  });

  it("fails when its answer cannot be sent, and tries to send it more than once", async () => {
    const { handler, answers } = await setUp(
      () => ({}),
      {},
      () => [503, { code: "unavailable" }],
    );
    await expect(handler(direct(delivered("e-1")))).rejects.toMatchObject({ code: "unavailable" });
    expect(answers()).toHaveLength(QUICK.tries);
    expect(new Set(answers().map((one) => one.id)).size).toBe(1);
  });

  it.each([
    ["is too large", () => ({ much: "text" }), 413, "payload_too_large", /played payload_too_large/],
    ["is too deep", () => ({ deep: [[]] }), 400, "invalid_json", /played invalid_json/],
    ["goes in a circle", circle, 200, "", /^The body cannot be written as JSON: .*circular/],
    [
      "has a number that JSON has not",
      () => ({ n: 1n as never }),
      200,
      "",
      /^The body cannot be written as JSON: .*BigInt/,
    ],
  ])("rejects in place of an answer that %s", async (_, callback, status, code, why) => {
    const { handler, answers, lines } = await setUp(callback, {}, (call) =>
      call.body.status === "ok" && status >= 400 ? [status, { code }] : undefined,
    );
    await expect(handler(direct(delivered("e-1")))).rejects.toThrow(why);
    expect(answers().at(-1)).toMatchObject({
      status: "rejected",
      response: { error: { name: "AgentEventBusError", message: expect.stringMatching(why) } },
    });
    expect(lines).toMatchObject([{ level: "error", message: "the answer was refused", fields: { event_id: "e-1" } }]);
  });

  it("tries once to reject when its answer is refused, and fails when that is refused as well", async () => {
    const { handler, answers, lines } = await setUp(
      () => ({}),
      {},
      () => [403, { code: "forbidden" }],
    );
    await expect(handler(direct(delivered("e-1")))).rejects.toMatchObject({ code: "forbidden" });
    expect(answers().map((one) => one.status)).toEqual(["ok", "rejected"]);
    expect(lines.map((line) => line.message)).toEqual(["the answer was refused", "the answer could not be sent"]);
  });

  it("shortens what an error says, so that the rejection gets through", async () => {
    const { handler, answers } = await setUp(() => Promise.reject(new Error("x".repeat(1_000_000))));
    await expect(handler(direct(delivered("e-1")))).rejects.toThrow("xxx");
    expect(answers()).toMatchObject([{ status: "rejected", response: { error: { message: "x".repeat(4_000) } } }]);
  });

  it("takes an answer that an earlier delivery gave for given", async () => {
    const { handler } = await setUp(
      () => ({ other: Math.random() }),
      {},
      () => [409, { code: "response_conflict" }],
    );
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

afterEach(() => vi.unstubAllEnvs());

describe("subscriber() in its environment", () => {
  it("reads it at the first call: name, URL, receives, when they come, and whether it answers", async () => {
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
    for (const [line] of lines.mock.calls)
      expect(JSON.parse(line as string)).toMatchObject({ level: "error", subscriber: "from-env", event_id: "e-1" });
    expect(lines).toHaveBeenCalledTimes(2);

    vi.stubEnv("AGENT_EVENT_BUS_RETRY_SECONDS", "360");
    const wanted = message(delivered("e-3", { deadline: inMs(60_000) }), 1);
    await subscriber(() => Promise.reject(new Error("broken")))(queued(wanted));
    expect(answersOf(played)).toMatchObject([{ status: "rejected" }, { path: "/events/e-3/responses" }]);

    vi.stubEnv("AGENT_EVENT_BUS_ANSWERS", "false");
    await subscriber(() => ({}))(direct(delivered("e-2")));
    expect(played.calls).toHaveLength(2);
    lines.mockRestore();
  });

  it.each([
    ["AGENT_EVENT_BUS_MAX_RECEIVES", 1, "many"],
    ["AGENT_EVENT_BUS_RETRY_SECONDS", 0, "-1"],
  ])("names the variable that makes no sense: %s", async (variable, least, value) => {
    vi.stubEnv("AGENT_EVENT_BUS_SUBSCRIBER", "x");
    vi.stubEnv(variable, value);
    await expect(subscriber(() => ({}))(direct(delivered("e-1")))).rejects.toThrow(
      `${variable}: expected a number of at least ${least}, not "${value}"`,
    );
  });
});
