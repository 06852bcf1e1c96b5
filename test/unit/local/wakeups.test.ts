import { describe, expect, test, vi } from "vitest";
import { createWakeups, wakingStore } from "../../../local/wakeups.ts";
import type { EventStore } from "../../../shared/ports.ts";

const LONG_MS = 60_000;

describe("a pause", () => {
  test("ends when its topic is woken, and only then", async () => {
    const { pause, wake } = createWakeups();
    const ended: string[] = [];
    const a = pause(LONG_MS, "a").then(() => ended.push("a"));
    const b = pause(LONG_MS, "b").then(() => ended.push("b"));
    wake("b");
    await b;
    expect(ended).toEqual(["b"]);
    wake("a");
    await a;
    expect(ended).toEqual(["b", "a"]);
  });

  test("wakes everybody on the topic", async () => {
    const { pause, wake } = createWakeups();
    const all = Promise.all([1, 2, 3].map(() => pause(LONG_MS, "a")));
    wake("a");
    await all;
  });

  test("ends when its time is up", async () => {
    vi.useFakeTimers();
    try {
      const { pause } = createWakeups();
      let ended = false;
      const over = pause(500, "a").then(() => {
        ended = true;
      });
      await vi.advanceTimersByTimeAsync(499);
      expect(ended).toBe(false);
      await vi.advanceTimersByTimeAsync(1);
      await over;
    } finally {
      vi.useRealTimers();
    }
  });

  test("ends when its signal aborts, or at once when it has", async () => {
    const { pause } = createWakeups();
    const gone = new AbortController();
    const paused = pause(LONG_MS, "a", gone.signal);
    gone.abort();
    await paused;
    await pause(LONG_MS, "a", gone.signal);
  });
});

describe("the store of the embedded run", () => {
  test("wakes waits only after the write is through, and passes its outcome on", async () => {
    const order: string[] = [];
    class Store {
      async noteProgress(): Promise<void> {
        order.push("written");
      }
      async getConversationCount(): Promise<number> {
        return 7;
      }
    }
    const store = wakingStore(new Store() as unknown as EventStore, {
      wake: (topic) => order.push(`woken ${topic}`) > 0,
    });
    await store.noteProgress("e1");
    expect(order).toEqual(["written", "woken e1"]);
    expect(await store.getConversationCount("c")).toBe(7);
  });

  test("lets those who waited for a write go first: who wrote hears of it when they have looked", async () => {
    const order: string[] = [];
    const wakeups = createWakeups();
    const store = wakingStore({ noteProgress: async () => undefined } as unknown as EventStore, wakeups);
    const waiting = (async () => {
      await wakeups.pause(LONG_MS, "e1");
      // As many steps as a look may take.
      for (let step = 0; step < 100; step++) await null;
      order.push("who waited");
    })();
    await store.noteProgress("e1");
    order.push("who wrote");
    await waiting;
    expect(order).toEqual(["who waited", "who wrote"]);
  });

  test("wakes nobody for a write that failed", async () => {
    const wake = vi.fn();
    const failing = { noteProgress: () => Promise.reject(new Error("down")) } as unknown as EventStore;
    await expect(wakingStore(failing, { wake }).noteProgress("e1")).rejects.toThrow("down");
    expect(wake).not.toHaveBeenCalled();
  });
});
