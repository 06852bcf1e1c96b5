import { describe, expect, it, onTestFinished, vi } from "vitest";
import type { SubscriberContext } from "../../../client/context.ts";
import { silentLogger } from "../../support/silent-logger.ts";
import { later, type PlayedCall, QUICK } from "./played-bus.ts";
import { closing, kindOf, playQueue } from "./played-queue.ts";

const nothing = (): undefined => undefined;

describe("a durable subscription while things fail, against a server that plays the bus", () => {
  it("is polled again through a bus that is down, restarts, is busy or answers nonsense, and logs the outage once", async () => {
    const failures = [
      [503, "unavailable"],
      "drop",
      [429, "rate_limited"],
      [500, "internal"],
      "drop",
      [200, {}],
    ] as const;
    const left: (typeof failures)[number][] = [];
    const queue = await playQueue({
      onCall(call) {
        const failure = kindOf(call) === "GET messages" ? left.shift() : undefined;
        return failure === undefined || failure === "drop" ? failure : [...failure];
      },
    });
    const seen: string[] = [];
    const callback = (event: { id: string }) => void seen.push(event.id);
    const subscription = await closing(queue.bus.subscribe("*", callback, { durable: "librarian", log: queue.log }));
    for (const id of ["e-1", "e-2"]) {
      // The poll that is held brings the event: the failures come after it.
      await vi.waitFor(() => expect(queue.isPolled()).toBe(true));
      left.push(...failures, ...failures);
      queue.put(id);
      await vi.waitFor(() => expect(queue.acknowledged()).toContain(`${id}.1`));
      await vi.waitFor(() => expect(left).toEqual([]));
    }
    queue.put("e-3");
    await vi.waitFor(() => expect(queue.acknowledged()).toContain("e-3.1"));
    expect(seen).toEqual(["e-1", "e-2", "e-3"]);
    expect(queue.lines.map(({ level, message }) => [level, message])).toEqual([
      ["warn", "the queue cannot be polled; tried until it can"],
      ["info", "the queue is polled again"],
      ["warn", "the queue cannot be polled; tried until it can"],
      ["info", "the queue is polled again"],
    ]);
    await subscription.close();
  });

  it("makes a subscription again that was deleted, even if that fails at first", async () => {
    let isDeleted = false;
    let failures = QUICK.tries + 1;
    const queue = await playQueue({
      onCall(call) {
        if (!isDeleted) return undefined;
        if (kindOf(call) === "GET messages") return [404, "not_found"];
        if (kindOf(call) !== "POST subscriptions") return undefined;
        if (failures-- > 0) return [503, "unavailable"];
        isDeleted = false;
        return undefined;
      },
    });
    const filter = { data: { topic: ["weather"] } };
    await closing(queue.bus.subscribe("CONTEXT_REQUESTED", nothing, { durable: "librarian", filter, log: queue.log }));
    await vi.waitFor(() => expect(queue.polls()).toHaveLength(2));
    isDeleted = true;
    queue.put("e-1");
    await vi.waitFor(() => expect(failures).toBeLessThan(0));
    queue.put("e-2");
    await vi.waitFor(() => expect(queue.acknowledged()).toEqual(["e-1.1", "e-2.1"]));
    const made = queue.calls.filter((call) => kindOf(call) === "POST subscriptions").map(({ body }) => body);
    expect(made.at(-1)).toEqual(made[0]);
    expect(queue.lines[0]).toMatchObject({ level: "warn", message: "the subscription was deleted: it is made again" });
  });

  it.each([
    [401, "unauthenticated"],
    [403, "forbidden"],
    [422, "invalid_request"],
  ])("ends with the log when it is refused for good: %i", async (status, code) => {
    let isRefused = false;
    const queue = await playQueue({ onCall: () => (isRefused ? [status, code] : undefined) });
    const options = { durable: "librarian", log: queue.log };
    const subscription = await queue.bus.subscribe("SESSION_CREATED", nothing, options);
    await vi.waitFor(() => expect(queue.polls()).toHaveLength(2));
    isRefused = true;
    queue.put("e-1");
    await subscription.closed;
    expect(queue.lines.at(-1)).toMatchObject({
      level: "error",
      message: "the subscription ended",
      fields: { subscriber: "librarian", error: `AgentEventBusError: played ${code}` },
    });
  });

  it("waits between polls that are not held, as those of a disabled subscription are", async () => {
    vi.spyOn(Math, "random").mockReturnValue(1);
    onTestFinished(() => void vi.restoreAllMocks());
    const queue = await playQueue({
      retry: { tries: 1, baseMs: 60_000, capMs: 60_000 },
      onCall: (call) => (kindOf(call) === "GET messages" ? [200, { messages: [] }] : undefined),
    });
    const subscription = await queue.bus.subscribe("SESSION_CREATED", nothing, { durable: "librarian" });
    await vi.waitFor(() => expect(queue.polls()).toHaveLength(2));
    for (let i = 0; i < 10; i++) await queue.bus.getEvent("e-1");
    expect(queue.polls()).toHaveLength(2);
    await subscription.close();
  });
});

