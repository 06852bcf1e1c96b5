import { describe, expect, it } from "vitest";
import { AgentEventBus } from "../../../client/agent-event-bus.ts";
import { answered, pending, playBus, QUICK, sendJson, sendProblem } from "./played-bus.ts";

describe("emitAndWait, against a server that plays the bus", () => {
  it("asks with what was given and resolves with the answer", async () => {
    const { url, calls } = await playBus((_, reply) => sendJson(reply, 200, answered("e-1", { sky: "blue" })));
    const outcome = await new AgentEventBus({ url, agentType: "planner" }).emitAndWait(
      "CONTEXT_REQUESTED",
      { topic: "weather" },
      {
        timeout: 1.5,
        expect: { mode: "count", count: 2 },
        requireSubscribers: false,
        correlationId: "c-1",
        idempotencyKey: "k",
      },
    );
    expect(outcome).toEqual(answered("e-1", { sky: "blue" }));
    expect(calls[0]).toMatchObject({
      method: "POST",
      path: "/requests",
      headers: { "idempotency-key": "k", accept: "application/json" },
    });
    expect(calls[0]?.body).toEqual({
      type: "CONTEXT_REQUESTED",
      data: { topic: "weather" },
      agent_type: "planner",
      correlation_id: "c-1",
      timeout: 1.5,
      expect: { mode: "count", count: 2 },
      require_subscribers: false,
    });
  });

  it.each(["timed_out", "cancelled", "failed"] as const)(
    "resolves with %s as an outcome, not an error",
    async (status) => {
      const { url } = await playBus((_, reply) =>
        sendJson(reply, 200, { ...answered("e-1", {}), status, response: null }),
      );
      await expect(
        new AgentEventBus({ url }).emitAndWait("CONTEXT_REQUESTED", {}, { timeout: 1 }),
      ).resolves.toMatchObject({ status, response: null });
    },
  );

  it("throws no_subscribers at once", async () => {
    const { url, calls } = await playBus((_, reply) => sendProblem(reply, 424, "no_subscribers"));
    await expect(
      new AgentEventBus({ url, retry: QUICK }).emitAndWait("CONTEXT_REQUESTED", {}, { timeout: 30 }),
    ).rejects.toMatchObject({ code: "no_subscribers", status: 424, retryable: false });
    expect(calls).toHaveLength(1);
  });

  it("goes on waiting after a 202, on the request itself", async () => {
    const { url, calls } = await playBus((_, reply, nth) =>
      sendJson(reply, nth < 3 ? 202 : 200, nth < 3 ? pending("e-1") : answered("e-1", { sky: "blue" })),
    );
    const outcome = await new AgentEventBus({ url, retry: QUICK }).emitAndWait(
      "CONTEXT_REQUESTED",
      {},
      { timeout: 60 },
    );
    expect(outcome).toMatchObject({ status: "answered", response: { sky: "blue" } });
    expect(calls.map((call) => `${call.method} ${call.path}`)).toEqual([
      "POST /requests",
      "GET /requests/e-1",
      "GET /requests/e-1",
    ]);
    expect(Number(calls[1]?.query.get("wait"))).toBe(20);
  });

  it("asks for no longer a hold than is left", async () => {
    const { url, calls } = await playBus((_, reply, nth) =>
      sendJson(reply, nth === 1 ? 202 : 200, nth === 1 ? pending("e-1") : answered("e-1", {})),
    );
    await new AgentEventBus({ url, retry: QUICK }).emitAndWait("CONTEXT_REQUESTED", {}, { timeout: 3 });
    const wait = calls[1]?.query.get("wait") ?? "";
    expect(Number(wait)).toBeGreaterThan(3);
    expect(Number(wait)).toBeLessThanOrEqual(5);
    expect(wait).toMatch(/^\d+(\.\d{1,3})?$/);
  });

  it("asks again with the same key after a connection that broke before any answer", async () => {
    const { url, calls } = await playBus((_, reply, nth) =>
      nth < 4 ? reply.destroy() && undefined : sendJson(reply, 200, answered("e-1", { sky: "blue" })),
    );
    await expect(
      new AgentEventBus({ url, retry: { ...QUICK, tries: 2 } }).emitAndWait("CONTEXT_REQUESTED", {}, { timeout: 30 }),
    ).resolves.toMatchObject({ status: "answered" });
    expect(calls.map((call) => call.path)).toEqual(["/requests", "/requests", "/requests", "/requests"]);
    expect(new Set(calls.map((call) => `${call.headers["idempotency-key"]} ${call.text}`)).size).toBe(1);
  });

  it("joins the wait again after a connection that broke during it", async () => {
    const { url, calls } = await playBus((_, reply, nth) => {
      if (nth === 1) sendJson(reply, 202, pending("e-1"));
      else if (nth === 2) reply.destroy();
      else if (nth === 3) sendProblem(reply, 503, "unavailable");
      else sendJson(reply, 200, answered("e-1", { sky: "blue" }));
    });
    await expect(
      new AgentEventBus({ url, retry: QUICK }).emitAndWait("CONTEXT_REQUESTED", {}, { timeout: 30 }),
    ).resolves.toMatchObject({ status: "answered" });
    expect(calls.map((call) => call.method)).toEqual(["POST", "GET", "GET", "GET"]);
  });

  it("looks once more when the deadline has passed without a word, and tells what the record says", async () => {
    const startedAt = performance.now();
    const { url, calls } = await playBus(async (call, reply, nth) => {
      if (nth === 1) sendJson(reply, 202, pending("e-1"));
      else if (call.query.has("wait")) await call.gone;
      else sendJson(reply, 200, { ...answered("e-1", {}), status: "timed_out", response: null });
    });
    const outcome = await new AgentEventBus({ url, retry: QUICK }).emitAndWait(
      "CONTEXT_REQUESTED",
      {},
      { timeout: 0.1 },
    );
    expect(outcome.status).toBe("timed_out");
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(2_000);
    expect(calls.at(-1)).toMatchObject({ method: "GET", path: "/requests/e-1" });
    expect(calls.at(-1)?.query.has("wait")).toBe(false);
  });

  it("says unknown, retryable and which request when the record cannot be read at the deadline", async () => {
    const { url } = await playBus((_, reply, nth) =>
      nth === 1 ? sendJson(reply, 202, pending("e-1")) : sendProblem(reply, 503, "unavailable"),
    );
    await expect(
      new AgentEventBus({ url, retry: { ...QUICK, capMs: 400, baseMs: 400 } }).emitAndWait(
        "CONTEXT_REQUESTED",
        {},
        { timeout: 0.05 },
      ),
    ).rejects.toMatchObject({
      code: "outcome_unknown",
      retryable: true,
      outcomeUnknown: true,
      eventId: "e-1",
      cause: { code: "unavailable" },
    });
  });

  it("says unknown, never a timeout, when the record is still open at the deadline", async () => {
    const { url } = await playBus((_, reply) => sendJson(reply, 202, pending("e-1")));
    await expect(
      new AgentEventBus({ url, retry: { ...QUICK, capMs: 400, baseMs: 400 } }).emitAndWait(
        "CONTEXT_REQUESTED",
        {},
        { timeout: 0.05 },
      ),
    ).rejects.toMatchObject({ code: "outcome_unknown", retryable: true, eventId: "e-1" });
  });

  it("says unknown when the bus could not be reached until the deadline", async () => {
    const bus = new AgentEventBus({ url: "http://127.0.0.1:1", retry: { ...QUICK, capMs: 200, baseMs: 200 } });
    await expect(bus.emitAndWait("CONTEXT_REQUESTED", {}, { timeout: 0.05 })).rejects.toMatchObject({
      code: "outcome_unknown",
      retryable: true,
      eventId: undefined,
      cause: { code: "unreachable" },
    });
  });

  it("ends with the signal's reason when it is called off, and closes the connection", async () => {
    const reason = new Error("enough");
    const controller = new AbortController();
    const { url, calls } = await playBus(() => controller.abort(reason));
    await expect(
      new AgentEventBus({ url }).emitAndWait("CONTEXT_REQUESTED", {}, { timeout: 30, signal: controller.signal }),
    ).rejects.toBe(reason);
    await calls[0]?.gone;
    expect(calls).toHaveLength(1);
  });
});

