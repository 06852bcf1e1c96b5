import { describe, expect, it } from "vitest";
import { AgentEventBus } from "../../../client/agent-event-bus.ts";
import { AgentEventBusError } from "../../../client/errors.ts";
import { playBus, QUICK, receiptFor, sendJson, sendProblem } from "./played-bus.ts";

describe("emit, against a server that plays the bus", () => {
  it("sends the event with what was given and resolves with the receipt", async () => {
    const { url, calls } = await playBus((call, reply) => sendJson(reply, 202, receiptFor(call)));
    const bus = new AgentEventBus({ url, agentType: "router" });

    const receipt = await bus.emit(
      "MESSAGE_RECEIVED",
      { text: "grüß dich" },
      { correlationId: "c-9", causationId: "e-0", idempotencyKey: "k-1" },
    );

    expect(receipt).toEqual({
      event_id: "e-1",
      type: "MESSAGE_RECEIVED",
      timestamp: "2026-11-20T10:00:00.000Z",
      correlation_id: "c-1",
      published: true,
      replayed: false,
    });
    expect(calls).toHaveLength(1);
    expect(calls[0]).toMatchObject({
      method: "POST",
      path: "/events",
      headers: { "idempotency-key": "k-1", "content-type": "application/json" },
    });
    expect(calls[0]?.body).toEqual({
      type: "MESSAGE_RECEIVED",
      data: { text: "grüß dich" },
      agent_type: "router",
      correlation_id: "c-9",
      causation_id: "e-0",
    });
  });

  it("prefers the call's agent type to the bus's, and leaves out what was not given", async () => {
    const { url, calls } = await playBus((call, reply) => sendJson(reply, 202, receiptFor(call)));
    await new AgentEventBus({ url, agentType: "router" }).emit("SESSION_CREATED", {}, { agentType: "gate" });
    await new AgentEventBus({ url }).emit("SESSION_CREATED", {});
    expect(calls.map((call) => call.body)).toEqual([
      { type: "SESSION_CREATED", data: {}, agent_type: "gate" },
      { type: "SESSION_CREATED", data: {} },
    ]);
  });

  it("gives each call a key of its own, and all tries of a call the same", async () => {
    const { url, calls } = await playBus((call, reply, nth) =>
      nth % 2 === 1 ? sendProblem(reply, 503, "unavailable") : sendJson(reply, 202, receiptFor(call)),
    );
    const bus = new AgentEventBus({ url, retry: QUICK });
    await bus.emit("SESSION_CREATED", {});
    await bus.emit("SESSION_CREATED", {});
    const keys = calls.map((call) => call.headers["idempotency-key"]);
    expect(keys).toHaveLength(4);
    expect(keys[0]).toBe(keys[1]);
    expect(keys[2]).toBe(keys[3]);
    expect(new Set(keys).size).toBe(2);
  });

  it.each([
    ["429", 429, "rate_limited"],
    ["500", 500, "internal"],
    ["503", 503, "unavailable"],
  ] as const)("tries again after %s until it succeeds", async (_, status, code) => {
    const { url, calls } = await playBus((call, reply, nth) =>
      nth < 3 ? sendProblem(reply, status, code) : sendJson(reply, 202, receiptFor(call)),
    );
    await expect(new AgentEventBus({ url, retry: QUICK }).emit("SESSION_CREATED", {})).resolves.toMatchObject({
      event_id: "e-1",
    });
    expect(calls).toHaveLength(3);
  });

  it("tries again with the same key after a connection that broke off", async () => {
    const { url, calls } = await playBus((call, reply, nth) => {
      if (nth === 1) reply.destroy();
      else if (nth === 2) {
        reply.writeHead(202, { "content-length": "500" }).write("{");
        setImmediate(() => reply.destroy());
      } else sendJson(reply, 202, receiptFor(call, { replayed: true }));
    });
    await expect(new AgentEventBus({ url, retry: QUICK }).emit("SESSION_CREATED", {})).resolves.toMatchObject({
      replayed: true,
    });
    expect(new Set(calls.map((call) => call.headers["idempotency-key"])).size).toBe(1);
    expect(calls).toHaveLength(3);
  });

  it("does not come back before Retry-After", async () => {
    const at: number[] = [];
    const { url } = await playBus((call, reply, nth) => {
      at.push(performance.now());
      if (nth === 1) sendProblem(reply, 429, "rate_limited", {}, { "retry-after": "0.3" });
      else sendJson(reply, 202, receiptFor(call));
    });
    await new AgentEventBus({ url, retry: QUICK }).emit("SESSION_CREATED", {});
    expect((at[1] as number) - (at[0] as number)).toBeGreaterThanOrEqual(295);
  });

  it("comes back when the bus said to the millisecond, where the header has whole seconds only", async () => {
    const at: number[] = [];
    const { url } = await playBus((call, reply, nth) => {
      at.push(performance.now());
      if (nth === 1) sendProblem(reply, 429, "rate_limited", { retry_after_ms: 300 }, { "retry-after": "3600" });
      else sendJson(reply, 202, receiptFor(call));
    });
    await new AgentEventBus({ url, retry: QUICK }).emit("SESSION_CREATED", {});
    expect((at[1] as number) - (at[0] as number)).toBeGreaterThanOrEqual(295);
  });

  it("knows that what an overloaded bus turned away has had no effect", async () => {
    const { url } = await playBus((_, reply) => sendProblem(reply, 503, "overloaded", { retry_after_ms: 3_600_000 }));
    await expect(new AgentEventBus({ url, retry: QUICK }).emit("SESSION_CREATED", {})).rejects.toMatchObject({
      code: "overloaded",
      retryable: true,
      outcomeUnknown: false,
    });
  });

  it("leaves a Retry-After of more than half a minute to the caller", async () => {
    const { url, calls } = await playBus((_, reply) =>
      sendProblem(reply, 429, "rate_limited", {}, { "retry-after": "3600" }),
    );
    await expect(new AgentEventBus({ url, retry: QUICK }).emit("SESSION_CREATED", {})).rejects.toMatchObject({
      code: "rate_limited",
      retryAfterMs: 3_600_000,
      retryable: true,
      outcomeUnknown: false,
    });
    expect(calls).toHaveLength(1);
  });

  it("gives up after a bounded number of tries and says that the outcome is unknown", async () => {
    const { url, calls } = await playBus((_, reply) => sendProblem(reply, 503, "unavailable"));
    await expect(new AgentEventBus({ url, retry: QUICK }).emit("SESSION_CREATED", {})).rejects.toMatchObject({
      name: "AgentEventBusError",
      code: "unavailable",
      status: 503,
      retryable: true,
      outcomeUnknown: true,
    });
    expect(calls).toHaveLength(QUICK.tries);
  });

  it("throws what the bus refuses at once, with its code, status and faults", async () => {
    const errors = [{ pointer: "/data/text", detail: "a string was expected" }];
    const { url, calls } = await playBus((_, reply) => sendProblem(reply, 422, "schema_violation", { errors }));
    const error = await new AgentEventBus({ url, retry: QUICK })
      .emit("SESSION_CREATED", {})
      .catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(AgentEventBusError);
    expect(error).toMatchObject({
      code: "schema_violation",
      status: 422,
      retryable: false,
      outcomeUnknown: false,
      errors,
      message: "played schema_violation",
    });
    expect(calls).toHaveLength(1);
  });

  it("makes sense of a refusal that comes from before the bus", async () => {
    const { url } = await playBus((_, reply) => sendJson(reply, 403, { Message: "Forbidden" }));
    await expect(new AgentEventBus({ url }).emit("SESSION_CREATED", {})).rejects.toMatchObject({
      code: "forbidden",
      status: 403,
      retryable: false,
      message: "Forbidden",
    });
  });

  it("takes a page that is not JSON for no answer", async () => {
    const { url, calls } = await playBus(
      (_, reply) => void reply.writeHead(200, { "content-type": "text/html" }).end("<h1>Hello</h1>"),
    );
    await expect(new AgentEventBus({ url, retry: QUICK }).emit("SESSION_CREATED", {})).rejects.toMatchObject({
      code: "unreachable",
      retryable: true,
      outcomeUnknown: true,
    });
    expect(calls).toHaveLength(QUICK.tries);
  });

  it("says so when nobody listens at the URL", async () => {
    const bus = new AgentEventBus({ url: "http://127.0.0.1:1", retry: QUICK });
    await expect(bus.emit("SESSION_CREATED", {})).rejects.toMatchObject({
      code: "unreachable",
      status: 0,
      retryable: true,
    });
  });

  it("ends with the signal's reason when it is called off, between tries as well", async () => {
    const reason = new Error("enough");
    const controller = new AbortController();
    const { url, calls } = await playBus((_, reply) => {
      sendProblem(reply, 503, "unavailable", {}, { "retry-after": "20" });
      setTimeout(() => controller.abort(reason), 20);
    });
    await expect(new AgentEventBus({ url }).emit("SESSION_CREATED", {}, { signal: controller.signal })).rejects.toBe(
      reason,
    );
    expect(calls).toHaveLength(1);
  });
});

