import { expect, it } from "vitest";
import { createSharedReads, sharingStore } from "../../../local/shared-reads.ts";
import type { HistoryQuery } from "../../../shared/ports.ts";
import { anEvent } from "../../contract/event-store.suite.ts";
import { MemoryEventStore } from "../../support/memory-event-store.ts";

function counting() {
  const memory = new MemoryEventStore();
  const reads = { readHistory: 0, getEvents: 0 };
  const { readHistory, getEvents } = memory;
  memory.readHistory = (query) => {
    reads.readHistory++;
    return readHistory.call(memory, query);
  };
  memory.getEvents = (ids) => {
    reads.getEvents++;
    return getEvents.call(memory, ids);
  };
  return { store: sharingStore(memory, createSharedReads()), memory, reads };
}

const query = (correlationId: string): HistoryQuery => ({
  index: "by_conversation",
  partition: `CONVERSATION#${correlationId}`,
  order: "asc",
  after: "0",
  before: "9",
  limit: 10,
});

it("twenty streams that look at once cost one read, and all see the new event", async () => {
  const { store, reads } = counting();
  const record = anEvent({ correlation_id: "talk" });
  await store.readHistory(query("talk"));
  await store.putEvent(record);
  const seen = await Promise.all(Array.from({ length: 20 }, () => store.readHistory(query("talk"))));
  for (const { positions } of seen) expect(positions).toEqual([`${record.event.timestamp}#${record.event.id}`]);
  expect(reads.readHistory).toBe(2);
  await Promise.all(Array.from({ length: 20 }, () => store.getEvents([record.event.id])));
  expect(reads.getEvents).toBe(1);
});

it("a read that was under way when an event was recorded is not given to those who ask after", async () => {
  const { store, memory } = counting();
  let finish: () => void = () => undefined;
  const slow = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const readHistory = memory.readHistory;
  memory.readHistory = async (asked) => {
    const slice = await readHistory.call(memory, asked);
    await slow;
    return slice;
  };
  const before = store.readHistory(query("talk"));
  await store.putEvent(anEvent({ correlation_id: "talk" }));
  const after = store.readHistory(query("talk"));
  finish();
  expect((await before).positions).toEqual([]);
  expect((await after).positions).toHaveLength(1);
});

it("a read that failed is made again", async () => {
  const { store, memory } = counting();
  const readHistory = memory.readHistory;
  memory.readHistory = () => Promise.reject(new Error("broken"));
  await expect(store.readHistory(query("talk"))).rejects.toThrow("broken");
  memory.readHistory = readHistory;
  expect((await store.readHistory(query("talk"))).positions).toEqual([]);
});
