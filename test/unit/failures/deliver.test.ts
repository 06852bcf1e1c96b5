import { describe, expect, it } from "vitest";
import { defineBus } from "../../../shared/bus-config.ts";
import { dispatchEvent } from "../../../shared/deliveries/dispatch.ts";
import { BusError } from "../../../shared/errors.ts";
import { MESSAGE_RETENTION_MS } from "../../../shared/limits.ts";
import { subscribe } from "../../../shared/subscriptions/subscribe.ts";
import { busInMemory } from "../../support/bus-in-memory.ts";
import { failureOf } from "../../support/failures.ts";
import { EMITTER, publish, published, queueInput, subscribed, take } from "../../support/run-time-bus.ts";

describe("events", () => {
  it("that come in another order than they were sent all arrive, with the times to put them in order [deliver-4]", async () => {
    const bus = busInMemory();
    const queue = await subscribed(bus, queueInput());
    const first = await published(bus, { n: 1 });
    await bus.clock.pause(5);
    const second = await published(bus, { n: 2 });
    await dispatchEvent(bus.deps, second);
    await bus.clock.pause(5);
    await dispatchEvent(bus.deps, first);
    const messages = await take(bus, queue);
    const inOrder = messages.map(({ event }) => event).sort((a, b) => (a.timestamp < b.timestamp ? -1 : 1));
    expect(inOrder.map(({ id }) => id)).toEqual([first.id, second.id]);
  });
});

describe("the record that keeps an event from being delivered twice", () => {
  it("outlives every redelivery: no bus may keep its records for less than 15 days [deliver-18]", async () => {
    expect(() => defineBus({ limits: { retentionDays: 14 } })).toThrow("15");
    const bus = busInMemory({ limits: { retentionDays: 15 } });
    const queue = await subscribed(bus, queueInput());
    const id = await publish(bus);
    const delivery = await bus.store.getDelivery({ eventId: id, subscriptionId: queue });
    const livesMs = (delivery?.expiresAt ?? 0) * 1_000 - bus.clock.nowMs;
    expect(livesMs).toBeGreaterThan(MESSAGE_RETENTION_MS);
  });
});

describe("subscribing", () => {
  it("while the store throttles is refused for now; said again, it is as if it had been said once [subscribe-5]", async () => {
    const bus = busInMemory();
    const { putEntry } = bus.store;
    bus.store.putEntry = async () => {
      throw new BusError("unavailable", "Throttled.");
    };
    const failure = await failureOf(subscribe(bus.deps, queueInput(), EMITTER.agent));
    expect([failure.code, failure.retryable]).toEqual(["unavailable", true]);
    bus.store.putEntry = putEntry;
    const { subscription } = await subscribe(bus.deps, queueInput(), EMITTER.agent);
    const id = await publish(bus);
    expect(await bus.store.getDelivery({ eventId: id, subscriptionId: subscription.subscription_id })).not.toBeNull();
  });
});
