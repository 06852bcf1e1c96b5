import { describe, expect, test } from "vitest";
import { createWakeups, wakingStore } from "../../../local/wakeups.ts";
import { openAgent } from "../../../shared/agents/agent.ts";
import { openRequest } from "../../../shared/request.ts";
import { respond } from "../../../shared/respond.ts";
import { waitForEnd } from "../../../shared/wait.ts";
import { busInMemory } from "../../support/bus-in-memory.ts";

const question = { type: "CONTEXT_REQUESTED", data: {}, timeout: 60 };
const asker = { agent: openAgent("asker") };
const answerer = { agent: openAgent("answerer") };

/** A bus in which every write wakes its waits, on a real clock; its fallback read is further away than the test takes. */
function wakingBus() {
  const bus = busInMemory();
  const wakeups = createWakeups();
  const started = performance.now();
  const clock = { now: () => Date.now(), monotonic: () => performance.now() - started };
  let reads = 0;
  const getRequest = bus.store.getRequest.bind(bus.store);
  bus.clock.nowMs = Date.now();
  const deps = { ...bus.deps, ...clock, pause: wakeups.pause, surelyWokenMs: 600_000 };
  const store = wakingStore(bus.store, wakeups);
  return {
    deps: { ...deps, store },
    readsDo(first: (eventId: string) => Promise<void>) {
      store.getRequest = async (eventId) => {
        reads++;
        const read = await getRequest(eventId);
        await first(eventId);
        return read;
      };
    },
    get reads() {
      return reads;
    },
  };
}

describe("where every write wakes whoever waits for it", () => {
  test("a wait reads when it is woken, and hardly ever else", async () => {
    const bus = wakingBus();
    bus.readsDo(async () => {});
    const { request } = await openRequest(bus.deps, question, asker);
    const held = waitForEnd(bus.deps, request, { holdMs: 50_000 });
    // Past the first look.
    await expect.poll(() => bus.reads).toBe(1);
    await bus.deps.store.noteProgress(request.eventId);
    await expect.poll(() => bus.reads).toBe(2);
    const body = { response: {}, reply_token: request.replyToken };
    const answered = respond(bus.deps, request.eventId, body, answerer);
    expect((await held).request.state).toBe("ANSWERED");
    await answered;
    // The answer's own reads are its business; the wait's are these.
    expect(bus.reads).toBeLessThanOrEqual(5);
  });

  test("an answer that comes while the record is being read is not slept through", async () => {
    const bus = wakingBus();
    const { request } = await openRequest(bus.deps, question, asker);
    let isAnswered = false;
    bus.readsDo(async (eventId) => {
      if (isAnswered) return;
      isAnswered = true;
      const body = { response: {}, reply_token: request.replyToken };
      await respond(bus.deps, eventId, body, answerer);
    });
    expect((await waitForEnd(bus.deps, request, { holdMs: 50_000 })).request.state).toBe("ANSWERED");
  });

  test("a wait still ends when it may be held no longer, when nobody is there any more, and at its deadline", async () => {
    const bus = wakingBus();
    const { request } = await openRequest(bus.deps, { ...question, timeout: 0.3 }, asker);
    expect((await waitForEnd(bus.deps, request, { holdMs: 40 })).kind).toBe("pending");
    const gone = new AbortController();
    const held = waitForEnd(bus.deps, request, { holdMs: 50_000, signal: gone.signal });
    gone.abort();
    expect((await held).kind).toBe("pending");
    const late = waitForEnd(bus.deps, request, { holdMs: 50_000, signal: AbortSignal.abort() });
    expect((await late).kind).toBe("pending");
    expect((await waitForEnd(bus.deps, request, { holdMs: 50_000 })).request.state).toBe("TIMED_OUT");
  });
});
