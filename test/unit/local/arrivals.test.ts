import { describe, expect, it } from "vitest";
import { createArrivalLog, notingStore } from "../../../local/arrivals.ts";
import type { BusEvent } from "../../../shared/event.ts";
import { anEvent } from "../../contract/event-store.suite.ts";
import { MemoryEventStore } from "../../support/memory-event-store.ts";

const positionOf = ({ timestamp, id }: BusEvent): string => `${timestamp}#${id}`;

describe("what has come since a mark", () => {
  it("is all that was recorded since, in that order", async () => {
    const arrivals = createArrivalLog();
    const store = notingStore(new MemoryEventStore(), arrivals);
    await store.putEvent(anEvent());
    const mark = arrivals.mark();
    const records = [anEvent({ timestamp: "2026-02-01T00:00:00.000Z" }), anEvent(), anEvent()];
    for (const record of records) await store.putEvent(record);
    expect(arrivals.since(mark, {})).toEqual(records.map(({ event }) => positionOf(event)));
    expect(arrivals.since(arrivals.mark(), {})).toEqual([]);
  });

  it("is what a selection chooses", () => {
    const arrivals = createArrivalLog();
    const change = { type: "SESSION_CREATED", agent_type: "planner", correlation_id: "talk" };
    const { event } = anEvent(change);
    arrivals.note(event);
    for (const [field, value] of Object.entries(change)) {
      expect([field, arrivals.since(0, { [field]: value })]).toEqual([field, [positionOf(event)]]);
      expect([field, arrivals.since(0, { ...change, [field]: "another" })]).toEqual([field, []]);
    }
    expect(arrivals.since(0, change)).toEqual([positionOf(event)]);
  });

  it.each([
    ["a write has failed, which may have got through", () => Promise.reject(new Error("no acknowledgement"))],
    [
      "an event stands that this process does not know of",
      async () => ({ kind: "exists" as const, record: anEvent() }),
    ],
  ])("is not known when %s", async (_what, putEvent) => {
    const arrivals = createArrivalLog();
    arrivals.note(anEvent().event);
    const mark = arrivals.mark();
    const store = notingStore(Object.assign(new MemoryEventStore(), { putEvent }), arrivals);
    await store.putEvent(anEvent()).catch(() => undefined);
    expect(arrivals.since(mark, {})).toBeNull();
    const next = arrivals.mark();
    const { event } = anEvent();
    arrivals.note(event);
    expect(arrivals.since(next, {})).toEqual([positionOf(event)]);
  });

  it("is not known of long ago: it does not grow without end", () => {
    const arrivals = createArrivalLog();
    const { event } = anEvent();
    const begun = arrivals.mark();
    const marks: number[] = [];
    for (let i = 0; i < 20_000; i++) {
      marks.push(arrivals.mark());
      arrivals.note(event);
    }
    expect(arrivals.since(begun, {})).toBeNull();
    expect(arrivals.since(marks[16_000] as number, {})).toHaveLength(4_000);
  });
});
