import { describe, expect, it } from "vitest";
import { createRememberedReads, rememberingStore } from "../../../local/remembered-reads.ts";
import type { ListenerLease } from "../../../shared/records.ts";
import { aRequest } from "../../contract/event-store.suite.ts";
import { MemoryEventStore } from "../../support/memory-event-store.ts";

function opened() {
  const memory = new MemoryEventStore();
  const reads = { listeners: 0, counts: 0 };
  const { getListeners, countHeld } = memory;
  memory.getListeners = (type, nowMs) => {
    reads.listeners++;
    return getListeners.call(memory, type, nowMs);
  };
  memory.countHeld = (...asked) => {
    reads.counts++;
    return countHeld.apply(memory, asked);
  };
  return { memory, reads, store: rememberingStore(memory, createRememberedReads()) };
}

const lease = (name: string, leasedUntil: number): ListenerLease => ({
  eventType: "ASKED",
  name,
  streamId: name,
  kind: "stream",
  leasedUntil,
});

describe("who listens to a type", () => {
  it("is read once, and again after each of them that comes, goes on or goes", async () => {
    const { store, reads } = opened();
    const names = async (nowMs: number) => (await store.getListeners("ASKED", nowMs)).map(({ name }) => name).sort();
    await store.putListener(lease("a", 100));
    expect([await names(1), await names(2)]).toEqual([["a"], ["a"]]);
    expect(reads.listeners).toBe(1);
    await store.putListener(lease("b", 200));
    expect(await names(3)).toEqual(["a", "b"]);
    await store.putListener(lease("a", 300));
    expect(await names(250)).toEqual(["a"]);
    await store.deleteListener(lease("a", 0));
    expect(await names(251)).toEqual([]);
    await store.putListener({ ...lease("c", 900), eventType: "OTHER" });
    expect(await names(252)).toEqual([]);
    expect(reads.listeners).toBe(4);
  });

  it("leaves out those whose lease has run out since", async () => {
    const { store } = opened();
    await store.putListener(lease("a", 100));
    expect(await store.getListeners("ASKED", 99)).toHaveLength(1);
    expect(await store.getListeners("ASKED", 100)).toEqual([]);
  });

  it("is told anew to who asks after a write, whatever was being read when it began", async () => {
    const { store, memory } = opened();
    let goOn: () => void = () => undefined;
    const slow = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    const { getListeners, putListener } = memory;
    memory.getListeners = async (type, nowMs) => {
      const found = await getListeners.call(memory, type, nowMs);
      await slow;
      return found;
    };
    memory.putListener = async (one) => {
      // Somebody asks while it is written.
      void store.getListeners("ASKED", 1);
      await putListener.call(memory, one);
    };
    void store.getListeners("ASKED", 1);
    await store.putListener(lease("a", 100));
    const after = store.getListeners("ASKED", 1);
    goOn();
    expect(await after).toHaveLength(1);
  });

  it("is read again after a read that failed", async () => {
    const { store, memory } = opened();
    const { getListeners } = memory;
    memory.getListeners = () => Promise.reject(new Error("broken"));
    await expect(store.getListeners("ASKED", 1)).rejects.toThrow("broken");
    memory.getListeners = getListeners;
    expect(await store.getListeners("ASKED", 1)).toEqual([]);
  });
});

describe("how many waits an agent has open", () => {
  const AT = "2026-06-01T12:00:00.000Z";
  const opens = (requester: string) => aRequest({ requester, deadline: "2026-06-01T12:10:00.000Z" });

  it("is counted once, and again when those that were opened since could be too many", async () => {
    const { store, reads } = opened();
    const held = () => store.countHeld("wait", "agent", AT, 5);
    expect((await held()).count).toBe(0);
    const requests = Array.from({ length: 5 }, () => opens("agent"));
    for (const request of requests.slice(0, 4)) {
      await store.createRequest(request);
      expect((await held()).count).toBeLessThan(5);
    }
    expect(reads.counts).toBe(1);
    await store.createRequest(requests[4] as (typeof requests)[number]);
    expect(await held()).toEqual({ count: 5, firstEndsAt: "2026-06-01T12:10:00.000Z" });
    expect(reads.counts).toBe(2);
    const end = { state: "CANCELLED" as const, at: AT, expiresAt: 9e9 };
    await store.endRequest({ eventId: (requests[0] as (typeof requests)[number]).eventId, ...end });
    expect((await held()).count).toBe(4);
  });

  it("never comes out as fewer than there are, however they are opened and counted at once", async () => {
    const { store, memory } = opened();
    const most = 1_000;
    for (let round = 0; round < 20; round++) {
      const work = Array.from({ length: 10 }, async (_, i) => {
        if (i % 3 === 0) await store.countHeld("wait", "agent", AT, round % 2 === 0 ? most : 1);
        await store.createRequest(opens("agent"));
      });
      await Promise.all(work);
      const { count } = await store.countHeld("wait", "agent", AT, most);
      expect(count).toBeGreaterThanOrEqual((await memory.countHeld("wait", "agent", AT, most)).count);
    }
  });

  it("includes one that is being opened while they are counted, and so cannot be seen yet", async () => {
    const { store, memory } = opened();
    let goOn: () => void = () => undefined;
    const slow = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    const { createRequest } = memory;
    memory.createRequest = async (request) => {
      await slow;
      return createRequest.call(memory, request);
    };
    const opening = store.createRequest(opens("agent"));
    await store.countHeld("wait", "agent", AT, 5);
    goOn();
    await opening;
    expect((await store.countHeld("wait", "agent", AT, 5)).count).toBe(1);
  });

  it("is each agent's own, and other things are counted as they are", async () => {
    const { store, reads } = opened();
    await store.countHeld("wait", "one", AT, 5);
    await store.createRequest(opens("one"));
    expect((await store.countHeld("wait", "another", AT, 5)).count).toBe(0);
    await store.countHeld("subscription", "one", AT, 5);
    await store.countHeld("subscription", "one", AT, 5);
    expect(reads.counts).toBe(4);
  });
});
