import type { ServerResponse } from "node:http";
import { describe, expect, it } from "vitest";
import { AgentEventBus } from "../../../client/agent-event-bus.ts";
import { RejectedError } from "../../../client/errors.ts";
import { derivedId } from "../../../shared/hash.ts";
import type { Logger } from "../../../shared/ports.ts";
import {
  delivered,
  later,
  openSse,
  type PlayedBus,
  type PlayedCall,
  playBus,
  QUICK,
  receiptFor,
  sendBlock,
  sendJson,
  sendProblem,
} from "./played-bus.ts";

/** A bus with one open stream, on which the test delivers, and which takes note of answers. */
async function playStream(
  onResponse?: (call: PlayedCall, reply: ServerResponse) => void,
): Promise<PlayedBus & { deliver(...ids: string[]): Promise<void>; answers(count: number): Promise<PlayedCall[]> }> {
  const opened = later<ServerResponse>();
  const answers: PlayedCall[] = [];
  const wanted: { count: number; resolve: () => void }[] = [];
  const bus = await playBus((call, reply) => {
    if (call.path === "/events/stream") {
      openSse(reply);
      sendBlock(reply, { id: "c0" });
      return opened.resolve(reply);
    }
    if (call.path === "/events") return sendJson(reply, 202, receiptFor(call));
    answers.push(call);
    if (onResponse === undefined)
      sendJson(reply, 200, { event_id: "e", response_id: "r", verdict: "accepted", timestamp: "t" });
    else onResponse(call, reply);
    for (const one of wanted) if (answers.length >= one.count) one.resolve();
  });
  return {
    ...bus,
    async deliver(...ids) {
      const reply = await opened.promise;
      for (const id of ids)
        sendBlock(reply, {
          id: `c-${id}`,
          data: delivered(id, { reply_to: { url: `/events/${id}/responses?as=librarian`, token: "t" } }),
        });
    },
    async answers(count) {
      if (answers.length < count) await new Promise<void>((resolve) => wanted.push({ count, resolve }));
      return answers;
    },
  };
}

const quiet: Logger = { info: () => undefined, warn: () => undefined, error: () => undefined };

