import { describe, expect, it } from "vitest";
import { openAgent } from "../../../shared/agents/agent.ts";
import { dispatchEvent } from "../../../shared/deliveries/dispatch.ts";
import { reconcile } from "../../../shared/reconcile.ts";
import { changeSubscription, unsubscribe } from "../../../shared/subscriptions/subscribe.ts";
import { after, type BusInMemory, busInMemory } from "../../support/bus-in-memory.ts";
import { codeOf, failureOf } from "../../support/failures.ts";
import {
  ack,
  ask,
  minutesPass,
  OWNER,
  publish,
  published,
  queueInput,
  subscribed,
  take,
  takeOne,
  webhookInput,
} from "../../support/run-time-bus.ts";

/** Each a minute longer than a day, at whose end the reconciler runs. */
async function daysPass(bus: BusInMemory, days: number): Promise<void> {
  for (let day = 0; day < days; day++) {
    await bus.clock.pause(86_400_000);
    await minutesPass(bus, 1);
  }
}

async function withQueue(change: object = {}) {
  const bus = busInMemory();
  return { bus, id: await subscribed(bus, queueInput(change)) };
}

describe("a message", () => {
  it("is the event with what an answer needs, a receipt, and which attempt it is", async () => {
    const { bus, id } = await withQueue();
    const request = await ask(bus, { data: { target: "billing" }, require_subscribers: false });
    const message = await takeOne(bus, id);
    expect(message).toMatchObject({
      event: {
        id: request.eventId,
        data: { target: "billing" },
        reply_to: {
          url: `/events/${request.eventId}/responses?as=queue`,
          token: request.replyToken,
          deadline: request.deadline,
        },
      },
      attempt: 1,
    });
    expect(message.receipt).toMatch(/^[^.]+\.[^.]+$/);
  });

  it("that was taken is hidden until its time is up, then comes again as the next attempt", async () => {
    const { bus, id } = await withQueue();
    await publish(bus);
    const first = await takeOne(bus, id);
    await bus.clock.pause(29_999);
    expect(await take(bus, id)).toEqual([]);
    await bus.clock.pause(1);
    const second = await takeOne(bus, id);
    expect(second).toMatchObject({ event: { id: first.event.id }, attempt: 2 });
    expect(second.receipt).not.toBe(first.receipt);
  });

  it("is hidden for as long as its subscription says, or the poll", async () => {
    const { bus, id } = await withQueue({ target: { kind: "queue", visibility: 5 } });
    await publish(bus);
    await takeOne(bus, id);
    await bus.clock.pause(5_000);
    expect(await take(bus, id, { visibilitySeconds: 60 })).toHaveLength(1);
    await bus.clock.pause(59_000);
    expect(await take(bus, id)).toEqual([]);
    await bus.clock.pause(1_000);
    expect(await take(bus, id)).toHaveLength(1);
  });

  it("that comes again says in the delivery's log that it was not acknowledged", async () => {
    const { bus, id } = await withQueue();
    const eventId = await publish(bus);
    for (let i = 0; i < 2; i++) {
      await takeOne(bus, id);
      await bus.clock.pause(30_000);
    }
    await ack(bus, id, (await takeOne(bus, id)).receipt);
    const [delivery] = await bus.store.getDeliveries(eventId);
    expect(delivery).toMatchObject({ state: "DELIVERED", attempts: 3 });
    expect(delivery?.log.map(({ outcome }) => outcome)).toEqual([
      "not acknowledged in time",
      "not acknowledged in time",
      "acknowledged",
    ]);
  });
});

