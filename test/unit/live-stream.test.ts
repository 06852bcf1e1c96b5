import { describe, expect, it } from "vitest";
import { createArrivalLog, notingStore } from "../../local/arrivals.ts";
import { createWakeups, wakingStore } from "../../local/wakeups.ts";
import { openAgent } from "../../shared/agents/agent.ts";
import { emit } from "../../shared/emit.ts";
import { streamEvents } from "../../shared/live-stream.ts";
import { type EventStore, eventsTopic } from "../../shared/ports.ts";
import { type BusInMemory, busInMemory } from "../support/bus-in-memory.ts";

const say = async ({ deps }: BusInMemory, change: object = {}): Promise<string> =>
  (await emit(deps, { type: "MESSAGE_RECEIVED", data: {}, ...change }, { agent: openAgent("agent") })).result.event_id;

interface Open {
  /** The ids of the next events. */
  take(count: number): Promise<string[]>;
  /** The cursor after the last one taken. */
  readonly cursor: string;
  close(): Promise<void>;
}

/** Opens a stream and waits until it is open. */
async function open(
  bus: BusInMemory,
  options: { selection?: object; as?: string; cursor?: string } = {},
): Promise<Open> {
  const controller = new AbortController();
  const stream = streamEvents(bus.deps, {
    agent: openAgent("listener"),
    selection: options.selection ?? {},
    as: options.as,
    place: options.cursor,
    holdMs: 3_600_000,
    signal: controller.signal,
  });
  const first = await stream.next();
  if (first.done === true || first.value.kind !== "opened") throw new Error("The stream did not open.");
  let cursor: string = first.value.place.toText();
  return {
    async take(count) {
      const ids: string[] = [];
      while (ids.length < count) {
        const step = await stream.next();
        if (step.done === true || step.value.kind !== "event") throw new Error("The stream ended.");
        ids.push(step.value.record.event.id);
        cursor = step.value.place.toText();
      }
      return ids;
    },
    get cursor() {
      return cursor;
    },
    async close() {
      controller.abort();
      await stream.return();
    },
  };
}

/** A bus in which streams are told what is new. */
function busThatTells(): BusInMemory {
  const bus = busInMemory();
  const arrivals = createArrivalLog();
  const deps = { ...bus.deps, store: notingStore(bus.store, arrivals), arrivals };
  return { ...bus, deps };
}

/** A bus in which streams are told what is new, and woken for it: nothing happens there by time. */
function busThatWakes(): BusInMemory {
  const bus = busThatTells();
  const wakeups = createWakeups();
  const deps = {
    ...bus.deps,
    store: wakingStore(bus.deps.store, wakeups),
    pause: (_ms: number, topic: string, signal?: AbortSignal) => wakeups.pause(1_000_000, topic, signal),
  };
  return { ...bus, deps };
}

/** A stream that has had its first event: from then on it is told of the others. */
async function openAndTold(bus: BusInMemory): Promise<Open> {
  const stream = await open(bus);
  const first = stream.take(1);
  await say(bus);
  await first;
  return stream;
}

const BUSES = [
  { how: "looks for what is new", newBus: () => busInMemory() },
  { how: "is told what is new", newBus: busThatTells },
];

