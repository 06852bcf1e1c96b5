import { describe, expect, it } from "vitest";
import { createRecentHistory, withRecentHistory } from "../../../local/recent-history.ts";
import { FIRST_POSITION, LAST_POSITION } from "../../../shared/history-page.ts";
import type { HistoryQuery } from "../../../shared/ports.ts";
import type { EventRecord } from "../../../shared/records.ts";
import { anEvent } from "../../contract/event-store.suite.ts";
import { MemoryEventStore } from "../../support/memory-event-store.ts";

function opened() {
  const memory = new MemoryEventStore();
  const reads: HistoryQuery[] = [];
  const { readHistory } = memory;
  memory.readHistory = (query) => {
    reads.push(query);
    return readHistory.call(memory, query);
  };
  return { memory, reads, store: withRecentHistory(memory, createRecentHistory()) };
}

const tail = (after = FIRST_POSITION, limit = 10): HistoryQuery => ({
  index: "by_conversation",
  partition: "CONVERSATION#talk",
  order: "asc",
  after,
  before: LAST_POSITION,
  limit,
});

const at = (second: number): EventRecord =>
  anEvent({ correlation_id: "talk", timestamp: `2026-01-01T00:00:${String(second).padStart(2, "0")}.000Z` });
const positionOf = ({ event }: EventRecord): string => `${event.timestamp}#${event.id}`;

describe("the newest of history", () => {
  it("is read once, and then tells of each event that is recorded, also of one that comes out of order", async () => {
    const { store, reads } = opened();
    const events = [at(1), at(5), at(3)];
    await store.putEvent(events[0] as EventRecord);
    expect((await store.readHistory(tail())).positions).toEqual([positionOf(events[0] as EventRecord)]);
    for (const event of events.slice(1)) await store.putEvent(event);
    expect(await store.readHistory(tail())).toEqual({ positions: events.map(positionOf).sort(), readUpTo: null });
    expect(reads).toHaveLength(1);
  });

  it("gives what the store gives, from any place and however much is asked for", async () => {
    const { store, memory } = opened();
    await store.readHistory(tail());
    const events = [4, 2, 9, 7, 1].map(at);
    for (const event of events) await store.putEvent(event);
    const afters = [FIRST_POSITION, ...events.map(positionOf), "2026-01-01T00:00:03.000Z", LAST_POSITION];
    for (const after of afters)
      for (const limit of [1, 2, 5, 6]) {
        const query = tail(after, limit);
        expect([query, await store.readHistory(query)]).toEqual([query, await memory.readHistory(query)]);
      }
  });

  it("misses no event that is recorded while it is read", async () => {
    const { store, memory } = opened();
    let goOn: () => void = () => undefined;
    const slow = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    const { readHistory } = memory;
    memory.readHistory = async (query) => {
      const slice = await readHistory.call(memory, query);
      await slow;
      return slice;
    };
    const first = store.readHistory(tail());
    const event = at(1);
    await store.putEvent(event);
    const second = store.readHistory(tail());
    goOn();
    await first;
    expect((await second).positions).toEqual([positionOf(event)]);
    expect((await store.readHistory(tail())).positions).toEqual([positionOf(event)]);
  });

  it("is read anew after a write whose outcome nobody knows", async () => {
    const { store, memory, reads } = opened();
    await store.readHistory(tail());
    const { putEvent } = memory;
    memory.putEvent = async (record) => {
      await putEvent.call(memory, record);
      throw new Error("the acknowledgement was lost");
    };
    const event = at(1);
    await expect(store.putEvent(event)).rejects.toThrow();
    expect((await store.readHistory(tail())).positions).toEqual([positionOf(event)]);
    expect(reads).toHaveLength(2);
  });

  it("is read anew further back, and by whoever asks for something else of it", async () => {
    const { store, reads } = opened();
    const events = [at(1), at(5)];
    for (const event of events) await store.putEvent(event);
    const [first, last] = events.map(positionOf) as [string, string];
    await store.readHistory(tail(first));
    expect((await store.readHistory(tail())).positions).toEqual([first, last]);
    expect(reads).toHaveLength(2);
    for (const other of [{ before: last }, { order: "desc" as const }, { type: "OTHER" }, { agent_type: "other" }])
      await store.readHistory({ ...tail(), ...other });
    expect(reads).toHaveLength(6);
  });

  it("that could not be read is read again", async () => {
    const { store, memory } = opened();
    const { readHistory } = memory;
    memory.readHistory = () => Promise.reject(new Error("broken"));
    await expect(store.readHistory(tail())).rejects.toThrow("broken");
    memory.readHistory = readHistory;
    expect((await store.readHistory(tail())).positions).toEqual([]);
  });

  it("of a partition with very much in it is not kept, and neither left out", async () => {
    const { store } = opened();
    const events = Array.from({ length: 1_100 }, () => at(1));
    for (const event of events) await store.putEvent(event);
    const all: string[] = [];
    for (let after: string | null = FIRST_POSITION; after !== null; ) {
      const { positions, readUpTo } = await store.readHistory(tail(after, 400));
      all.push(...positions);
      after = readUpTo;
    }
    expect(all).toEqual(events.map(positionOf).sort());
  });
});