describe("subscribe, against a server that plays the bus", () => {
  it("resolves once the stream is open, under its name, and answers with what the callback returns", async () => {
    const bus = await playStream();
    const subscription = await new AgentEventBus({ url: bus.url }).subscribe(
      "CONTEXT_REQUESTED",
      async (event) => ({ about: event.data.topic ?? "" }),
      { as: "librarian", correlationId: "c-1" },
    );
    expect(Object.fromEntries(bus.calls[0]?.query ?? [])).toEqual({
      type: "CONTEXT_REQUESTED",
      correlation_id: "c-1",
      as: "librarian",
    });
    await bus.deliver("e-1");
    const [answer] = await bus.answers(1);
    expect(answer).toMatchObject({
      path: "/events/e-1/responses",
      body: {
        response: { about: "weather" },
        reply_token: "t",
        status: "ok",
        response_id: await derivedId("response", "librarian", "e-1"),
      },
    });
    expect(answer?.query.get("as")).toBe("librarian");
    await subscription.close();
  });

  it("has a name of its own when none is given, so that it can be asked", async () => {
    const bus = await playStream();
    const subscription = await new AgentEventBus({ url: bus.url }).subscribe("*", () => undefined);
    expect(bus.calls[0]?.query.get("as")).toBe(subscription.subscriber);
    expect(subscription.subscriber).toMatch(/^listener-[0-9a-f]{8}$/);
    expect(bus.calls[0]?.query.has("type")).toBe(false);
    await subscription.close();
  });

  it("does not answer when nothing is returned, nor as an observer", async () => {
    const bus = await playStream();
    const client = new AgentEventBus({ url: bus.url });
    const ran = later();
    const subscription = await client.subscribe("CONTEXT_REQUESTED", () => ran.resolve(), { as: "librarian" });
    await bus.deliver("e-1");
    await ran.promise;
    await subscription.close();

    const observed = await playStream();
    const observerRan = later();
    const observer = await new AgentEventBus({ url: observed.url }).subscribe(
      "CONTEXT_REQUESTED",
      () => {
        observerRan.resolve();
        return { not: "sent" };
      },
      { answers: false },
    );
    await observed.deliver("e-2");
    await observerRan.promise;
    await observer.close();
    expect([...bus.calls, ...observed.calls].map((call) => call.path)).toEqual(["/events/stream", "/events/stream"]);
    expect(observed.calls[0]?.query.has("as")).toBe(false);
  });

  it("answers a thrown error as rejected and goes on", async () => {
    const bus = await playStream();
    const subscription = await new AgentEventBus({ url: bus.url }).subscribe(
      "CONTEXT_REQUESTED",
      (event) => {
        if (event.id === "e-1") throw new TypeError("no such topic");
        if (event.id === "e-2") throw new RejectedError("not mine");
        return { ok: true };
      },
      { as: "librarian", concurrency: 1, log: quiet },
    );
    await bus.deliver("e-1", "e-2", "e-3");
    const answers = await bus.answers(3);
    expect(answers.map((call) => [call.body.status, call.body.response])).toEqual([
      ["rejected", { error: { name: "TypeError", message: "no such topic" } }],
      ["rejected", { error: { name: "RejectedError", message: "not mine" } }],
      ["ok", { ok: true }],
    ]);
    await subscription.close();
  });

  it("skips what is past its deadline", async () => {
    const bus = await playBus((call, reply) => {
      if (call.path !== "/events/stream") return sendJson(reply, 200, {});
      openSse(reply);
      sendBlock(reply, { id: "c1", data: delivered("e-1", { deadline: new Date(Date.now() - 1).toISOString() }) });
      sendBlock(reply, { id: "c2", data: delivered("e-2", { deadline: new Date(Date.now() + 60_000).toISOString() }) });
    });
    const seen: string[] = [];
    const ran = later();
    const subscription = await new AgentEventBus({ url: bus.url }).subscribe(
      "*",
      (event) => {
        seen.push(event.id);
        ran.resolve();
      },
      { log: quiet },
    );
    await ran.promise;
    await subscription.close();
    expect(seen).toEqual(["e-2"]);
  });

  it("runs no more callbacks at once than it may, and close waits for those that run", async () => {
    const bus = await playStream();
    const gate = later();
    const twoRun = later();
    let running = 0;
    let most = 0;
    const subscription = await new AgentEventBus({ url: bus.url }).subscribe(
      "CONTEXT_REQUESTED",
      async () => {
        most = Math.max(most, ++running);
        if (running === 2) twoRun.resolve();
        await gate.promise;
        running--;
        return {};
      },
      { as: "librarian", concurrency: 2 },
    );
    await bus.deliver("e-1", "e-2", "e-3", "e-4", "e-5");
    await twoRun.promise;
    gate.resolve();
    await bus.answers(5);
    await subscription.close();
    await subscription.closed;
    expect(most).toBe(2);
    expect(running).toBe(0);
  });

  it("carries the conversation and the cause on to what the callback emits, under keys that a repetition shares", async () => {
    const bus = await playStream();
    const subscription = await new AgentEventBus({ url: bus.url }).subscribe(
      "CONTEXT_REQUESTED",
      async (_, context) => {
        await context.emit("SESSION_UPDATED", {});
        await context.emit("SESSION_UPDATED", {}, { correlationId: "other", idempotencyKey: "own" });
        return {};
      },
      { as: "librarian" },
    );
    await bus.deliver("e-1");
    await bus.answers(1);
    const emitted = bus.calls.filter((call) => call.path === "/events");
    expect(
      emitted.map((call) => [call.body.correlation_id, call.body.causation_id, call.headers["idempotency-key"]]),
    ).toEqual([
      ["c-1", "e-1", await derivedId("emit", "librarian", "e-1", "SESSION_UPDATED", 1)],
      ["other", "e-1", "own"],
    ]);
    await subscription.close();
  });

  it("takes an answer that another delivery gave for given", async () => {
    const errors: string[] = [];
    const bus = await playStream((_, reply) => sendProblem(reply, 409, "response_conflict"));
    const subscription = await new AgentEventBus({ url: bus.url, retry: QUICK }).subscribe(
      "CONTEXT_REQUESTED",
      () => ({}),
      { as: "librarian", log: { ...quiet, error: (message) => errors.push(message) } },
    );
    await bus.deliver("e-1");
    await bus.answers(1);
    await subscription.close();
    expect(errors).toEqual([]);
  });

  it("rejects when the stream is refused, and when it is called off before it is open", async () => {
    const { url } = await playBus((_, reply) => sendProblem(reply, 403, "forbidden"));
    await expect(new AgentEventBus({ url }).subscribe("*", () => undefined, { log: quiet })).rejects.toMatchObject({
      code: "forbidden",
    });

    const controller = new AbortController();
    const reason = new Error("enough");
    const silent = await playBus(() => controller.abort(reason));
    await expect(
      new AgentEventBus({ url: silent.url }).subscribe("*", () => undefined, { signal: controller.signal }),
    ).rejects.toBe(reason);
  });

  it("stays open over a connection that breaks", async () => {
    const { url, calls } = await playBus((call, reply, nth) => {
      if (call.path !== "/events/stream") return sendJson(reply, 200, {});
      openSse(reply);
      sendBlock(reply, { id: `c${nth}` });
      if (nth === 1) setTimeout(() => reply.destroy(), 10);
      else sendBlock(reply, { id: "c9", data: delivered("e-1") });
    });
    const ran = later();
    const subscription = await new AgentEventBus({ url, retry: QUICK }).subscribe("*", () => ran.resolve());
    await ran.promise;
    await subscription.close();
    expect(calls.map((call) => call.headers["last-event-id"])).toEqual([undefined, "c1"]);
  });
});
