import { describe, expect, it } from "vitest";
import { openAgent } from "../../../shared/agents/agent.ts";
import { dispatchEvent } from "../../../shared/deliveries/dispatch.ts";
import { BusError } from "../../../shared/errors.ts";
import { DELIVERIES_PER_SECOND } from "../../../shared/limits.ts";
import { changeSubscription } from "../../../shared/subscriptions/subscribe.ts";
import { type BusInMemory, busInMemory } from "../../support/bus-in-memory.ts";
import { crashAt } from "../../support/crash.ts";
import { codeOf } from "../../support/failures.ts";
import {
  minutesPass,
  OWNER,
  publish,
  published,
  queueInput,
  subscribed,
  TYPE,
  take,
  webhookInput,
} from "../../support/run-time-bus.ts";
import { watched } from "../../support/watched-store.ts";
import { workDue } from "../../support/webhook-worker.ts";

/** Two webhooks and a queue that want the event. */
async function threeSubscriptions(bus: BusInMemory): Promise<{ hooks: string[]; queue: string }> {
  return {
    hooks: [
      await subscribed(bus, webhookInput({ name: "first" })),
      await subscribed(bus, webhookInput({ name: "second" })),
    ],
    queue: await subscribed(bus, queueInput()),
  };
}

describe("an event that is dispatched", () => {
  it("goes to every run-time subscription that wants it, of whatever agent, once", async () => {
    const bus = busInMemory();
    const { hooks, queue } = await threeSubscriptions(bus);
    const others = await subscribed(bus, queueInput(), "other");
    const eventId = await publish(bus);
    const deliveries = await bus.store.getDeliveries(eventId);
    expect(deliveries.map(({ subscriptionId }) => subscriptionId).sort()).toEqual([...hooks, queue, others].sort());
    expect(deliveries.map(({ owner }) => owner).sort()).toEqual(["other", OWNER, OWNER, OWNER]);
    expect(bus.webhookQueue.sent).toEqual(
      expect.arrayContaining(hooks.map((subscriptionId) => ({ owner: OWNER, subscriptionId, eventId }))),
    );
    expect(bus.webhookQueue.sent).toHaveLength(2);
  });

  it("does not go to who wants other types, is filtered out, or is disabled", async () => {
    const bus = busInMemory();
    await subscribed(bus, queueInput({ name: "other type", event_types: ["MESSAGE_RECEIVED"] }));
    await subscribed(bus, queueInput({ name: "filtered", filter: { data: { target: ["billing"] } } }));
    const disabled = await subscribed(bus, queueInput({ name: "disabled" }));
    await changeSubscription(bus.deps, disabled, { status: "disabled" }, openAgent(OWNER));
    const fitting = await subscribed(bus, queueInput({ name: "fits", filter: { data: { target: ["crm"] } } }));
    const eventId = await publish(bus, { target: "crm" });
    const deliveries = await bus.store.getDeliveries(eventId);
    expect(deliveries.map(({ subscriptionId }) => subscriptionId)).toEqual([fitting]);
  });

  it("goes by its envelope too: filters see type, source and agent type, and never the reply token", async () => {
    const bus = busInMemory();
    await subscribed(bus, queueInput({ name: "source", filter: { source: ["emitter"] } }));
    await subscribed(bus, queueInput({ name: "token", filter: { reply_to: { token: [{ exists: true }] } } }));
    const eventId = await publish(bus);
    expect((await bus.store.getDeliveries(eventId)).map(({ name }) => name)).toEqual(["source"]);
  });

  it("twice is delivered once [deliver-3]", async () => {
    const bus = busInMemory();
    const { queue } = await threeSubscriptions(bus);
    const event = await published(bus);
    expect(await dispatchEvent(bus.deps, event)).toEqual({ begun: 3 });
    expect(await dispatchEvent(bus.deps, event)).toEqual({ begun: 0 });
    await workDue(bus);
    expect(bus.webhooks.calls).toHaveLength(2);
    expect((await take(bus, queue)).map(({ event }) => event.id)).toEqual([event.id]);
    expect(await bus.store.getDeliveries(event.id)).toHaveLength(3);
  });

  it("again, after it was delivered, is not sent for again [deliver-3]", async () => {
    const bus = busInMemory();
    await threeSubscriptions(bus);
    const event = await published(bus);
    await dispatchEvent(bus.deps, event);
    await workDue(bus);
    await dispatchEvent(bus.deps, event);
    expect(bus.webhookQueue.sent).toHaveLength(2);
  });

  it("by two at the same moment is delivered once [deliver-3]", async () => {
    const bus = busInMemory();
    const { queue } = await threeSubscriptions(bus);
    const event = await published(bus);
    await Promise.all([dispatchEvent(bus.deps, event), dispatchEvent(bus.deps, event)]);
    await workDue(bus);
    expect(bus.webhooks.calls).toHaveLength(2);
    expect(await take(bus, queue)).toHaveLength(1);
  });

  it("reaches the others although one delivery cannot begin, and that one when it comes again", async () => {
    const bus = busInMemory();
    const ids: string[] = [];
    for (let i = 0; i < 5; i++) ids.push(await subscribed(bus, queueInput({ name: `queue ${i}` })));
    const create = bus.store.createDelivery.bind(bus.store);
    bus.store.createDelivery = (delivery) =>
      delivery.subscriptionId === ids[2]
        ? Promise.reject(new BusError("unavailable", "The store is throttled."))
        : create(delivery);
    const event = await published(bus);
    expect(await codeOf(dispatchEvent(bus.deps, event))).toBe("unavailable");
    expect(await bus.store.getDeliveries(event.id)).toHaveLength(4);
    bus.store.createDelivery = create;
    expect(await dispatchEvent(bus.deps, event)).toEqual({ begun: 1 });
    expect(await bus.store.getDeliveries(event.id)).toHaveLength(5);
  });

  it("reaches everybody once although dispatching crashes at any write, when it comes again", async () => {
    for (const fate of ["lost", "written"] as const) {
      for (let at = 1; at <= 3; at++) {
        const bus = busInMemory();
        const { queue } = await threeSubscriptions(bus);
        const event = await published(bus);
        const crash = crashAt(bus.store, at, fate);
        await dispatchEvent(bus.deps, event).catch(() => undefined);
        expect(crash.happened).toBe(true);
        crash.over();
        await dispatchEvent(bus.deps, event);
        await workDue(bus);
        expect(bus.webhooks.calls, `${fate} at write ${at}`).toHaveLength(2);
        expect(await take(bus, queue)).toHaveLength(1);
      }
    }
  });
});

