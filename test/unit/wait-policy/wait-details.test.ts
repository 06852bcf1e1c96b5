/** What the other tests of the wait would not notice. */
import { describe, expect, test } from "vitest";
import { createWakeups, wakingStore } from "../../../local/wakeups.ts";
import { openAgent } from "../../../shared/agents/agent.ts";
import { openRequest } from "../../../shared/request.ts";
import { respond } from "../../../shared/respond.ts";
import { type WaitDeps, waitForEnd } from "../../../shared/wait.ts";
import { type AnswerTimes, answerTimesOf } from "../../../shared/wait-policy/answer-times.ts";
import { createKnownAnswerTimes } from "../../../shared/wait-policy/known-answer-times.ts";
import { blindGapMs, next } from "../../../shared/wait-policy/next-read.ts";
import { planReads } from "../../../shared/wait-policy/read-plan.ts";
import { busInMemory } from "../../support/bus-in-memory.ts";
import { silentLogger } from "../../support/silent-logger.ts";

const TYPE = "CONTEXT_REQUESTED";
const question = { type: TYPE, data: {}, timeout: 600 };
const asker = { agent: openAgent("asker") };
const answerer = { agent: openAgent("answerer") };

/** On virtual time, with how long each pause before a read was asked to be, and when each read was made. */
function watchedWait() {
  const bus = busInMemory();
  const gapsMs: number[] = [];
  const readsAtMs: number[] = [];
  const deps: WaitDeps = {
    ...bus.deps,
    pause: (ms, topic, signal) => {
      // A pause without a topic only bounds a read.
      if (topic !== "") gapsMs.push(ms);
      return bus.deps.pause(ms, topic, signal);
    },
    readRequest: (eventId) => {
      readsAtMs.push(bus.clock.nowMs);
      return bus.store.getRequest(eventId);
    },
  };
  return { bus, deps, gapsMs, readsAtMs };
}

describe("a wait that goes on in another call", () => {
  test("reads as seldom as one that has been held all the time: its time counts from its beginning", async () => {
    const { bus, deps, gapsMs } = watchedWait();
    const { request } = await openRequest(deps, question, asker);
    bus.clock.nowMs += 180_000;
    await waitForEnd(deps, request, { holdMs: 30_000 });
    expect(gapsMs[0]).toBeCloseTo(blindGapMs(180_000), 6);
    expect(gapsMs.length).toBeLessThan(30_000 / blindGapMs(180_000) + 1);
  });
});

describe("a wait that ends at its deadline", () => {
  test("makes no read then: the write that ends it tells", async () => {
    const { bus, deps, readsAtMs } = watchedWait();
    const { request } = await openRequest(deps, { ...question, timeout: 5 }, asker);
    const end = await waitForEnd(deps, request, { holdMs: 30_000 });
    expect(end.request.state).toBe("TIMED_OUT");
    expect(bus.clock.nowMs).toBe(Date.parse(request.deadline));
    expect(readsAtMs.length).toBeGreaterThan(5);
    expect(readsAtMs.every((atMs) => atMs < bus.clock.nowMs)).toBe(true);
  });
});

describe("a process learns", () => {
  test("from a question that was turned down, as from one that was answered", async () => {
    const { bus, deps } = watchedWait();
    const { store, now, monotonic } = bus.deps;
    const answerTimes = createKnownAnswerTimes({ store, log: silentLogger, now, monotonic });
    const { request } = await openRequest(deps, question, asker);
    const held = waitForEnd({ ...deps, answerTimes }, request, { holdMs: 30_000 });
    const body = { response: { reason: "not now" }, status: "rejected", reply_token: request.replyToken };
    await respond(bus.deps, request.eventId, body, answerer);
    expect((await held).request.state).toBe("FAILED");
    expect(answerTimes.planFor(TYPE)?.answers).toBe(1);
  });

  test("what others have learnt in place of what it knew, though it is of as many answers or fewer", async () => {
    const told: AnswerTimes[] = [50, 20_000].map((answerMs, i) => answerTimesOf(Array(600 - 200 * i).fill(answerMs)));
    const clock = { ms: 0 };
    const known = createKnownAnswerTimes({
      store: {
        ...busInMemory().store,
        getAnswerTimes: async () => ({ times: told.shift() ?? new Map(), version: 1 }),
      } as never,
      log: silentLogger,
      now: () => clock.ms,
      monotonic: () => clock.ms,
    });
    known.planFor(TYPE);
    await expect.poll(() => known.planFor(TYPE)?.answers).toBe(600);
    clock.ms += 3_600_000;
    known.planFor(TYPE);
    await expect.poll(() => known.planFor(TYPE)?.answers).toBe(400);
    const slow = planReads(answerTimesOf(Array(400).fill(20_000)));
    expect(next(45, known.planFor(TYPE))).toBe(next(45, slow));
  });
});

/** On a real clock, where every write wakes; its fallback read is further away than the test takes. */
function wakingWait() {
  const bus = busInMemory();
  bus.clock.nowMs = Date.now();
  const wakeups = createWakeups();
  const sleeping = new Set<object>();
  const reads = { count: 0, during: async (): Promise<void> => {} };
  const deps: WaitDeps = {
    ...bus.deps,
    store: wakingStore(bus.store, wakeups),
    now: Date.now,
    monotonic: () => performance.now(),
    surelyWokenMs: 600_000,
    pause: async (ms, topic, signal) => {
      const sleeper = {};
      sleeping.add(sleeper);
      await wakeups.pause(ms, topic, signal);
      sleeping.delete(sleeper);
    },
    readRequest: async (eventId) => {
      reads.count++;
      const read = await bus.store.getRequest(eventId);
      await reads.during();
      return read;
    },
  };
  return { deps, reads, sleeping };
}

describe("where every write wakes whoever waits for it", () => {
  const holdMs = 500_000;

  test("a wait is told an answer that came while it read, and not when it looks again long after", async () => {
    const { deps, reads } = wakingWait();
    const { request } = await openRequest(deps, question, asker);
    const body = { response: {}, reply_token: request.replyToken };
    reads.during = async () => {
      if (reads.count === 1) await respond(deps, request.eventId, body, answerer);
    };
    let told: string | null = null;
    void waitForEnd(deps, request, { holdMs }).then((end) => {
      told = end.request.state;
    });
    await expect.poll(() => told, { timeout: 10_000 }).toBe("ANSWERED");
  });

  test("a wait ends once nobody is there any more, while it sleeps too, and leaves nothing asleep", async () => {
    const { deps, reads, sleeping } = wakingWait();
    const { request } = await openRequest(deps, question, asker);
    const gone = new AbortController();
    let kind: string | null = null;
    void waitForEnd(deps, request, { holdMs, signal: gone.signal }).then((end) => {
      kind = end.kind;
    });
    await expect.poll(() => reads.count).toBe(1);
    await expect.poll(() => sleeping.size).toBe(1);
    expect(kind).toBeNull();
    gone.abort();
    await expect.poll(() => kind, { timeout: 10_000 }).toBe("pending");
    await expect.poll(() => sleeping.size).toBe(0);
  });

  test("a wait that has its answer leaves nothing asleep", async () => {
    const { deps, reads, sleeping } = wakingWait();
    const { request } = await openRequest(deps, question, asker);
    const held = waitForEnd(deps, request, { holdMs });
    await expect.poll(() => reads.count).toBe(1);
    const body = { response: {}, reply_token: request.replyToken };
    await respond(deps, request.eventId, body, answerer);
    expect((await held).request.state).toBe("ANSWERED");
    await expect.poll(() => sleeping.size).toBe(0);
  });
});