describe.each(BUSES)("a live stream that $how", ({ newBus }) => {
  it("shows what comes after it was opened, in order, and nothing from before", async () => {
    const bus = newBus();
    await say(bus);
    const stream = await open(bus);
    const ids = [await say(bus), await say(bus)];
    expect(await stream.take(2)).toEqual(ids);
  });

  it("shows an event that is recorded while it looks without waiting for its next look by time", async () => {
    const bus = newBus();
    const wakeups = createWakeups();
    // No pause of this bus ends by time.
    const pause = (_ms: number, topic: string, signal?: AbortSignal) => wakeups.pause(1_000_000, topic, signal);
    const store = Object.create(bus.deps.store) as EventStore;
    let looks = 0;
    let late: Promise<string> | null = null;
    store.readHistory = async (query) => {
      const slice = await bus.deps.store.readHistory(query);
      // All partitions were read when the stream was opened; this is one of them, looked at for the first time after that.
      if (++looks === 9) {
        late = say(bus);
        await late;
        wakeups.wake(eventsTopic("MESSAGE_RECEIVED"));
      }
      return slice;
    };
    const stream = await open(
      { ...bus, deps: { ...bus.deps, store, pause } },
      { selection: { type: "MESSAGE_RECEIVED" } },
    );
    expect(await stream.take(1)).toEqual([await (late as Promise<string> | null)]);
    await stream.close();
  }, 5_000);

  it("shows an event of a clock that runs behind", async () => {
    const bus = newBus();
    await say(bus);
    const stream = await open(bus);
    bus.clock.nowMs -= 3_000;
    const late = await say(bus);
    bus.clock.nowMs += 3_000;
    expect(await stream.take(1)).toEqual([late]);
  });

  it("shows only the type or the conversation it was opened for", async () => {
    const bus = newBus();
    const stream = await open(bus, { selection: { type: "SESSION_CREATED", correlation_id: "talk" } });
    await say(bus, { correlation_id: "talk" });
    await say(bus, { type: "SESSION_CREATED" });
    const wanted = await say(bus, { type: "SESSION_CREATED", correlation_id: "talk" });
    expect(await stream.take(1)).toEqual([wanted]);
  });

  it("goes on from a cursor without a gap or a duplicate, also where events became visible out of order", async () => {
    const bus = newBus();
    const first = await open(bus);
    const ids: string[] = [];
    for (let i = 0; i < 20; i++) {
      bus.clock.nowMs += i % 3 === 0 ? 700 : -200;
      ids.push(await say(bus));
    }
    const before = await first.take(12);
    const { cursor } = first;
    await first.close();
    for (let i = 0; i < 5; i++) ids.push(await say(bus));
    const second = await open(bus, { cursor });
    const after = await second.take(13);
    expect(new Set([...before, ...after])).toEqual(new Set(ids));
    expect(before.length + after.length).toBe(ids.length);
  });

  it("catches up on everything after it was away for an hour", async () => {
    const bus = newBus();
    const first = await open(bus);
    const { cursor } = first;
    await first.close();
    const ids: string[] = [];
    for (let i = 0; i < 500; i++) {
      bus.clock.nowMs += 7_000;
      ids.push(await say(bus));
    }
    expect(await (await open(bus, { cursor })).take(500)).toEqual(ids);
  });

  it("goes on without a gap or a duplicate from within a burst, with a cursor that stays short", async () => {
    const bus = newBus();
    const first = await open(bus);
    const ids: string[] = [];
    for (let i = 0; i < 2_000; i++) ids.push(await say(bus));
    expect(await first.take(1_500)).toEqual(ids.slice(0, 1_500));
    expect(first.cursor.length).toBeLessThan(2_500);
    expect(await (await open(bus, { cursor: first.cursor })).take(500)).toEqual(ids.slice(1_500));
  });

  it("resumed, shows one that became visible late among thousands that it had shown", async () => {
    const bus = newBus();
    const first = await open(bus);
    const ids: string[] = [];
    for (let i = 0; i < 1_000; i++) {
      bus.clock.nowMs += 1;
      ids.push(await say(bus));
    }
    await first.take(1_000);
    bus.clock.nowMs -= 500;
    const late = await say(bus);
    bus.clock.nowMs += 500;
    expect(await (await open(bus, { cursor: first.cursor })).take(1)).toEqual([late]);
  });

  it("resumed, rather repeats a part than loses one when many became visible late", async () => {
    const bus = newBus();
    const first = await open(bus);
    const shown: string[] = [];
    for (let i = 0; i < 100; i++) {
      bus.clock.nowMs += 10;
      shown.push(await say(bus));
    }
    await first.take(100);
    const late: string[] = [];
    bus.clock.nowMs -= 900;
    for (let i = 0; i < 30; i++) {
      bus.clock.nowMs += 10;
      late.push(await say(bus));
    }
    bus.clock.nowMs += 600;
    const last = await say(bus);
    const resumed = await open(bus, { cursor: first.cursor });
    const seen: string[] = [];
    while (!seen.includes(last)) seen.push(...(await resumed.take(1)));
    expect(seen).toEqual(expect.arrayContaining(late));
    expect(new Set(seen).size).toBe(seen.length);
  });

  it("keeps its cursor short once things have settled", async () => {
    const bus = newBus();
    const stream = await open(bus);
    for (let i = 0; i < 50; i++) await say(bus);
    await stream.take(50);
    const next = stream.take(1);
    await bus.clock.pause(20_000);
    await say(bus);
    await next;
    expect(stream.cursor.length).toBeLessThan(300);
  });
});

