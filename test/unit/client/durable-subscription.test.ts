import { describe, expect, it, vi } from "vitest";
import { AgentEventBus } from "../../../client/agent-event-bus.ts";
import { RejectedError } from "../../../client/errors.ts";
import type { SubscribeOptions } from "../../../client/subscribe-options.ts";
import { derivedId } from "../../../shared/hash.ts";
import { silentLogger } from "../../support/silent-logger.ts";
import { inMs } from "./called-subscriber.ts";
import { delivered, later, playBus, QUICK, sendProblem } from "./played-bus.ts";
import { closing, kindOf, playQueue } from "./played-queue.ts";

describe("subscribe with a durable name, against a server that plays the bus", () => {
  it("makes the queue of that name as it is wanted, and resolves once a first poll has been answered", async () => {
    const queue = await playQueue();
    const filter = { data: { topic: ["weather"] } };
    const subscription = await closing(
      queue.bus.subscribe("CONTEXT_REQUESTED", () => undefined, {
        durable: "librarian",
        filter,
        answers: false,
        visibility: 60,
        maxAttempts: 7,
        concurrency: 4,
      }),
    );
    expect(subscription).toMatchObject({ subscriber: "librarian", subscriptionId: "s-1" });
    expect(queue.calls[0]?.body).toEqual({
      name: "librarian",
      event_types: ["CONTEXT_REQUESTED"],
      target: { kind: "queue", visibility: 60, max_attempts: 7 },
      filter,
      answers: false,
    });
    await vi.waitFor(() => expect(queue.polls()).toHaveLength(2));
    expect(queue.polls().map(({ path, query }) => [path, Object.fromEntries(query)])).toEqual([
      ["/subscriptions/s-1/messages", { wait: "0", max: "4", visibility: "60" }],
      ["/subscriptions/s-1/messages", { wait: "20", max: "4", visibility: "60" }],
    ]);
  });

  it("leaves to the bus what is not said, and takes every type of the catalogue for *", async () => {
    const queue = await playQueue();
    await closing(queue.bus.subscribe("*", () => undefined, { durable: "librarian" }));
    expect(queue.calls[1]?.body).toEqual({
      name: "librarian",
      event_types: ["CONTEXT_REQUESTED", "SESSION_CREATED"],
      target: { kind: "queue" },
    });
  });

  it("answers with what the callback returns, and acknowledges after that", async () => {
    const queue = await playQueue();
    queue.put("e-1");
    await closing(
      queue.bus.subscribe("CONTEXT_REQUESTED", (event) => ({ about: event.data.topic ?? "" }), {
        durable: "librarian",
      }),
    );
    await vi.waitFor(() => expect(queue.acknowledged()).toEqual(["e-1.1"]));
    expect(queue.calls.map(kindOf).filter((kind) => kind !== "GET messages")).toEqual([
      "POST subscriptions",
      "POST responses",
      "POST ack",
    ]);
    const answer = queue.calls.find((call) => kindOf(call) === "POST responses");
    expect(answer?.query.get("as")).toBe("librarian");
    expect(answer?.body).toMatchObject({
      response: { about: "weather" },
      status: "ok",
      response_id: derivedId("response", "librarian", "e-1"),
    });
  });

  it("acknowledges without an answer what is past its deadline, what returns nothing, and what an observer saw", async () => {
    const queue = await playQueue();
    queue.put(delivered("e-1", { deadline: inMs(-1) }));
    queue.put("e-2");
    const seen: string[] = [];
    await closing(
      queue.bus.subscribe("*", (event) => void seen.push(event.id), { durable: "librarian", log: queue.log }),
    );
    const observed = await playQueue();
    observed.put("e-3");
    await closing(observed.bus.subscribe("*", () => ({ not: "sent" }), { durable: "audit", answers: false }));
    await vi.waitFor(() => expect(queue.acknowledged()).toEqual(["e-1.1", "e-2.1"]));
    await vi.waitFor(() => expect(observed.acknowledged()).toEqual(["e-3.1"]));
    expect(seen).toEqual(["e-2"]);
    expect([...queue.answers(), ...observed.answers()]).toEqual([]);
  });

  it("gives back what failed for longer and longer, with the reason, and tells who waits only with the last receive", async () => {
    const queue = await playQueue();
    const attempts: number[] = [];
    await closing(
      queue.bus.subscribe(
        "*",
        (_, context) => {
          attempts.push(context.attempt);
          throw new Error("no such shelf");
        },
        { durable: "librarian", log: silentLogger },
      ),
    );
    for (const attempt of [1, 2, 3, 4]) {
      queue.put("e-1", attempt);
      await vi.waitFor(() => expect(queue.givenBack()).toHaveLength(attempt));
    }
    expect(queue.givenBack().map(({ receipts, delay, reason }) => [receipts, delay, reason])).toEqual([
      [["e-1.1"], 1, "no such shelf"],
      [["e-1.2"], 2, "no such shelf"],
      [["e-1.3"], 4, "no such shelf"],
      [["e-1.4"], 8, "no such shelf"],
    ]);
    expect(queue.answers()).toEqual([]);
    queue.put("e-1", 5);
    await vi.waitFor(() => expect(queue.givenBack()).toHaveLength(5));
    expect(queue.answers()).toEqual([["e-1", "rejected", { error: { name: "Error", message: "no such shelf" } }]]);
    expect(attempts).toEqual([1, 2, 3, 4, 5]);
    expect(queue.acknowledged()).toEqual([]);
  });

  it("lets no pause between tries grow beyond a quarter of an hour", async () => {
    const queue = await playQueue({ maxAttempts: 100 });
    queue.put("e-1", 60);
    const failing = () => Promise.reject(new Error("broken"));
    await closing(queue.bus.subscribe("*", failing, { durable: "librarian", log: silentLogger }));
    await vi.waitFor(() => expect(queue.givenBack()).toMatchObject([{ delay: 900 }]));
  });

  it("gives as reason up to 200 whole characters", async () => {
    const queue = await playQueue();
    queue.put("e-1");
    const failing = () => Promise.reject(new Error(`${"x".repeat(199)}😀 and more`));
    await closing(queue.bus.subscribe("*", failing, { durable: "librarian", log: silentLogger }));
    await vi.waitFor(() => expect(queue.givenBack()).toMatchObject([{ reason: "x".repeat(199) }]));
  });

  it("is done at once with what a RejectedError refuses, and with what could only come again too late", async () => {
    const queue = await playQueue();
    queue.put("e-1");
    queue.put(delivered("e-2", { deadline: inMs(900) }));
    queue.put(delivered("e-3", { deadline: inMs(60_000) }));
    const refuse = (event: { id: string }) =>
      Promise.reject(event.id === "e-1" ? new RejectedError("not mine") : new Error("broken"));
    await closing(queue.bus.subscribe("*", refuse, { durable: "librarian", log: silentLogger }));
    await vi.waitFor(() => expect(queue.acknowledged().toSorted()).toEqual(["e-1.1", "e-2.1"]));
    await vi.waitFor(() => expect(queue.givenBack()).toMatchObject([{ receipts: ["e-3.1"] }]));
    expect(
      queue
        .answers()
        .map(([id, status]) => `${id} ${status}`)
        .toSorted(),
    ).toEqual(["e-1 rejected", "e-2 rejected"]);
  });

  it("does not give a callback what was kept for an earlier subscription of its name to another type", async () => {
    const queue = await playQueue();
    queue.put(delivered("e-1", { type: "SESSION_CREATED" }));
    queue.put("e-2");
    const seen: string[] = [];
    const subscription = queue.bus.subscribe("CONTEXT_REQUESTED", (event) => void seen.push(event.id), {
      durable: "librarian",
      log: silentLogger,
    });
    await closing(subscription);
    await vi.waitFor(() =>
      expect(queue.givenBack()).toMatchObject([
        { receipts: ["e-1.1"], reason: '"librarian" takes CONTEXT_REQUESTED now, not SESSION_CREATED.' },
      ]),
    );
    await vi.waitFor(() => expect(queue.acknowledged()).toEqual(["e-2.1"]));
    expect(seen).toEqual(["e-2"]);
  });

  it("runs no more callbacks at once than it may, and takes no more messages than it has room for", async () => {
    const queue = await playQueue();
    const gates = new Map(["e-1", "e-2", "e-3", "e-4"].map((id) => [id, later()]));
    for (const id of gates.keys()) queue.put(id);
    const begun: string[] = [];
    await closing(
      queue.bus.subscribe(
        "*",
        async (event) => {
          begun.push(event.id);
          await gates.get(event.id)?.promise;
        },
        { durable: "librarian", concurrency: 3 },
      ),
    );
    await vi.waitFor(() => expect(begun).toEqual(["e-1", "e-2", "e-3"]));
    expect(queue.polls().map(({ query }) => query.get("max"))).toEqual(["3"]);
    gates.get("e-2")?.resolve();
    await vi.waitFor(() => expect(begun).toHaveLength(4));
    expect(queue.polls().map(({ query }) => query.get("max"))).toEqual(["3", "1"]);
    for (const gate of gates.values()) gate.resolve();
    await vi.waitFor(() => expect(queue.acknowledged()).toHaveLength(4));
  });
});