describe("acknowledgements of a durable subscription, against a server that plays the bus", () => {
  it("go in one call for what ends together", async () => {
    const queue = await playQueue();
    const gate = later();
    let running = 0;
    for (const id of ["e-1", "e-2", "e-3"]) queue.put(id);
    const wait = async (): Promise<void> => {
      if (++running === 3) gate.resolve();
      await gate.promise;
    };
    await closing(queue.bus.subscribe("*", wait, { durable: "librarian" }));
    await vi.waitFor(() => expect(queue.acknowledged().toSorted()).toEqual(["e-1.1", "e-2.1", "e-3.1"]));
    expect(queue.calls.filter((call) => kindOf(call) === "POST ack")).toHaveLength(1);
  });

  it("are tried again; and an event that comes again because they were lost is not worked on twice", async () => {
    let failures = 1;
    const queue = await playQueue({
      onCall: (call) => (kindOf(call) === "POST ack" && failures-- > 0 ? "drop" : undefined),
    });
    const seen: string[] = [];
    const callback = (event: { id: string }) => void seen.push(event.id);
    await closing(queue.bus.subscribe("*", callback, { durable: "librarian", log: queue.log }));
    queue.put("e-1");
    await vi.waitFor(() => expect(queue.acknowledged()).toEqual(["e-1.1", "e-1.1"]));
    expect(queue.lines).toEqual([]);

    failures = QUICK.tries;
    queue.put("e-2");
    await vi.waitFor(() =>
      expect(queue.lines).toMatchObject([{ level: "warn", message: expect.stringContaining("comes again") }]),
    );
    queue.put("e-2", 2);
    await vi.waitFor(() => expect(queue.acknowledged().at(-1)).toBe("e-2.2"));
    queue.put("e-1", 2);
    await vi.waitFor(() => expect(queue.acknowledged().at(-1)).toBe("e-1.2"));
    expect(seen).toEqual(["e-1", "e-2"]);
  });

  it("say in the log that they came too late", async () => {
    const queue = await playQueue();
    queue.expire("e-1.1");
    queue.put("e-1");
    await closing(queue.bus.subscribe("*", nothing, { durable: "librarian", log: queue.log }));
    await vi.waitFor(() =>
      expect(queue.lines).toMatchObject([
        {
          level: "warn",
          message: "a message was acknowledged too late: it may come again",
          fields: { event_id: "e-1" },
        },
      ]),
    );
  });
});

