import { describe, expect, it } from "vitest";
import { openAgent } from "../../../shared/agents/agent.ts";
import { BusError } from "../../../shared/errors.ts";
import { changeSubscription, subscribe, unsubscribe } from "../../../shared/subscriptions/subscribe.ts";
import { deliverWebhook } from "../../../shared/webhooks/deliver.ts";
import { type BusInMemory, busInMemory } from "../../support/bus-in-memory.ts";
import { crashAt } from "../../support/crash.ts";
import {
  ask,
  minutesPass,
  OWNER,
  publish,
  queueInput,
  reconciled,
  subscribed,
  webhookInput,
} from "../../support/run-time-bus.ts";
import { accepts, fails, HOOK, type Reply, refusesConnections } from "../../support/scripted-webhooks.ts";
import { dropLong, workDue, workOff } from "../../support/webhook-worker.ts";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** A webhook with one event on its way to it, and when it is called, in milliseconds since then. */
async function withEvent(...replies: readonly Reply[]) {
  const bus = busInMemory();
  const id = await subscribed(bus, webhookInput());
  bus.webhooks.script(HOOK, ...replies);
  const eventId = await publish(bus);
  const calledAt: number[] = [];
  const startMs = bus.clock.nowMs;
  const send = bus.webhooks.send.bind(bus.webhooks);
  bus.webhooks.send = (call) => {
    calledAt.push(bus.clock.nowMs - startMs);
    return send(call);
  };
  const task = { owner: OWNER, subscriptionId: id, eventId };
  const delivery = async () => (await bus.store.getDeliveries(eventId))[0];
  return { bus, id, eventId, task, calledAt, delivery };
}

describe("a webhook's delivery", () => {
  it("is done with the first 2xx, and its endpoint is called no more", async () => {
    const { bus, calledAt, delivery } = await withEvent(accepts());
    await workOff(bus);
    await minutesPass(bus, 30);
    expect(calledAt).toEqual([0]);
    expect(await delivery()).toMatchObject({
      state: "DELIVERED",
      attempts: 1,
      endedAt: "2026-06-01T12:00:00.000Z",
      log: [{ at: "2026-06-01T12:00:00.000Z", outcome: "HTTP 200", elapsedMs: 12 }],
    });
  });

  it("is tried again after 5 s, 5 min, 30 min, 2 h, 5 h, 10 h and 10 h; then it is dead, and says why [deliver-14]", async () => {
    const { bus, calledAt, delivery } = await withEvent(fails(503));
    await workOff(bus);
    const waits = calledAt.slice(1).map((at, i) => at - (calledAt[i] ?? 0));
    expect(waits).toEqual([5 * SECOND, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 10 * HOUR]);
    expect(await delivery()).toMatchObject({
      state: "DEAD",
      attempts: 8,
      reason: "HTTP 503, at attempt 8, the last",
      log: Array(8).fill({ outcome: "HTTP 503" }),
    });
    await minutesPass(bus, 30);
    expect(calledAt).toHaveLength(8);
  });

  it("keeps to that schedule, to a minute, although its queue drops what waits long [deliver-15]", async () => {
    const { bus, calledAt, delivery } = await withEvent(fails(503));
    for (let minute = 0; minute < 28 * 60; minute++) {
      await workDue(bus);
      dropLong(bus);
      await minutesPass(bus, 1);
    }
    const planned = [5 * SECOND, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 10 * HOUR];
    const late = calledAt.slice(1).map((at, i) => at - (calledAt[i] ?? 0) - (planned[i] ?? 0));
    expect(late).toHaveLength(7);
    for (const ms of late) {
      expect(ms).toBeGreaterThanOrEqual(0);
      expect(ms).toBeLessThanOrEqual(MINUTE);
    }
    expect(await delivery()).toMatchObject({ state: "DEAD", attempts: 8 });
  });

  it.each([
    ["a redirect", fails(302)],
    ["a refusal", fails(400)],
    ["no answer at all", refusesConnections],
  ])("is tried again after %s, and done once it is taken", async (_, failure) => {
    const { bus, calledAt, delivery } = await withEvent(failure, failure, accepts());
    await workOff(bus);
    expect(calledAt).toEqual([0, 5 * SECOND, 5 * SECOND + 5 * MINUTE]);
    expect(await delivery()).toMatchObject({ state: "DELIVERED", attempts: 3 });
  });

  it("is tried again no sooner than Retry-After asks, and no later than in 10 h [deliver-12]", async () => {
    const { bus, calledAt } = await withEvent(fails(429, 60 * SECOND), fails(503, 100 * HOUR), accepts());
    await workOff(bus);
    expect(calledAt).toEqual([0, 60 * SECOND, 60 * SECOND + 10 * HOUR]);
  });

  it("is tried again by the schedule where Retry-After asks for less", async () => {
    const { bus, calledAt } = await withEvent(fails(503, 1), accepts());
    await workOff(bus);
    expect(calledAt).toEqual([0, 5 * SECOND]);
  });

  it("shows while it is pending when the next attempt is", async () => {
    const { bus, delivery } = await withEvent(fails(503));
    await workDue(bus);
    expect(await delivery()).toMatchObject({
      state: "PENDING",
      attempts: 1,
      nextAttemptAt: "2026-06-01T12:00:05.000Z",
    });
  });
});

