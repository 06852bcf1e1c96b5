import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Dispatcher } from "../../../local/dispatcher.ts";
import { openJournal } from "../../../local/journal.ts";
import type { DeliveredEvent } from "../../../shared/event.ts";
import { deliveredEvent } from "../../support/delivered-event.ts";
import { silentLogger } from "../../support/silent-logger.ts";

let folder: string;
const open: { close(): Promise<void> | void }[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "dispatcher-"));
});
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
  rmSync(folder, { recursive: true });
});

function dispatcherWith(dispatch: (event: DeliveredEvent) => Promise<void>): Dispatcher {
  const journal = openJournal(join(folder, "dispatch.jsonl"));
  const dispatcher = new Dispatcher({ journal, log: silentLogger, dispatch });
  open.push(dispatcher, journal);
  return dispatcher;
}

const events = (count: number): DeliveredEvent[] =>
  Array.from({ length: count }, (_, i) => deliveredEvent({ id: String(i + 1) }));

describe("an event for run-time subscriptions", () => {
  test("is dispatched once, however often it is published", async () => {
    const seen: string[] = [];
    const dispatcher = dispatcherWith(async ({ id }) => void seen.push(id));
    dispatcher.start();
    dispatcher.accept(events(3));
    dispatcher.accept(events(3));
    await expect.poll(() => seen).toEqual(["1", "2", "3"]);
  });

  test("that was taken on is dispatched by the next run, when this one ended before it could", async () => {
    dispatcherWith(async () => {}).accept(events(20));
    const seen = new Set<string>();
    dispatcherWith(async ({ id }) => void seen.add(id)).start();
    await expect.poll(() => seen.size).toBe(20);
    const again = vi.fn(async () => {});
    dispatcherWith(again).start();
    expect(again).not.toHaveBeenCalled();
  });

  test("that fails is tried until it succeeds, and does not hold up the others", async () => {
    vi.useFakeTimers();
    try {
      const seen: string[] = [];
      let failures = 0;
      const dispatcher = dispatcherWith(async ({ id }) => {
        if (id === "1" && ++failures <= 3) throw new Error("the store is down");
        seen.push(id);
      });
      dispatcher.start();
      dispatcher.accept(events(3));
      await vi.advanceTimersByTimeAsync(0);
      expect(seen).toEqual(["2", "3"]);
      await vi.advanceTimersByTimeAsync(500 + 1_000 + 2_000);
      expect(seen).toEqual(["2", "3", "1"]);
    } finally {
      vi.useRealTimers();
    }
  });

  test("that is under way, or failed, when the run is killed is dispatched by the next one", async () => {
    let end = (): void => {};
    const started: string[] = [];
    const killed = dispatcherWith(async ({ id }) => {
      started.push(id);
      if (id === "1") throw new Error("the store is down");
      await new Promise<void>((resolve) => {
        end = resolve;
      });
    });
    killed.start();
    killed.accept(events(2));
    await expect.poll(() => started).toEqual(["1", "2"]);
    const seen: string[] = [];
    dispatcherWith(async ({ id }) => void seen.push(id)).start();
    await expect.poll(() => seen).toEqual(["1", "2"]);
    end();
  });

  test("is one of eight that are dispatched at once, however many come", async () => {
    const ends: (() => void)[] = [];
    const dispatcher = dispatcherWith(() => new Promise<void>((resolve) => void ends.push(resolve)));
    dispatcher.start();
    dispatcher.accept(events(20));
    for (const atOnce of [8, 8, 4]) {
      await expect.poll(() => ends.length).toBe(atOnce);
      for (const end of ends.splice(0)) end();
    }
  });

  test("that is under way is waited for at the end", async () => {
    let finish = (): void => {};
    let finished = false;
    const dispatcher = dispatcherWith(async () => {
      await new Promise<void>((resolve) => {
        finish = resolve;
      });
      finished = true;
    });
    dispatcher.start();
    dispatcher.accept(events(1));
    const closed = dispatcher.close();
    finish();
    await closed;
    expect(finished).toBe(true);
  });
});