describe("an event for very many", () => {
  const COUNT = 2 * DELIVERIES_PER_SECOND + 100;

  /** As many as no agent makes in a test. */
  async function withSubscribers(bus: BusInMemory): Promise<void> {
    const id = await subscribed(bus, webhookInput());
    const [entry] = await bus.store.getEntries(TYPE);
    if (entry === undefined) throw new Error(`Subscription ${id} is in no index.`);
    for (let i = 1; i < COUNT; i++) await bus.store.putEntry({ ...entry, subscriptionId: `${id} ${i}` });
    await bus.store.bumpGeneration(TYPE);
  }

  it("is recorded no faster than its partition takes it, and reaches all", async () => {
    const bus = busInMemory();
    await withSubscribers(bus);
    const event = await published(bus);
    const begunAt: number[] = [];
    const create = bus.store.createDelivery.bind(bus.store);
    bus.store.createDelivery = (delivery) => {
      begunAt.push(bus.clock.nowMs);
      return create(delivery);
    };
    expect(await dispatchEvent(bus.deps, event)).toEqual({ begun: COUNT });
    const second = (number: number): number[] =>
      begunAt.filter((atMs) => Math.floor((atMs - (begunAt[0] ?? 0)) / 1_000) === number);
    expect([second(0), second(1), second(2)].map(({ length }) => length)).toEqual([
      DELIVERIES_PER_SECOND,
      DELIVERIES_PER_SECOND,
      100,
    ]);
    expect(bus.webhookQueue.sent).toHaveLength(COUNT);
  });

  it("writes nothing in vain when it comes again after a part of it, and sends for those that nobody was sent for", async () => {
    const bus = busInMemory();
    await withSubscribers(bus);
    const event = await published(bus);
    bus.webhookQueue.failure = new BusError("unavailable", "Not all webhooks could be sent for.");
    expect(await codeOf(dispatchEvent(bus.deps, event))).toBe("unavailable");
    bus.webhookQueue.failure = null;
    const { store, taken } = watched(bus.store);
    const again = await dispatchEvent({ ...bus.deps, store }, event, { isRepeated: true });
    expect(again).toEqual({ begun: COUNT - DELIVERIES_PER_SECOND });
    expect(taken().writes).toHaveLength(COUNT - DELIVERIES_PER_SECOND);
    expect(new Set(bus.webhookQueue.sent.map(({ subscriptionId }) => subscriptionId)).size).toBe(COUNT);
  });
});

describe("webhooks that could not be sent for", () => {
  it("are sent for when the event comes again", async () => {
    const bus = busInMemory();
    await threeSubscriptions(bus);
    bus.webhookQueue.failure = new BusError("unavailable", "Not all webhooks could be sent for.");
    const event = await published(bus);
    expect(await codeOf(dispatchEvent(bus.deps, event))).toBe("unavailable");
    expect(bus.webhookQueue.sent).toEqual([]);
    bus.webhookQueue.failure = null;
    expect(await dispatchEvent(bus.deps, event)).toEqual({ begun: 0 });
    await workDue(bus);
    expect(bus.webhooks.calls).toHaveLength(2);
  });

  it("are sent for by the reconciler within minutes, should the event never come again, and not every minute [deliver-8]", async () => {
    const bus = busInMemory();
    await threeSubscriptions(bus);
    bus.webhookQueue.failure = new BusError("unavailable", "Not all webhooks could be sent for.");
    await publish(bus).catch(() => undefined);
    bus.webhookQueue.failure = null;
    await minutesPass(bus, 4);
    expect(bus.webhookQueue.sent).toEqual([]);
    await minutesPass(bus, 2);
    expect(bus.webhookQueue.sent).toHaveLength(2);
    // Nobody works the queue off: it may be behind, and what it holds is not sent for again every minute.
    await minutesPass(bus, 4);
    expect(bus.webhookQueue.sent).toHaveLength(2);
    await minutesPass(bus, 2);
    expect(bus.webhookQueue.sent).toHaveLength(4);
    await workDue(bus);
    expect(bus.webhooks.calls).toHaveLength(2);
  });
});