describe("a task", () => {
  it("that comes twice is called for once", async () => {
    const { bus, task, calledAt } = await withEvent(accepts());
    await bus.webhookQueue.send([task, task]);
    await workOff(bus);
    expect(calledAt).toEqual([0]);
  });

  it("that two workers have at the same moment is called for once; the other comes again to see", async () => {
    const { bus, task, calledAt } = await withEvent(accepts());
    const outcomes = await Promise.all([deliverWebhook(bus.deps, task), deliverWebhook(bus.deps, task)]);
    expect(calledAt).toEqual([0]);
    expect(outcomes).toContainEqual({ kind: "done" });
    expect(outcomes).toContainEqual({ kind: "again", afterMs: 30 * SECOND });
    await bus.clock.pause(30 * SECOND);
    expect(await deliverWebhook(bus.deps, task)).toEqual({ kind: "done" });
    expect(calledAt).toEqual([0]);
  });

  it("that comes too early calls nobody, and is told when to come again", async () => {
    const { bus, task, calledAt, delivery } = await withEvent(fails(503));
    await workDue(bus);
    await bus.clock.pause(2 * SECOND);
    const before = await delivery();
    expect(await deliverWebhook(bus.deps, task)).toEqual({ kind: "again", afterMs: 3 * SECOND });
    expect(calledAt).toHaveLength(1);
    expect(await delivery()).toEqual(before);
  });

  it("that comes while the call is under way calls nobody", async () => {
    const second: unknown[] = [];
    const { bus, task, calledAt } = await withEvent(async () => {
      await bus.clock.pause(10 * SECOND);
      second.push(await deliverWebhook(bus.deps, task));
      return accepts();
    });
    await workOff(bus);
    expect(second).toEqual([{ kind: "again", afterMs: 20 * SECOND }]);
    expect(calledAt).toEqual([0]);
  });

  it("for what is done, dead or not there is done", async () => {
    const { bus, task } = await withEvent(accepts());
    await workOff(bus);
    expect(await deliverWebhook(bus.deps, task)).toEqual({ kind: "done" });
    expect(await deliverWebhook(bus.deps, { ...task, eventId: "nothing" })).toEqual({ kind: "done" });
  });
});

describe("a worker that dies", () => {
  it("during the call is followed by another when its lease is over, and the delivery is done [deliver-9]", async () => {
    const { bus, calledAt, delivery } = await withEvent(() => Promise.reject(new Error("killed")), accepts());
    await workOff(bus);
    expect(calledAt).toHaveLength(2);
    expect(calledAt[1]).toBeGreaterThanOrEqual(30 * SECOND);
    expect(await delivery()).toMatchObject({ state: "DELIVERED", attempts: 2 });
  });

  it("with its task lost too is found by the reconciler, and not every minute", async () => {
    const { bus, calledAt, delivery } = await withEvent(() => Promise.reject(new Error("killed")), accepts());
    await workDue(bus);
    bus.webhookQueue.waiting.length = 0;
    expect(bus.webhookQueue.sent).toHaveLength(1);
    await minutesPass(bus, 10);
    expect(bus.webhookQueue.sent).toHaveLength(2);
    await workDue(bus);
    expect(calledAt).toHaveLength(2);
    expect(await delivery()).toMatchObject({ state: "DELIVERED" });
  });

  it("at any write is made up for: the delivery is done, and its endpoint called at most once more", async () => {
    for (const fate of ["lost", "written"] as const) {
      for (let at = 1; at <= 3; at++) {
        const { bus, calledAt, delivery } = await withEvent(fails(500), accepts());
        await workDue(bus);
        await bus.clock.pause(5 * SECOND);
        const crash = crashAt(bus.store, at, fate);
        await workDue(bus);
        expect(crash.happened).toBe(true);
        crash.over();
        await workOff(bus);
        await minutesPass(bus, 1);
        expect(await delivery(), `${fate} at write ${at}`).toMatchObject({ state: "DELIVERED" });
        expect(calledAt.length).toBeLessThanOrEqual(3);
      }
    }
  });

  it("at every attempt does not have it made without end: after the eighth it is dead", async () => {
    const { bus, calledAt, delivery } = await withEvent(() => Promise.reject(new Error("killed")));
    await workOff(bus);
    expect(calledAt).toHaveLength(8);
    expect(await delivery()).toMatchObject({
      state: "DEAD",
      reason: "no outcome is known of attempt 8, the last",
    });
  });

  it("before it could write down a failure counts that attempt", async () => {
    const { bus, delivery } = await withEvent(fails(503), accepts());
    const replace = bus.store.replaceDelivery.bind(bus.store);
    let writes = 0;
    bus.store.replaceDelivery = (next, seen) =>
      ++writes === 2 ? Promise.reject(new BusError("unavailable", "lost")) : replace(next, seen);
    await workOff(bus);
    expect(await delivery()).toMatchObject({ state: "DELIVERED", attempts: 2, log: [{ outcome: "HTTP 200" }] });
  });

  it("for longer than its lease, and comes back, cannot undo what its follower wrote [deliver-5]", async () => {
    const { bus, task, delivery } = await withEvent(async () => {
      bus.webhooks.script(HOOK, accepts());
      await bus.clock.pause(31 * SECOND);
      await deliverWebhook(bus.deps, task);
      return fails(503);
    });
    await workOff(bus);
    expect(await delivery()).toMatchObject({ state: "DELIVERED", attempts: 2, log: [{ outcome: "HTTP 200" }] });
  });
});

