import { describe, expect, it } from "vitest";
import type { SubscriberContext } from "../../../client/context.ts";
import type { SubscriberOptions } from "../../../client/subscriber.ts";
import type { DeliveredEvent } from "../../../shared/event.ts";
import { derivedId } from "../../../shared/hash.ts";
import { direct, inMs, setUp } from "./called-subscriber.ts";
import { answered, delivered, type PlayedCall } from "./played-bus.ts";

describe("the callback's context, against a server that plays the bus", () => {
  const run = async (
    callback: (context: SubscriberContext, event: DeliveredEvent) => unknown,
    event = delivered("e-1"),
    options: Partial<SubscriberOptions> = {},
  ) => {
    const parts = await setUp(
      async (given, context) => void (await callback(context, given)),
      options,
      (call) => (call.path === "/requests" ? [200, answered("e-9", { yes: true })] : undefined),
    );
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
    const keysOf = ({ calls }: { calls: PlayedCall[] }) =>
      calls.map((call) => String(call.headers["idempotency-key"])).sort();
    expect(keysOf(first)).toEqual(keysOf(again));
    expect(new Set(keysOf(first)).size).toBe(4);
    for (const { body } of first.calls) expect(body).toMatchObject({ correlation_id: "c-1", causation_id: "e-1" });
    expect(keysOf(await run(work, delivered("e-2")))).not.toEqual(keysOf(first));
  });

  it("gives a redelivery what the first run emitted, although it says it differently this time", async () => {
    const conflict = { code: "idempotency_conflict", event_id: "e-7", timestamp: "2026-11-20T10:00:00.000Z" };
    const seen: unknown[] = [];
    const { calls, handler } = await setUp(
      async (_, context) => {
        seen.push(await context.emit("SESSION_UPDATED", { said: "differently" }));
        seen.push(await context.emitAndWait("CONTEXT_REQUESTED", { asked: "differently" }, { timeout: 5 }));
        await expect(context.emit("SESSION_UPDATED", {}, { idempotencyKey: "own" })).rejects.toMatchObject({
          code: "idempotency_conflict",
        });
      },
      {},
      (call) => (call.method === "GET" ? [200, answered("e-7", { yes: true })] : [409, conflict]),
    );
    await handler(direct(delivered("e-1")));
    expect(seen).toMatchObject([
      {
        event_id: "e-7",
        type: "SESSION_UPDATED",
        timestamp: conflict.timestamp,
        correlation_id: "c-1",
        replayed: true,
      },
      { event_id: "e-7", status: "answered", response: { yes: true } },
    ]);
    expect(calls.filter(({ method }) => method === "GET").map(({ path }) => path)).toEqual(["/requests/e-7"]);
  });

  it("waits no longer than until its own event's deadline less a margin", async () => {
    const ask = (timeout: number) => (context: SubscriberContext) =>
      context.emitAndWait("CONTEXT_REQUESTED", {}, { timeout });
    const clipped = await run(ask(60), delivered("e-1", { deadline: inMs(4_000) }));
    const timeout = clipped.calls[0]?.body.timeout as number;
    expect(timeout).toBeLessThanOrEqual(3.75);
    expect(timeout).toBeGreaterThan(2.5);
    const free = await run(ask(2), delivered("e-1", { deadline: inMs(60_000) }));
    expect(free.calls[0]?.body.timeout).toBe(2);
  });

  it("does not ask when there is no time left to be answered", async () => {
    const { calls, handler } = await setUp((_, context) =>
      context.emitAndWait("CONTEXT_REQUESTED", {}, { timeout: 5 }).then(() => undefined),
    );
    await expect(handler(direct(delivered("e-1", { deadline: inMs(260) })))).rejects.toMatchObject({
      code: "deadline_passed",
      retryable: false,
    });
    expect(calls.filter((call) => call.path === "/requests")).toEqual([]);
  });

  it("aborts its signal at the deadline and says how much time is left", async () => {
    let remaining = 0;
    await run(
      async (context) => {
        remaining = context.remainingMs();
        await new Promise((resolve) => context.signal.addEventListener("abort", resolve));
        expect(context.signal.reason).toMatchObject({ name: "TimeoutError" });
        expect(context.remainingMs()).toBeLessThanOrEqual(1);
      },
      delivered("e-1", { deadline: inMs(150) }),
    );
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
    const failing = await setUp(
      async (_, context) => ({ verdict: await context.progress({}) }) as never,
      {},
      (call) => (call.body.status === "progress" ? [404, { code: "not_found" }] : undefined),
    );
    await failing.handler(direct(delivered("e-1")));
    expect(failing.answers().at(-1)).toMatchObject({ status: "ok", response: { verdict: null } });
  });

  it("answers early under the same id", async () => {
    const { answers } = await run((context) => context.respond({ early: true }));
    expect(answers()).toMatchObject([
      { status: undefined, response: { early: true }, id: await derivedId("response", "librarian", "e-1") },
    ]);
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
