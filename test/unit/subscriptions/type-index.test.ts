import { describe, expect, it } from "vitest";
import { openAgent } from "../../../shared/agents/agent.ts";
import { dispatchEvent } from "../../../shared/deliveries/dispatch.ts";
import { changeSubscription, subscribe, unsubscribe } from "../../../shared/subscriptions/subscribe.ts";
import { indexSubscription, subscriptionsOf } from "../../../shared/subscriptions/type-index.ts";
import { isoAt } from "../../../shared/time.ts";
import { type BusInMemory, busInMemory } from "../../support/bus-in-memory.ts";
import { crashAt } from "../../support/crash.ts";
import {
  minutesPass,
  OWNER,
  publish,
  published,
  queueInput,
  reconciled,
  subscribed,
  TYPE,
} from "../../support/run-time-bus.ts";
import { watched } from "../../support/watched-store.ts";

const TYPES = [TYPE, "MESSAGE_RECEIVED"];

/** Who is told of an event of each type, as another machine sees it. */
async function indexed({ store }: BusInMemory): Promise<Record<string, string[]>> {
  const names = async (type: string) => (await store.getEntries(type)).map(({ name, status }) => `${name} ${status}`);
  return Object.fromEntries(await Promise.all(TYPES.map(async (type) => [type, await names(type)] as const)));
}

/** A change of a subscription that stands, and what the index has to say in the end. */
const CHANGES: [title: string, change: (bus: BusInMemory, id: string) => Promise<unknown>, index: object][] = [
  [
    "other event types",
    ({ deps }, id) => changeSubscription(deps, id, { event_types: ["MESSAGE_RECEIVED"] }, openAgent(OWNER)),
    { [TYPE]: [], MESSAGE_RECEIVED: ["queue active"] },
  ],
  [
    "disabling",
    ({ deps }, id) => changeSubscription(deps, id, { status: "disabled" }, openAgent(OWNER)),
    { [TYPE]: ["queue disabled"], MESSAGE_RECEIVED: [] },
  ],
  ["ending", ({ deps }, id) => unsubscribe(deps, id, OWNER), { [TYPE]: [], MESSAGE_RECEIVED: [] }],
  [
    "subscribing",
    ({ deps }) => subscribe(deps, queueInput({ name: "second", event_types: TYPES }), openAgent(OWNER)),
    { [TYPE]: ["queue active", "second active"], MESSAGE_RECEIVED: ["second active"] },
  ],
];

describe.each(CHANGES)("a crash in the middle of %s", (_, change, wanted) => {
  const begun = async () => {
    const bus = busInMemory();
    const id = await subscribed(bus, queueInput());
    return { bus, id, before: await indexed(bus) };
  };

  it.each(["lost", "written"] as const)(
    "at any write (itself %s) leaves it as it was, or is finished by the reconciler [subscribe-1]",
    async (fate) => {
      const counted = await begun();
      const counter = crashAt(counted.bus.store, Number.POSITIVE_INFINITY);
      await change(counted.bus, counted.id);
      expect(counter.writes).toBeGreaterThanOrEqual(4);

      for (let at = 1; at <= counter.writes; at++) {
        const { bus, id, before } = await begun();
        const crash = crashAt(bus.store, at, fate);
        await change(bus, id).catch(() => undefined);
        crash.over();
        await minutesPass(bus, 8);
        const neverBegan = at === 1 && fate === "lost";
        expect(await indexed(bus), `after write ${at} of ${counter.writes}`).toEqual(neverBegan ? before : wanted);
        expect(await bus.store.findDueWork("subscription", isoAt(bus.clock.nowMs), 10)).toEqual([]);
      }
    },
  );
});