describe("resume and cancel, against a server that plays the bus", () => {
  it("resume goes on until the request has ended", async () => {
    const { url, calls } = await playBus((_, reply, nth) => {
      if (nth === 2) reply.destroy();
      else sendJson(reply, nth === 1 ? 202 : 200, nth === 1 ? pending("e/1") : answered("e/1", { sky: "blue" }));
    });
    await expect(new AgentEventBus({ url, retry: QUICK }).resume("e/1")).resolves.toMatchObject({ status: "answered" });
    expect(calls.map((call) => call.path)).toEqual(Array(3).fill("/requests/e%2F1"));
  });

  it("resume of what is not there says not_found, and gives up on a bus that stays away", async () => {
    const { url } = await playBus((_, reply) => sendProblem(reply, 404, "not_found"));
    await expect(new AgentEventBus({ url }).resume("e-1")).rejects.toMatchObject({ code: "not_found" });
    await expect(new AgentEventBus({ url: "http://127.0.0.1:1", retry: QUICK }).resume("e-1")).rejects.toMatchObject({
      code: "unreachable",
    });
  });

  it("cancel tells how the request ended, also when it was answered before", async () => {
    const { url, calls } = await playBus((_, reply, nth) =>
      nth === 1 ? sendProblem(reply, 503, "unavailable") : sendJson(reply, 200, answered("e-1", { sky: "blue" })),
    );
    await expect(new AgentEventBus({ url, retry: QUICK }).cancel("e-1")).resolves.toMatchObject({ status: "answered" });
    expect(calls.map((call) => `${call.method} ${call.path}`)).toEqual([
      "DELETE /requests/e-1",
      "DELETE /requests/e-1",
    ]);
  });
});