describe("taking messages", () => {
  it("gives the oldest first, at most ten unless told otherwise, and the rest after them", async () => {
    const { bus, id } = await withQueue();
    const ids: string[] = [];
    for (let i = 0; i < 13; i++) {
      ids.push(await publish(bus, { i }));
      await bus.clock.pause(10);
    }
    const taken = async (max?: number) =>
      (await take(bus, id, max === undefined ? {} : { max })).map(({ event }) => event.id);
    expect(await taken(1)).toEqual(ids.slice(0, 1));
    expect(await taken()).toEqual(ids.slice(1, 11));
    expect(await taken()).toEqual(ids.slice(11));
    expect(await taken()).toEqual([]);
  });

  it("by several at the same moment never gives one message to two", async () => {
    const { bus, id } = await withQueue();
    const ids: string[] = [];
    for (let i = 0; i < 40; i++) ids.push(await publish(bus, { i }));
    const given: string[] = [];
    for (let round = 0; round < 10; round++) {
      const polls = await Promise.all(Array.from({ length: 5 }, () => take(bus, id, { max: 3 })));
      for (const messages of polls) {
        expect(messages.length).toBeLessThanOrEqual(3);
        given.push(...messages.map(({ event }) => event.id));
      }
    }
    expect(given.sort()).toEqual(ids.sort());
  });

  it("waits for a message, and has it soon after it comes", async () => {
    const { bus, id } = await withQueue();
    const start = bus.clock.nowMs;
    const [messages] = await Promise.all([
      take(bus, id, { waitMs: 20_000 }),
      after(bus.clock, 7_000, () => publish(bus)),
    ]);
    expect(messages).toHaveLength(1);
    expect(bus.clock.nowMs - start).toBeGreaterThanOrEqual(7_000);
    expect(bus.clock.nowMs - start).toBeLessThan(8_000);
  });

  it("has a message soon after it becomes visible again", async () => {
    const { bus, id } = await withQueue();
    await publish(bus);
    await takeOne(bus, id);
    await bus.clock.pause(20_000);
    const start = bus.clock.nowMs;
    expect(await take(bus, id, { waitMs: 20_000 })).toMatchObject([{ attempt: 2 }]);
    expect(bus.clock.nowMs - start).toBeGreaterThanOrEqual(10_000);
    expect(bus.clock.nowMs - start).toBeLessThan(11_000);
  });

  it("waits no longer than it is told to, and not at all when it is not", async () => {
    const { bus, id } = await withQueue();
    const start = bus.clock.nowMs;
    expect(await take(bus, id)).toEqual([]);
    expect(bus.clock.nowMs - start).toBe(0);
    expect(await take(bus, id, { waitMs: 20_000 })).toEqual([]);
    expect(bus.clock.nowMs - start).toBe(20_000);
  });

  it("takes nothing for somebody who has gone", async () => {
    const { bus, id } = await withQueue();
    const gone = new AbortController();
    const [messages] = await Promise.all([
      take(bus, id, { waitMs: 20_000, signal: gone.signal }),
      after(bus.clock, 1_000, async () => {
        await publish(bus);
        gone.abort();
      }),
    ]);
    expect(messages).toEqual([]);
    expect(await take(bus, id)).toMatchObject([{ attempt: 1 }]);
  });

  it("is not held up by an index that lags and names what is done or taken", async () => {
    const { bus, id } = await withQueue();
    const done = await publish(bus);
    const hidden = await publish(bus);
    const [first] = await take(bus, id);
    await ack(bus, id, first?.receipt ?? "");
    const fresh = await publish(bus);
    bus.store.findMessages = async () => [done, hidden, fresh];
    expect((await take(bus, id)).map(({ event }) => event.id)).toEqual([fresh]);
  });

  it("is refused for a webhook, and for what is not there", async () => {
    const { bus } = await withQueue();
    const hook = await subscribed(bus, webhookInput());
    expect((await failureOf(take(bus, hook))).errors).toMatchObject([{ pointer: "/subscription_id" }]);
    expect(await codeOf(take(bus, "nothing"))).toBe("not_found");
  });
});

describe("a message that nobody acknowledges", () => {
  it("is dead after its last receive, found by the reconciler, with the reason and all attempts [deliver-7]", async () => {
    const { bus, id } = await withQueue({ target: { kind: "queue", visibility: 10, max_attempts: 3 } });
    const eventId = await publish(bus);
    for (let attempt = 1; attempt <= 3; attempt++) {
      expect(await takeOne(bus, id)).toMatchObject({ attempt });
      await bus.clock.pause(10_000);
    }
    expect(await take(bus, id)).toEqual([]);
    await minutesPass(bus, 1);
    const [delivery] = await bus.store.getDeliveries(eventId);
    expect(delivery).toMatchObject({
      state: "DEAD",
      attempts: 3,
      reason: "not acknowledged in time, at receive 3, the last",
    });
    expect(delivery?.log).toHaveLength(3);
    await bus.clock.pause(3_600_000);
    expect(await take(bus, id)).toEqual([]);
  });

  it("is not dead while its last receive is hidden, nor when that is kept hidden for longer", async () => {
    const { bus, id } = await withQueue({ target: { kind: "queue", visibility: 600, max_attempts: 1 } });
    const eventId = await publish(bus);
    const { receipt } = await takeOne(bus, id);
    await minutesPass(bus, 9);
    expect(await bus.store.getDeliveries(eventId)).toMatchObject([{ state: "PENDING" }]);
    expect(await ack(bus, id, receipt)).toBe("ok");
  });

  it("goes by the attempts that its subscription allows now", async () => {
    const { bus, id } = await withQueue();
    await publish(bus);
    await takeOne(bus, id);
    await changeSubscription(bus.deps, id, { target: { max_attempts: 2 } }, openAgent(OWNER));
    await bus.clock.pause(30_000);
    expect(await takeOne(bus, id)).toMatchObject({ attempt: 2 });
    await minutesPass(bus, 1);
    expect(await take(bus, id)).toEqual([]);
  });
});