describe("the index of subscribers", () => {
  it("is not turned back by a write that comes late", async () => {
    const bus = busInMemory();
    const id = await subscribed(bus, queueInput());
    const old = await bus.store.getSubscription(OWNER, id);
    await changeSubscription(bus.deps, id, { status: "disabled" }, openAgent(OWNER));
    if (old !== null) await indexSubscription(bus.deps, old);
    expect(await indexed(bus)).toMatchObject({ [TYPE]: ["queue disabled"] });
    await unsubscribe(bus.deps, id, OWNER);
    if (old !== null) await indexSubscription(bus.deps, old);
    expect(await indexed(bus)).toMatchObject({ [TYPE]: [] });
  });

  it("is finished by the reconciler for a subscription that has been changed again meanwhile [subscribe-9]", async () => {
    const bus = busInMemory();
    const id = await subscribed(bus, queueInput());
    const crash = crashAt(bus.store, 2);
    await changeSubscription(bus.deps, id, { event_types: ["MESSAGE_RECEIVED"] }, openAgent(OWNER)).catch(
      () => undefined,
    );
    crash.over();
    const second = crashAt(bus.store, 2);
    await changeSubscription(bus.deps, id, { event_types: ["SESSION_CREATED"] }, openAgent(OWNER)).catch(
      () => undefined,
    );
    second.over();
    await minutesPass(bus, 1);
    expect(await indexed(bus)).toEqual({ [TYPE]: [], MESSAGE_RECEIVED: [] });
    expect(await bus.store.getEntries("SESSION_CREATED")).toHaveLength(1);
    expect(await bus.store.getSubscription(OWNER, id)).toMatchObject({ indexedTypes: ["SESSION_CREATED"] });
  });

  it("forgets the types of one that was ended by somebody who died, when it is made again with other ones", async () => {
    const bus = busInMemory();
    const id = await subscribed(bus, queueInput());
    const crash = crashAt(bus.store, 2);
    await unsubscribe(bus.deps, id, OWNER).catch(() => undefined);
    crash.over();
    await subscribed(bus, queueInput({ event_types: ["MESSAGE_RECEIVED"] }));
    expect(await indexed(bus)).toEqual({ [TYPE]: [], MESSAGE_RECEIVED: ["queue active"] });
  });

  it("is finished for an agent of any name", async () => {
    const bus = busInMemory();
    const crash = crashAt(bus.store, 2);
    await subscribe(bus.deps, queueInput(), openAgent("arn:aws:iam::1:role/a#b")).catch(() => undefined);
    crash.over();
    await minutesPass(bus, 1);
    expect(await indexed(bus)).toMatchObject({ [TYPE]: ["queue active"] });
  });

  it("is left to whoever changes the subscription for as long as that takes", async () => {
    const bus = busInMemory();
    const crash = crashAt(bus.store, 2);
    await subscribe(bus.deps, queueInput(), openAgent(OWNER)).catch(() => undefined);
    crash.over();
    await bus.clock.pause(5_000);
    expect(await reconciled(bus)).toMatchObject({ tended: 0 });
    await bus.clock.pause(10_000);
    expect(await reconciled(bus)).toMatchObject({ tended: 1 });
  });

  it("costs one small read an event while nothing changes, and is read again once something has", async () => {
    const bus = busInMemory();
    await subscribed(bus, queueInput());
    const reads = { generations: 0, entries: 0 };
    const { getGeneration, getEntries } = bus.store;
    bus.store.getGeneration = (type) => {
      reads.generations++;
      return getGeneration.call(bus.store, type);
    };
    bus.store.getEntries = (type) => {
      reads.entries++;
      return getEntries.call(bus.store, type);
    };
    for (let i = 0; i < 5; i++) await publish(bus);
    expect(reads).toEqual({ generations: 5, entries: 1 });
    await subscribed(bus, queueInput({ name: "second" }));
    for (let i = 0; i < 5; i++) await publish(bus);
    expect(reads).toEqual({ generations: 10, entries: 2 });
  });

  it("is read once for all events of a batch, whatever has changed before", async () => {
    const bus = busInMemory();
    const events = [await published(bus), await published(bus), await published(bus)];
    await subscribed(bus, queueInput());
    const { store, taken } = watched(bus.store);
    const dispatched = await Promise.all(events.map((event) => dispatchEvent({ ...bus.deps, store }, event)));
    expect(dispatched).toEqual([{ begun: 1 }, { begun: 1 }, { begun: 1 }]);
    expect(taken().reads).toEqual(["getGeneration", "getEntries"]);
  });

  it("is read again for an event that comes while it is being read for another", async () => {
    const bus = busInMemory();
    const first = subscriptionsOf(bus.deps, TYPE);
    await Promise.resolve();
    const subscribing = subscribed(bus, queueInput());
    expect(await first).toEqual([]);
    await subscribing;
    expect(await subscriptionsOf(bus.deps, TYPE)).toHaveLength(1);
  });

  it("shows a subscription to the next event although another machine had read the index before [subscribe-2]", async () => {
    const bus = busInMemory();
    expect(await subscriptionsOf(bus.deps, TYPE)).toEqual([]);
    const id = await subscribed(bus, queueInput());
    expect((await subscriptionsOf(bus.deps, TYPE)).map(({ subscriptionId }) => subscriptionId)).toEqual([id]);
  });

  it("is never remembered as it was before a change, whenever in its course it is read", async () => {
    const bus = busInMemory();
    for (const name of ["putEntry", "bumpGeneration"] as const) {
      const write = bus.store[name].bind(bus.store) as (argument: never) => Promise<void>;
      bus.store[name] = async (argument: never) => {
        await subscriptionsOf(bus.deps, TYPE);
        await write(argument);
        await subscriptionsOf(bus.deps, TYPE);
      };
    }
    await subscribed(bus, queueInput());
    expect(await subscriptionsOf(bus.deps, TYPE)).toHaveLength(1);
  });

  it("does not keep what it read while it was being changed", async () => {
    const bus = busInMemory();
    const getEntries = bus.store.getEntries.bind(bus.store);
    bus.store.getEntries = async (type) => {
      const read = await getEntries(type);
      bus.store.getEntries = getEntries;
      // The read is under way; the change comes in between.
      await subscribed(bus, queueInput());
      return read;
    };
    expect(await subscriptionsOf(bus.deps, TYPE)).toEqual([]);
    expect(await subscriptionsOf(bus.deps, TYPE)).toHaveLength(1);
  });
});
