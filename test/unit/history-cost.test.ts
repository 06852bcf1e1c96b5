import { beforeAll, describe, expect, it } from "vitest";
import { ACCESS_PATHS, type AccessPath } from "../../bench/p6-history/access-paths.ts";
import type { History } from "../../bench/p6-history/bus.ts";
import { eventAt, isDead, isQueued, NOW_MS } from "../../bench/p6-history/events.ts";
import { deadDelivery, queuedMessage } from "../../bench/p6-history/items.ts";
import { openAgent } from "../../shared/agents/agent.ts";
import { listEvents } from "../../shared/history.ts";
import { INDEX_SHARDS } from "../../shared/limits.ts";
import { busInMemory } from "../support/bus-in-memory.ts";
import { CountingHistory } from "../support/counting-history.ts";
import { watched } from "../support/watched-store.ts";

const SMALL = 1_000;
const LARGE = 50_000;
/** Pages that are read of each; chance spreads them over the partitions. */
const PAGES = 10;

interface CountedHistory {
  readonly history: History;
  /** Reads since the last time, and the entries and events in them. */
  taken(): { calls: number; items: number };
}

async function historyOf(count: number): Promise<CountedHistory> {
  const now = (): number => NOW_MS;
  const counting = new CountingHistory(now);
  for (let age = count - 1; age >= 0; age--) {
    const record = eventAt(age, count);
    await counting.putEvent(record);
    if (isDead(age)) await counting.createDelivery(deadDelivery(record.event));
    if (isQueued(age)) await counting.createDelivery(queuedMessage(record.event));
  }
  const { store, taken } = watched(counting);
  return {
    history: { deps: { ...busInMemory().deps, store, now }, count },
    taken: () => ({ calls: taken().reads.length, items: counting.takeItems() }),
  };
}

describe("a page of history", () => {
  let small: CountedHistory;
  let large: CountedHistory;
  beforeAll(async () => {
    [small, large] = [await historyOf(SMALL), await historyOf(LARGE)];
  });

  /** What so many pages cost, and what they show. */
  async function pagesOf({ read }: AccessPath, { history, taken }: CountedHistory) {
    await read(history, 0);
    taken();
    let shown = 0;
    for (let turn = 0; turn < PAGES; turn++) shown += await read(history, turn);
    return { shown, ...taken() };
  }

  it.each(ACCESS_PATHS)("shows as much for as many reads among 50,000 events as among 1,000: $name", async (path) => {
    const [ours, beside] = [await pagesOf(path, large), await pagesOf(path, small)];
    expect(ours.shown).toBe(beside.shown);
    expect(ours.calls).toBeGreaterThan(0);
    expect(ours.calls).toBeLessThanOrEqual(1.2 * beside.calls);
    expect(ours.items).toBeLessThanOrEqual(1.2 * beside.items);
  });

  it("of 50 events reads each of the eight partitions once, no more than 16 entries of each, and all events at once", async () => {
    for (const query of [{}, { type: "MESSAGE_RECEIVED" }, { agent_type: "planner" }] as const)
      for (const { history, taken } of [small, large]) {
        await listEvents(history.deps, query, openAgent("reader"));
        taken();
        await listEvents(history.deps, query, openAgent("reader"));
        const { calls, items } = taken();
        expect(calls).toBe(INDEX_SHARDS + 1);
        expect(items).toBeLessThanOrEqual(INDEX_SHARDS * 16 + 50);
      }
  });
});