describe("emitBatch, against a server that plays the bus", () => {
  const problem = { code: "unavailable", status: 503, retryable: true, detail: "later" };
  const refusal = { code: "schema_violation", status: 422, retryable: false, detail: "no" };

  it("sends all events in one call and tells of each", async () => {
    const { url, calls } = await playBus((_, reply) =>
      sendJson(reply, 202, { events: [{ event_id: "e-1" }, { error: refusal }], accepted: 1, rejected: 1 }),
    );
    const result = await new AgentEventBus({ url, agentType: "router" }).emitBatch([
      { type: "SESSION_CREATED", data: { session_id: "s" }, correlationId: "c" },
      { type: "MESSAGE_RECEIVED", data: {}, agentType: "gate" },
    ]);
    expect(result).toEqual({ events: [{ event_id: "e-1" }, { error: refusal }], accepted: 1, rejected: 1 });
    expect(calls).toHaveLength(1);
    expect(calls[0]?.body).toEqual({
      events: [
        { type: "SESSION_CREATED", data: { session_id: "s" }, agent_type: "router", correlation_id: "c" },
        { type: "MESSAGE_RECEIVED", data: {}, agent_type: "gate" },
      ],
    });
  });

  it("sends the batch again by the same key while some of it was refused for now, and keeps what was told first", async () => {
    const { url, calls } = await playBus((_, reply, nth) =>
      nth === 1
        ? sendJson(reply, 202, {
            events: [{ event_id: "a", replayed: false }, { error: problem }, { error: refusal }],
            accepted: 1,
            rejected: 2,
          })
        : sendJson(reply, 202, {
            events: [{ event_id: "a", replayed: true }, { event_id: "b", replayed: false }, { error: refusal }],
            accepted: 2,
            rejected: 1,
          }),
    );
    const events = ["a", "b", "c"].map((session_id) => ({ type: "SESSION_CREATED" as const, data: { session_id } }));
    const result = await new AgentEventBus({ url, retry: QUICK }).emitBatch(events, { idempotencyKey: "batch-1" });
    expect(result).toEqual({
      events: [{ event_id: "a", replayed: false }, { event_id: "b", replayed: false }, { error: refusal }],
      accepted: 2,
      rejected: 1,
    });
    expect(calls.map((call) => [call.headers["idempotency-key"], call.text])).toEqual([
      ["batch-1", calls[0]?.text],
      ["batch-1", calls[0]?.text],
    ]);
  });

  it("ends after a bounded number of tries and says which events were not taken", async () => {
    const { url, calls } = await playBus((_, reply) =>
      sendJson(reply, 202, { events: [{ error: problem }], accepted: 0, rejected: 1 }),
    );
    const result = await new AgentEventBus({ url, retry: QUICK }).emitBatch([{ type: "SESSION_CREATED", data: {} }]);
    expect(result).toEqual({ events: [{ error: problem }], accepted: 0, rejected: 1 });
    expect(calls).toHaveLength(QUICK.tries);
  });
});
