import { describe, expect, it } from "vitest";
import { dispatchEvent } from "../../../shared/deliveries/dispatch.ts";
import { emit } from "../../../shared/emit.ts";
import { BusError } from "../../../shared/errors.ts";
import type { DeliveredEvent } from "../../../shared/event.ts";
import { listEvents, showEvent } from "../../../shared/history.ts";
import { type BusInMemory, busInMemory } from "../../support/bus-in-memory.ts";
import { callInMemory } from "../../support/call-in-memory.ts";
import { EMITTER, OWNER, queueInput, reconciled, subscribed, TYPE, take } from "../../support/run-time-bus.ts";

const lost = (): Promise<never> => Promise.reject(new BusError("unavailable", "The store did not answer."));

/** Brings all that was published to who wants it, as a rule does. */
async function dispatched(bus: BusInMemory): Promise<readonly DeliveredEvent[]> {
  for (const event of bus.publisher.published) await dispatchEvent(bus.deps, event);
  return bus.publisher.published;
}

describe("an event that cannot be recorded", () => {
  it("is refused for now, with the time to come again; the same key makes one event of it [emit-4]", async () => {
    const bus = busInMemory();
    const call = () =>
      callInMemory(bus, "POST", "/events", { body: { type: TYPE, data: {} }, headers: { "idempotency-key": "key" } });
    const putEvent = bus.store.putEvent.bind(bus.store);
    bus.store.putEvent = lost;
    const refused = await call();
    expect([refused.status, Number(refused.headers.get("retry-after")) > 0]).toEqual([503, true]);
    bus.store.putEvent = putEvent;
    expect([(await call()).status, (await call()).status]).toEqual([202, 202]);
    expect(bus.publisher.published).toHaveLength(1);
  });
});

describe("an event that was published and not marked", () => {
  it("because its emitter died is published again under its id, and had once [emit-12]", async () => {
    const bus = busInMemory();
    const queue = await subscribed(bus, queueInput());
    const { result } = await emit(bus.deps, { type: TYPE, data: {} }, EMITTER);
    await bus.clock.pause(60_000);
    expect(await reconciled(bus)).toMatchObject({ published: 1, failed: 0 });
    expect((await dispatched(bus)).map(({ id }) => id)).toEqual([result.event_id, result.event_id]);
    expect(await take(bus, queue)).toMatchObject([{ event: { id: result.event_id } }]);
    expect(await reconciled(bus)).toMatchObject({ published: 0 });
  });

  it("because the mark was lost is acknowledged all the same, and had once [emit-13]", async () => {
    const bus = busInMemory();
    const queue = await subscribed(bus, queueInput());
    const markPublished = bus.store.markPublished.bind(bus.store);
    bus.store.markPublished = lost;
    const { result, afterwards } = await emit(bus.deps, { type: TYPE, data: {} }, EMITTER);
    await afterwards();
    expect(result.published).toBe(true);
    bus.store.markPublished = markPublished;
    await bus.clock.pause(60_000);
    await reconciled(bus);
    await dispatched(bus);
    expect(await take(bus, queue)).toHaveLength(1);
    expect((await bus.store.getEvent(result.event_id))?.published).toBe(true);
  });
});

describe("an event that nobody wants", () => {
  it("is in the history of its emitter, with no deliveries [emit-16]", async () => {
    const bus = busInMemory();
    const { result, afterwards } = await emit(bus.deps, { type: TYPE, data: {} }, EMITTER);
    await afterwards();
    await dispatched(bus);
    const page = await listEvents(bus.deps, {}, EMITTER.agent);
    expect(page.events.map(({ id }) => id)).toEqual([result.event_id]);
    expect(await showEvent(bus.deps, result.event_id, EMITTER.agent)).toMatchObject({ deliveries: [], responses: [] });
  });
});

describe("a table that is restored to an earlier moment", () => {
  it("has published again what it had not marked by then, under the same id [cleanup-5]", async () => {
    const bus = busInMemory();
    const { result } = await emit(bus.deps, { type: TYPE, data: {} }, EMITTER);
    const backup = await bus.store.getEvent(result.event_id);
    if (backup === null) throw new Error("It was not recorded.");

    const restored = busInMemory();
    await restored.store.putEvent(backup);
    const queue = await subscribed(restored, queueInput(), OWNER);
    await restored.clock.pause(60_000);
    expect(await reconciled(restored)).toMatchObject({ published: 1 });
    await dispatched(restored);
    await dispatched(restored);
    expect(await take(restored, queue)).toMatchObject([{ event: { id: result.event_id } }]);
  });
});