describe("opening a durable subscription, against a server that plays the bus", () => {
  const misfits: [string, object][] = [
    ['"as" does not go with "durable"', { durable: "librarian", as: "other" }],
    ['"correlationId" does not go with "durable"', { durable: "librarian", correlationId: "c-1" }],
    ['"after" does not go with "durable"', { durable: "librarian", after: "cursor" }],
    ['"filter" goes only with "durable"', { filter: {} }],
    ['"visibility" goes only with "durable"', { as: "librarian", visibility: 30 }],
    ['"maxAttempts" goes only with "durable"', { maxAttempts: 3 }],
    ['"concurrency" must be a whole number of at least 1, not 0', { durable: "librarian", concurrency: 0 }],
  ];
  it.each(misfits)("says what cannot be: %s", async (message, options) => {
    const { url, calls } = await playBus(() => undefined);
    const bus = new AgentEventBus({ url });
    await expect(bus.subscribe("*", () => undefined, options as SubscribeOptions)).rejects.toThrow(message);
    expect(calls).toEqual([]);
  });

  it("rejects when the bus refuses, and names the URL that an older deployment's map lacks", async () => {
    const { url } = await playBus((_, reply) => sendProblem(reply, 422, "invalid_request"));
    const options = { durable: "librarian", log: silentLogger };
    const refused = new AgentEventBus({ url }).subscribe("PING" as "SESSION_CREATED", () => undefined, options);
    await expect(refused).rejects.toMatchObject({ code: "invalid_request" });
    const older = new AgentEventBus({ urls: { emit: url } }).subscribe("SESSION_CREATED", () => undefined, options);
    await expect(older).rejects.toThrow('There is no URL for "subscriptions"');
  });

  it("is tried as often as any call while the bus fails, for the queue and for the first poll", async () => {
    const failures = new Map([
      ["POST subscriptions", 2],
      ["GET messages", 2],
    ]);
    const queue = await playQueue({
      onCall(call) {
        const left = failures.get(kindOf(call)) ?? 0;
        failures.set(kindOf(call), left - 1);
        return left > 0 ? [503, "unavailable"] : undefined;
      },
    });
    await closing(queue.bus.subscribe("SESSION_CREATED", () => undefined, { durable: "librarian" }));
    expect(queue.polls().filter(({ query }) => query.get("wait") === "0")).toHaveLength(3);

    const down = await playQueue({ onCall: () => [503, "unavailable"] });
    const opening = down.bus.subscribe("SESSION_CREATED", () => undefined, { durable: "librarian" });
    await expect(opening).rejects.toMatchObject({ code: "unavailable" });
    expect(down.calls).toHaveLength(QUICK.tries);
  });

  it("can be called off before it is open", async () => {
    const controller = new AbortController();
    const reason = new Error("enough");
    const silent = await playBus(() => controller.abort(reason));
    const opening = new AgentEventBus({ url: silent.url }).subscribe("SESSION_CREATED", () => undefined, {
      durable: "librarian",
      signal: controller.signal,
    });
    await expect(opening).rejects.toBe(reason);
  });
});