describe("the reconciler", () => {
  it("leaves alone what waits for its next attempt, however long that is", async () => {
    const { bus } = await withEvent(fails(503, 10 * HOUR));
    await workDue(bus);
    await minutesPass(bus, 9 * 60);
    expect(bus.webhookQueue.sent).toHaveLength(1);
  });

  it("sends for an attempt that is far away when it is time to, should the queue not have kept it", async () => {
    const { bus, calledAt, delivery } = await withEvent(fails(503), fails(503), fails(503), accepts());
    await workDue(bus);
    await workOff(bus, 6 * MINUTE);
    expect(calledAt).toHaveLength(3);
    bus.webhookQueue.waiting.length = 0;
    await minutesPass(bus, 29);
    expect(bus.webhookQueue.waiting).toEqual([]);
    await minutesPass(bus, 2);
    await workDue(bus);
    expect(calledAt).toHaveLength(4);
    expect(await delivery()).toMatchObject({ state: "DELIVERED", attempts: 4 });
  });

  it("cannot bring back what is done at that very moment", async () => {
    const { bus, delivery } = await withEvent(accepts());
    await bus.clock.pause(6 * MINUTE);
    const replace = bus.store.replaceDelivery.bind(bus.store);
    bus.store.replaceDelivery = async (next, seen) => {
      bus.store.replaceDelivery = replace;
      await workDue(bus);
      return replace(next, seen);
    };
    await reconciled(bus);
    expect(await delivery()).toMatchObject({ state: "DELIVERED" });
  });
});

describe("what is under way to a webhook", () => {
  it("that is ended is dead at its next attempt, and is not called [deliver-17]", async () => {
    const { bus, id, calledAt, delivery } = await withEvent(fails(503));
    await workDue(bus);
    await unsubscribe(bus.deps, id, OWNER);
    await workOff(bus);
    expect(calledAt).toHaveLength(1);
    expect(await delivery()).toMatchObject({ state: "DEAD", reason: "subscription_deleted", attempts: 1 });
  });

  it("that is disabled is dead at its next attempt, and says by whom", async () => {
    const { bus, id, calledAt, delivery } = await withEvent(fails(503));
    await workDue(bus);
    await changeSubscription(bus.deps, id, { status: "disabled" }, openAgent(OWNER));
    await workOff(bus);
    expect(calledAt).toHaveLength(1);
    expect(await delivery()).toMatchObject({ state: "DEAD", reason: "subscription_disabled: by_owner" });
  });

  it("that has moved goes to the new URL, in the new format", async () => {
    const { bus, id } = await withEvent(fails(503));
    await workDue(bus);
    const url = "https://new.example.com/";
    await changeSubscription(bus.deps, id, { target: { url, format: "cloudevents" } }, openAgent(OWNER));
    await workOff(bus);
    expect(bus.webhooks.calls.map((call) => call.url)).toEqual([HOOK, url]);
    expect(bus.webhooks.bodies[1]).toMatchObject({ specversion: "1.0" });
  });

  it("whose name is a queue's by now is dead", async () => {
    const { bus, id, delivery } = await withEvent(fails(503));
    await workDue(bus);
    await unsubscribe(bus.deps, id, OWNER);
    await subscribe(bus.deps, queueInput({ name: "hook" }), openAgent(OWNER));
    await workOff(bus);
    expect(await delivery()).toMatchObject({ state: "DEAD" });
  });

  it("is not called for an event that has expired", async () => {
    const { bus, calledAt, delivery } = await withEvent(accepts());
    bus.store.getEvent = async () => null;
    await workOff(bus);
    expect(calledAt).toEqual([]);
    expect(await delivery()).toMatchObject({ state: "DEAD", reason: "the event has expired" });
  });

  it("is not called for a question whose deadline has passed; an observer is", async () => {
    const bus: BusInMemory = busInMemory();
    await subscribed(bus, webhookInput());
    await subscribed(bus, webhookInput({ name: "observer", answers: false }));
    const { eventId } = await ask(bus, { timeout: 10 });
    await bus.clock.pause(10 * SECOND);
    await workOff(bus);
    expect(bus.webhooks.calls).toHaveLength(1);
    const deliveries = await bus.store.getDeliveries(eventId);
    expect(Object.fromEntries(deliveries.map(({ name, state, reason }) => [name, reason ?? state]))).toEqual({
      hook: "the deadline has passed",
      observer: "DELIVERED",
    });
  });
});
