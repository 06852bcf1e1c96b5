import { describe, expect, test } from "vitest";
import { createRequestReads } from "../../../functions/runtime/shared-request-reads.ts";
import { createWakeups } from "../../../local/wakeups.ts";
import { openAgent } from "../../../shared/agents/agent.ts";
import { openRequest } from "../../../shared/request.ts";
import { respond } from "../../../shared/respond.ts";
import { waitForEnd } from "../../../shared/wait.ts";
import { busInMemory } from "../../support/bus-in-memory.ts";

const question = { type: "CONTEXT_REQUESTED", data: {}, timeout: 60 };
const asker = { agent: openAgent("asker") };

/** A store that notes which reads it is asked for. */
async function countedReads(requests: number, later?: Parameters<typeof createRequestReads>[1]) {
  const bus = busInMemory();
  const ids: string[] = [];
  for (let i = 0; i < requests; i++) ids.push((await openRequest(bus.deps, question, asker)).request.eventId);
  const calls: (readonly string[])[] = [];
  const read = createRequestReads(
    {
      getRequest: (eventId) => {
        calls.push(["alone", eventId]);
        return bus.store.getRequest(eventId);
      },
      getRequests: (eventIds) => {
        calls.push(eventIds);
        return bus.store.getRequests(eventIds);
      },
    },
    later,
  );
  return { bus, ids, calls, read };
}

describe("waits of one process", () => {
  test("that are due in the same turn are read in one call, each request once", async () => {
    const { ids, calls, read } = await countedReads(3);
    const found = await Promise.all([...ids, ...ids].map(read));
    expect(found.map((request) => request?.eventId)).toEqual([...ids, ...ids]);
    expect(calls).toEqual([ids]);
  });

  test("that are due on timers of the same turn are read in one call", async () => {
    const { ids, calls, read } = await countedReads(20);
    const reading = ids.map((id, i) => new Promise((resolve) => setTimeout(() => resolve(read(id)), 20 + (i % 5))));
    // All are over by the time that the next turn begins.
    const allSet = performance.now();
    while (performance.now() < allSet + 30);
    await Promise.all(reading);
    // In which order, is the timers' affair.
    expect(calls.map((together) => [...together].sort())).toEqual([ids]);
  });

  test("that are woken together are read in one call, and wait for nobody else's time", async () => {
    const { ids, calls, read } = await countedReads(1, queueMicrotask);
    const { pause, wake } = createWakeups();
    const [id = ""] = ids;
    let turns = 0;
    const reading = [1, 2, 3].map(async () => {
      await pause(60_000, id);
      await read(id);
      return turns;
    });
    wake(id);
    setImmediate(() => turns++);
    expect(await Promise.all(reading)).toEqual([0, 0, 0]);
    expect(calls).toEqual([["alone", id]]);
  });

  test("that are alone are read alone, in the same turn of the event loop", async () => {
    const { ids, calls, read } = await countedReads(1);
    const reading = read(ids[0] as string);
    await new Promise((resolve) => setImmediate(resolve));
    expect(calls).toEqual([["alone", ...ids]]);
    expect((await reading)?.eventId).toBe(ids[0]);
  });

  test("see what was written before they asked, also while another read is under way", async () => {
    const { bus, ids, calls, read } = await countedReads(1);
    const [id = ""] = ids;
    const before = read(id);
    await new Promise((resolve) => setImmediate(resolve));
    const { replyToken } = (await bus.store.getRequest(id)) as { replyToken: string };
    const body = { response: {}, reply_token: replyToken };
    await respond(bus.deps, id, body, { agent: openAgent("answerer") });
    expect((await read(id))?.state).toBe("ANSWERED");
    expect((await before)?.state).toBe("PENDING");
    expect(calls).toEqual([
      ["alone", id],
      ["alone", id],
    ]);
  });

  test("are told nothing of requests that are not there, and all fail together with their read", async () => {
    const { ids, read } = await countedReads(1);
    expect(await Promise.all([read("none"), read(ids[0] as string)])).toMatchObject([null, { eventId: ids[0] }]);
    const failing = createRequestReads({
      getRequest: () => Promise.reject(new Error("down")),
      getRequests: () => Promise.reject(new Error("down")),
    });
    const outcomes = await Promise.allSettled([failing("a"), failing("b"), failing("a")]);
    expect(outcomes.map(({ status }) => status)).toEqual(["rejected", "rejected", "rejected"]);
    await expect(failing("a")).rejects.toThrow("down");
  });

  test("for a hundred questions asked at once make far fewer calls than reads", async () => {
    const { bus, ids, calls, read } = await countedReads(100);
    const { pause } = createWakeups();
    const deps = { ...bus.deps, readRequest: read, pause, monotonic: () => performance.now() };
    const requests = await bus.store.getRequests(ids);
    const ends = await Promise.all(requests.map((request) => waitForEnd(deps, request, { holdMs: 300 })));
    expect(ends.every(({ kind }) => kind === "pending")).toBe(true);
    const reads = calls.reduce((sum, together) => sum + together.length, 0);
    expect(calls.length).toBeLessThan(reads / 5);
  });
});