describe.each(BUSES)("a live stream that $how, over a store that fails,", ({ newBus }) => {
  it("goes on when it comes back, and misses nothing", async () => {
    const bus = newBus();
    const stream = await open(bus, { as: "carol" });
    const { readHistory, getEvents, putListener } = bus.store;
    const broken = () => Promise.reject(new Error("throttled"));
    Object.assign(bus.store, { readHistory: broken, getEvents: broken, putListener: broken });
    const taken = stream.take(2);
    const ids = [await say(bus)];
    await bus.clock.pause(20_000);
    ids.push(await say(bus));
    Object.assign(bus.store, { readHistory, getEvents, putListener });
    expect(await taken).toEqual(ids);
  });

  it("ends when that lasts, for a connection elsewhere may do better", async () => {
    const bus = newBus();
    const stream = await open(bus);
    bus.store.readHistory = () => Promise.reject(new Error("throttled"));
    await expect(stream.take(1)).rejects.toThrow("throttled");
  });
});

describe("a live stream that is told what is new", () => {
  it("looks through no partition for it, but for a whole look twice a second", async () => {
    const bus = busThatWakes();
    let reads = 0;
    const { readHistory } = bus.store;
    bus.store.readHistory = (query) => {
      reads++;
      return readHistory.call(bus.store, query);
    };
    const stream = await open(bus);
    const next = async (): Promise<void> => {
      const taken = stream.take(1);
      const id = await say(bus);
      expect(await taken).toEqual([id]);
    };
    await next();
    const readsBefore = reads;
    for (let i = 0; i < 40; i++) {
      bus.clock.nowMs += 12;
      await next();
    }
    expect(reads).toBe(readsBefore);
    bus.clock.nowMs += 20;
    await next();
    expect(reads).toBeGreaterThan(readsBefore);
    await stream.close();
  });

  it("shows an event that became visible later than a stream looks back", async () => {
    const bus = busThatWakes();
    const stream = await openAndTold(bus);
    const next = stream.take(1);
    bus.clock.nowMs -= 60_000;
    const late = await say(bus);
    bus.clock.nowMs += 60_000;
    expect(await next).toEqual([late]);
    await stream.close();
  });

  it("shows what was recorded although nobody could tell whether it was", async () => {
    const bus = busThatWakes();
    const stream = await openAndTold(bus);
    const next = stream.take(2);
    const { putEvent } = bus.store;
    const written: string[] = [];
    bus.store.putEvent = async (record) => {
      await putEvent.call(bus.store, record);
      written.push(record.event.id);
      throw new Error("no acknowledgement");
    };
    await expect(say(bus)).rejects.toThrow("no acknowledgement");
    bus.store.putEvent = putEvent;
    written.push(await say(bus));
    expect(await next).toEqual(written);
    await stream.close();
  });

  it("misses nothing when a look has failed in its middle", async () => {
    const bus = busThatWakes();
    const stream = await openAndTold(bus);
    const { getEvents } = bus.store;
    bus.store.getEvents = () => Promise.reject(new Error("throttled"));
    const next = stream.take(2);
    const ids = [await say(bus)];
    bus.store.getEvents = getEvents;
    ids.push(await say(bus));
    expect(await next).toEqual(ids);
    await stream.close();
  });
});

describe("a live stream with a name", () => {
  it("counts as a subscriber from when it is open, for as long as it is open", async () => {
    const bus = busInMemory();
    const names = async () =>
      (await bus.store.getListeners("SESSION_CREATED", bus.clock.nowMs)).map(({ name }) => name);
    const stream = await open(bus, { as: "carol", selection: { type: "SESSION_CREATED" } });
    expect(await names()).toEqual(["carol"]);
    const taken = stream.take(1);
    await bus.clock.pause(120_000);
    expect(await names()).toEqual(["carol"]);
    await say(bus, { type: "SESSION_CREATED" });
    await taken;
    await stream.close();
    expect(await names()).toEqual([]);
  });

  it("goes on counting for a while when its time is up, for its client comes back", async () => {
    const bus = busInMemory();
    const signal = new AbortController().signal;
    for await (const _ of streamEvents(bus.deps, {
      agent: openAgent("carol's"),
      selection: {},
      as: "carol",
      holdMs: 5_000,
      signal,
    }));
    expect(await bus.store.getListeners("*", bus.clock.nowMs)).toHaveLength(1);
    expect(await bus.store.getListeners("*", bus.clock.nowMs + 30_000)).toEqual([]);
  });

  it("listens to all types when it names none", async () => {
    const bus = busInMemory();
    await open(bus, { as: "carol", selection: { correlation_id: "talk" } });
    expect(await bus.store.getListeners("*", bus.clock.nowMs)).toMatchObject([
      { name: "carol", correlationId: "talk" },
    ]);
  });
});