describe("a long callback of a durable subscription, against a server that plays the bus", () => {
  /** A subscription whose callbacks run until the test says so; hidden for 60 ms only, so that nobody has to wait. */
  async function setUp(onCall?: (call: PlayedCall) => "drop" | undefined | Promise<undefined>) {
    const queue = await playQueue({ visibility: 0.06, ...(onCall === undefined ? {} : { onCall }) });
    const contexts: SubscriberContext[] = [];
    const ends = later<"answer" | "fail">();
    const callback = async (_: unknown, context: SubscriberContext) => {
      contexts.push(context);
      if ((await ends.promise) === "fail") throw new Error("broken");
      return { found: true };
    };
    const options = { durable: "librarian", log: queue.log };
    const subscription = await closing(queue.bus.subscribe("*", callback, options));
    // Registered last, this runs first: a test that fails must not leave callbacks for closing to wait for.
    onTestFinished(() => ends.resolve("answer"));
    queue.put("e-1");
    await vi.waitFor(() => expect(contexts).toHaveLength(1));
    return { queue, contexts, ends, subscription };
  }

  it("keeps its message hidden, again and again, until it ends", async () => {
    const { queue, ends, subscription } = await setUp();
    await vi.waitFor(() => expect(queue.extended().length).toBeGreaterThan(2));
    expect(new Set(queue.extended())).toEqual(new Set(["e-1.1"]));
    expect(queue.calls.find((call) => kindOf(call) === "POST extend")?.body.visibility).toBe(0.06);
    ends.resolve("answer");
    await subscription.close();
    expect(queue.acknowledged()).toEqual(["e-1.1"]);
    expect(queue.calls.map(kindOf).at(-1)).toBe("POST ack");
  });

  it("keeps it hidden through failures of that, and logs them once", async () => {
    let failures = 3 * QUICK.tries;
    const { queue, ends, subscription } = await setUp((call) =>
      kindOf(call) === "POST extend" && failures-- > 0 ? "drop" : undefined,
    );
    await vi.waitFor(() => expect(failures).toBeLessThan(0));
    ends.resolve("answer");
    await subscription.close();
    expect(queue.acknowledged()).toEqual(["e-1.1"]);
    expect(queue.lines.map(({ message }) => message)).toEqual([
      "a message could not be kept hidden: it may come again early",
    ]);
  });

  it("is told by its signal when its message was taken by another process, and what then fails is left to that one", async () => {
    const { queue, contexts, ends, subscription } = await setUp();
    queue.expire("e-1.1");
    await vi.waitFor(() => expect(contexts[0]?.signal.aborted).toBe(true));
    ends.resolve("fail");
    await subscription.close();
    expect(contexts[0]?.signal.reason).toMatchObject({ name: "AbortError" });
    expect([...queue.givenBack(), ...queue.acknowledged(), ...queue.answers()]).toEqual([]);
    expect(queue.lines[0]).toMatchObject({ level: "warn", fields: { event_id: "e-1" } });
  });

  it("is not called a second time for a message that comes again meanwhile, and acknowledges that one", async () => {
    const { queue, contexts, ends, subscription } = await setUp();
    queue.expire("e-1.1");
    queue.put("e-1", 2);
    await vi.waitFor(() => expect(queue.extended()).toContain("e-1.2"));
    ends.resolve("answer");
    await subscription.close();
    expect(contexts).toHaveLength(1);
    expect(queue.acknowledged()).toEqual(["e-1.2"]);
    expect(queue.answers()).toHaveLength(1);
  });

  it("is not called off when its message comes again to this process while it is being kept hidden", async () => {
    const extending = later();
    const isBack = later();
    const { queue, contexts, ends, subscription } = await setUp(async (call) => {
      if (kindOf(call) !== "POST extend") return;
      extending.resolve();
      await isBack.promise;
    });
    await extending.promise;
    queue.expire("e-1.1");
    queue.put("e-1", 2);
    await vi.waitFor(() => expect(queue.polls()).toHaveLength(4));
    isBack.resolve();
    await vi.waitFor(() => expect(queue.extended()).toContain("e-1.2"));
    expect(contexts[0]?.signal.aborted).toBe(false);
    ends.resolve("answer");
    await subscription.close();
    expect(queue.acknowledged()).toEqual(["e-1.2"]);
  });
});

describe("closing a durable subscription, against a server that plays the bus", () => {
  it("lets callbacks end and acknowledges them, polls no more, and leaves the queue standing", async () => {
    const queue = await playQueue();
    const gate = later();
    const begun = later();
    const subscription = await queue.bus.subscribe(
      "*",
      async () => {
        begun.resolve();
        await gate.promise;
        return { done: true };
      },
      { durable: "librarian" },
    );
    queue.put("e-1");
    await begun.promise;
    await vi.waitFor(() => expect(queue.polls()).toHaveLength(3));
    const closed = subscription.close();
    await queue.polls()[2]?.gone;
    gate.resolve();
    await closed;
    await subscription.closed;
    expect(queue.acknowledged()).toEqual(["e-1.1"]);
    expect(queue.polls()).toHaveLength(3);
    expect(queue.calls.some(({ method }) => method === "DELETE")).toBe(false);
  });

  it("gives back at once what the last poll brings, but for what would then be dead", async () => {
    const queue = await playQueue({ maxAttempts: 3, retry: { ...QUICK, capMs: 1_000 } });
    const seen: string[] = [];
    const callback = (event: { id: string }) => void seen.push(event.id);
    const controller = new AbortController();
    const options = { durable: "librarian", signal: controller.signal, log: silentLogger };
    const subscription = await queue.bus.subscribe("*", callback, options);
    await vi.waitFor(() => expect(queue.polls()).toHaveLength(2));
    controller.abort();
    queue.putTogether(["e-1", 1], ["e-2", 3], ["e-3", 2]);
    await subscription.closed;
    expect(queue.givenBack()).toEqual([
      { receipts: ["e-1.1", "e-3.2"], delay: 0, reason: "not begun: the subscriber was closed" },
    ]);
    expect(seen).toEqual(["e-2"]);
    expect(queue.acknowledged()).toEqual(["e-2.3"]);
  });
});
