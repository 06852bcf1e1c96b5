import { describe, expect, it } from "vitest";
import { emit } from "../../../shared/emit.ts";
import { listEvents, showEvent } from "../../../shared/history.ts";
import { type BusInMemory, busInMemory } from "../../support/bus-in-memory.ts";
import { EMITTER } from "../../support/run-time-bus.ts";

async function emitted({ deps }: BusInMemory): Promise<string> {
  const { result, afterwards } = await emit(deps, { type: "MESSAGE_RECEIVED", data: {} }, EMITTER);
  await afterwards();
  return result.event_id;
}

describe("history", () => {
  it("does not show what has expired, whenever it is removed [history-4]", async () => {
    const bus = busInMemory();
    await emitted(bus);
    await bus.clock.pause(91 * 86_400_000);
    const kept = await emitted(bus);
    expect((await listEvents(bus.deps, {}, EMITTER.agent)).events.map(({ id }) => id)).toEqual([kept]);
  });

  it("says up to when it is complete, also while its index lags; by its id an event is there at once [history-5]", async () => {
    const bus = busInMemory();
    await bus.clock.pause(60_000);
    const { readHistory } = bus.store;
    // An index that is as far behind as it may be.
    bus.store.readHistory = async (query) => {
      const slice = await readHistory.call(bus.store, query);
      const seenUpTo = new Date(bus.clock.nowMs - bus.deps.indexSettleMs).toISOString();
      return { ...slice, positions: slice.positions.filter((position) => position < seenUpTo) };
    };
    const id = await emitted(bus);
    const timestamp = new Date(bus.clock.nowMs).toISOString();
    const early = await listEvents(bus.deps, {}, EMITTER.agent);
    expect(early.events).toEqual([]);
    expect(early.as_of < timestamp).toBe(true);
    expect((await showEvent(bus.deps, id, EMITTER.agent)).event.id).toBe(id);

    await bus.clock.pause(bus.deps.indexSettleMs + 1);
    const late = await listEvents(bus.deps, {}, EMITTER.agent);
    expect(late.as_of > timestamp).toBe(true);
    expect(late.events.map((event) => event.id)).toEqual([id]);
  });
});