describe("a message that nobody takes", () => {
  it("is dead after 14 days, with the reason, and not before", async () => {
    const { bus, id } = await withQueue();
    const eventId = await publish(bus);
    await daysPass(bus, 13);
    expect(await bus.store.getDeliveries(eventId)).toMatchObject([{ state: "PENDING" }]);
    await daysPass(bus, 2);
    expect(await bus.store.getDeliveries(eventId)).toMatchObject([
      { state: "DEAD", reason: "nobody took it for 14 days", attempts: 0 },
    ]);
    expect(await take(bus, id)).toEqual([]);
  });

  it("is dead after 14 days although its subscription is disabled", async () => {
    const { bus, id } = await withQueue();
    const eventId = await publish(bus);
    await changeSubscription(bus.deps, id, { status: "disabled" }, openAgent(OWNER));
    await daysPass(bus, 16);
    expect(await bus.store.getDeliveries(eventId)).toMatchObject([{ state: "DEAD" }]);
  });

  it("is dead together with all others, however many there are", async () => {
    const { bus, id } = await withQueue();
    const ids: string[] = [];
    for (let i = 0; i < 2_100; i++) ids.push(await publish(bus));
    await unsubscribe(bus.deps, id, OWNER);
    await minutesPass(bus, 3);
    const states = await Promise.all(ids.map(async (eventId) => (await bus.store.getDeliveries(eventId))[0]?.state));
    expect(new Set(states)).toEqual(new Set(["DEAD"]));
  });
});

describe("a message that is pointless by now", () => {
  it("because its event has expired is not given, and dead", async () => {
    const { bus, id } = await withQueue();
    const eventId = await publish(bus);
    bus.store.getEvents = async () => [];
    expect(await take(bus, id)).toEqual([]);
    expect(await bus.store.getDeliveries(eventId)).toMatchObject([{ state: "DEAD", reason: "the event has expired" }]);
  });

  it("because the deadline of its question has passed is not given, and dead; an observer gets it all the same", async () => {
    const { bus, id } = await withQueue();
    const observer = await subscribed(bus, queueInput({ name: "observer", answers: false }));
    const { eventId } = await ask(bus, { timeout: 10, require_subscribers: false });
    await bus.clock.pause(10_000);
    expect(await take(bus, id)).toEqual([]);
    expect(await take(bus, observer)).toHaveLength(1);
    const deliveries = await bus.store.getDeliveries(eventId);
    expect(deliveries.find(({ subscriptionId }) => subscriptionId === id)).toMatchObject({
      state: "DEAD",
      reason: "the deadline has passed",
    });
  });

  it("does not stand in front of those that are not: a poll that need not wait has the next one", async () => {
    const { bus, id } = await withQueue();
    for (let i = 0; i < 25; i++) await ask(bus, { timeout: 5, require_subscribers: false });
    await bus.clock.pause(6_000);
    const fresh = await publish(bus);
    expect((await take(bus, id)).map(({ event }) => event.id)).toEqual([fresh]);
  });
});

describe("the messages of a queue that is ended", () => {
  it("are dead, hidden ones too, with that reason", async () => {
    const { bus, id } = await withQueue({ target: { kind: "queue", max_attempts: 2 } });
    const last = await publish(bus);
    await takeOne(bus, id);
    await bus.clock.pause(30_000);
    await takeOne(bus, id);
    const hidden = await publish(bus);
    await takeOne(bus, id);
    const waiting = await publish(bus);
    await unsubscribe(bus.deps, id, OWNER);
    await minutesPass(bus, 1);
    for (const eventId of [last, hidden, waiting])
      expect(await bus.store.getDeliveries(eventId)).toMatchObject([{ state: "DEAD", reason: "subscription_deleted" }]);
  });

  it("are dead although a dispatch that was under way puts one there after it [deliver-17]", async () => {
    const { bus, id } = await withQueue();
    const create = bus.store.createDelivery.bind(bus.store);
    bus.store.createDelivery = async (delivery) => {
      bus.store.createDelivery = create;
      await unsubscribe(bus.deps, id, OWNER);
      return create(delivery);
    };
    const eventId = await publish(bus);
    await minutesPass(bus, 10);
    expect(await bus.store.getDeliveries(eventId)).toMatchObject([{ state: "DEAD", reason: "subscription_deleted" }]);
    await minutesPass(bus, 150);
    expect(await bus.store.findDueWork("subscription", "9999", 10)).toEqual([]);
  });

  it("are dead although a reconciler whose clock is six minutes fast has looked before they came", async () => {
    const { bus, id } = await withQueue();
    const event = await published(bus);
    const create = bus.store.createDelivery.bind(bus.store);
    bus.store.createDelivery = async (delivery) => {
      bus.store.createDelivery = create;
      await unsubscribe(bus.deps, id, OWNER);
      const fast = { ...bus.deps, now: () => bus.deps.now() + 360_000 };
      await reconcile(fast, { untilMs: bus.deps.monotonic() + 60_000 });
      return create(delivery);
    };
    await dispatchEvent(bus.deps, event);
    await minutesPass(bus, 15);
    expect(await bus.store.getDeliveries(event.id)).toMatchObject([{ state: "DEAD", reason: "subscription_deleted" }]);
  });
});
