import { describe, expect, it } from "vitest";
import { openAgent } from "../../../shared/agents/agent.ts";
import { recordDeadLetter } from "../../../shared/deliveries/dead-letters.ts";
import { listDead } from "../../../shared/deliveries/list-dead.ts";
import { redrive } from "../../../shared/deliveries/redrive.ts";
import { BusError } from "../../../shared/errors.ts";
import { changeSubscription, unsubscribe } from "../../../shared/subscriptions/subscribe.ts";
import { type BusInMemory, busInMemory } from "../../support/bus-in-memory.ts";
import { crashAt } from "../../support/crash.ts";
import { failureOf } from "../../support/failures.ts";
import {
  ack,
  minutesPass,
  OWNER,
  publish,
  queueInput,
  subscribed,
  take,
  takeOne,
  webhookInput,
} from "../../support/run-time-bus.ts";
import { accepts, fails, HOOK } from "../../support/scripted-webhooks.ts";
import { workDue, workOff } from "../../support/webhook-worker.ts";

async function withDead(events = 1) {
  const bus = busInMemory();
  const hook = await subscribed(bus, webhookInput());
  bus.webhooks.script(HOOK, fails(503));
  const ids: string[] = [];
  for (let i = 0; i < events; i++) ids.push(await publish(bus));
  await workOff(bus);
  bus.webhooks.script(HOOK, accepts());
  bus.webhooks.calls.length = 0;
  return { bus, hook, ids };
}

async function deadLetter(bus: BusInMemory, subscriber = "alice"): Promise<string> {
  const eventId = await publish(bus, {}, "CONTEXT_REQUESTED");
  const event = { id: eventId, type: "CONTEXT_REQUESTED" };
  await recordDeadLetter(bus.deps, { subscriber, event, reason: "it threw", attempts: 5 });
  return eventId;
}

const deadNow = async (bus: BusInMemory) => (await listDead(bus.deps, {}, openAgent(OWNER))).deliveries.length;

describe("redriving", () => {
  it("sends a dead webhook again, with all its attempts before it, and it is delivered", async () => {
    const { bus, hook, ids } = await withDead();
    const result = await redrive(bus.deps, {}, openAgent(OWNER));
    expect(result).toMatchObject({ dry_run: false, redriven: 1, failed: 0, remaining: false });
    // As it was before.
    expect(result.deliveries).toMatchObject([{ event_id: ids[0], subscription_id: hook, status: "dead", attempts: 8 }]);
    await workDue(bus);
    expect(bus.webhooks.calls).toHaveLength(1);
    const [delivery] = await bus.store.getDeliveries(ids[0] ?? "");
    expect(delivery).toMatchObject({ state: "DELIVERED", attempts: 1, redrives: 1 });
    expect(delivery?.log.map(({ outcome }) => outcome).slice(-2)).toEqual([
      "sent again after: HTTP 503, at attempt 8, the last",
      "HTTP 200",
    ]);
    expect(delivery).not.toHaveProperty("reason");
    expect(await deadNow(bus)).toBe(0);
  });

  it("sends a dead message of a queue again: it can be taken as the first time", async () => {
    const bus = busInMemory();
    const id = await subscribed(bus, queueInput({ target: { kind: "queue", max_attempts: 1 } }));
    await publish(bus);
    await takeOne(bus, id);
    await minutesPass(bus, 1);
    expect(await redrive(bus.deps, { subscription_id: id }, openAgent(OWNER))).toMatchObject({ redriven: 1 });
    const again = await takeOne(bus, id);
    expect(again.attempt).toBe(1);
    expect(await ack(bus, id, again.receipt)).toBe("ok");
    expect(await deadNow(bus)).toBe(0);
  });

  it("hands what a deployed subscriber could not be brought to it again; should it fail again, it is dead again", async () => {
    const bus = busInMemory();
    const eventId = await deadLetter(bus);
    expect(await redrive(bus.deps, {}, openAgent(OWNER))).toMatchObject({ redriven: 1 });
    const record = await bus.store.getEvent(eventId);
    expect(bus.deployed.redelivered).toEqual([
      { name: "alice", event: { ...record?.event, reply_to: expect.objectContaining({ token: record?.replyToken }) } },
    ]);
    expect(await bus.store.getDeliveries(eventId)).toMatchObject([{ state: "REDRIVEN", redrives: 1 }]);
    expect(await deadNow(bus)).toBe(0);
    const event = { id: eventId, type: "CONTEXT_REQUESTED" };
    await recordDeadLetter(bus.deps, { subscriber: "alice", event, reason: "it threw again", attempts: 1 });
    expect(await bus.store.getDeliveries(eventId)).toMatchObject([{ state: "DEAD", reason: "it threw again" }]);
    expect(await deadNow(bus)).toBe(1);
  });

  it("passes over what cannot be sent, however much of it stands in front; with a cursor it goes on behind a call's end", async () => {
    const { bus, hook } = await withDead(12);
    await unsubscribe(bus.deps, hook, OWNER);
    await deadLetter(bus);
    await deadLetter(bus);
    const first = await redrive(bus.deps, { limit: 1, dry_run: true }, openAgent(OWNER));
    expect(first).toMatchObject({ redriven: 1, failed: 12, remaining: true });
    const second = await redrive(bus.deps, { limit: 1, dry_run: true, cursor: first.next_cursor }, openAgent(OWNER));
    expect(second).toMatchObject({ redriven: 1, failed: 0, remaining: false, next_cursor: null });
    expect(await redrive(bus.deps, { limit: 1 }, openAgent(OWNER))).toMatchObject({ redriven: 1 });
    expect(await redrive(bus.deps, { limit: 1 }, openAgent(OWNER))).toMatchObject({ redriven: 1, remaining: false });
    expect(bus.deployed.redelivered).toHaveLength(2);
  });

  it("of a deployed subscriber twice at the same moment hands the event over once", async () => {
    const bus = busInMemory();
    await deadLetter(bus);
    await Promise.all([redrive(bus.deps, {}, openAgent(OWNER)), redrive(bus.deps, {}, openAgent(OWNER))]);
    expect(bus.deployed.redelivered).toHaveLength(1);
  });

  it("of a deployed subscriber that fails again before that is written down leaves the delivery dead", async () => {
    const bus = busInMemory();
    const eventId = await deadLetter(bus);
    const event = { id: eventId, type: "CONTEXT_REQUESTED" };
    const redeliver = bus.deployed.redeliver.bind(bus.deployed);
    bus.deployed.redeliver = async (name, copy) => {
      await redeliver(name, copy);
      await recordDeadLetter(bus.deps, { subscriber: "alice", event, reason: "it threw again", attempts: 1 });
    };
    await redrive(bus.deps, {}, openAgent(OWNER));
    expect(await bus.store.getDeliveries(eventId)).toMatchObject([{ state: "DEAD" }]);
    expect(await deadNow(bus)).toBe(1);
  });

  it("with a dry run says what it would send, with every problem, and changes nothing", async () => {
    const { bus } = await withDead(2);
    await deadLetter(bus);
    await deadLetter(bus, "gone");
    const before = await listDead(bus.deps, {}, openAgent(OWNER));
    const crash = crashAt(bus.store, 1);
    const result = await redrive(bus.deps, { dry_run: true }, openAgent(OWNER));
    expect(crash.writes).toBe(0);
    expect(result).toMatchObject({ dry_run: true, redriven: 3, failed: 1, remaining: false });
    expect(result.deliveries.map(({ problem }) => problem)).toEqual([
      undefined,
      undefined,
      undefined,
      "the subscriber is no longer deployed",
    ]);
    expect(await listDead(bus.deps, {}, openAgent(OWNER))).toEqual(before);
    expect(await workDue(bus)).toBe(0);
    expect(bus.deployed.redelivered).toEqual([]);
  });

  it("is done for one subscription, or for one event, when it is named", async () => {
    const { bus, hook, ids } = await withDead(2);
    const letter = await deadLetter(bus);
    expect(await redrive(bus.deps, { subscription_id: "deployed:alice" }, openAgent(OWNER))).toMatchObject({
      deliveries: [{ event_id: letter }],
    });
    expect(await redrive(bus.deps, { event_id: ids[1] }, openAgent(OWNER))).toMatchObject({
      deliveries: [{ event_id: ids[1] }],
    });
    expect(
      await redrive(bus.deps, { event_id: ids[0], subscription_id: "deployed:alice" }, openAgent(OWNER)),
    ).toMatchObject({
      deliveries: [],
    });
    expect(await redrive(bus.deps, { event_id: ids[0], subscription_id: hook }, openAgent(OWNER))).toMatchObject({
      redriven: 1,
    });
  });

  it("does up to the limit, and says whether there are more", async () => {
    const { bus } = await withDead(5);
    expect(await redrive(bus.deps, { limit: 2 }, openAgent(OWNER))).toMatchObject({ redriven: 2, remaining: true });
    expect(await redrive(bus.deps, { limit: 2 }, openAgent(OWNER))).toMatchObject({ redriven: 2, remaining: true });
    expect(await redrive(bus.deps, { limit: 2 }, openAgent(OWNER))).toMatchObject({ redriven: 1, remaining: false });
    expect(await redrive(bus.deps, { limit: 2 }, openAgent(OWNER))).toMatchObject({ redriven: 0, remaining: false });
  });

  it("of exactly as many as there are says that there are no more", async () => {
    const { bus } = await withDead(2);
    expect(await redrive(bus.deps, { limit: 2 }, openAgent(OWNER))).toMatchObject({ redriven: 2, remaining: false });
  });

  it("of one event keeps to the limit too", async () => {
    const bus = busInMemory();
    for (const name of ["a", "b", "c"]) await subscribed(bus, webhookInput({ name }));
    bus.webhooks.script(HOOK, fails(503));
    const eventId = await publish(bus);
    await workOff(bus);
    expect(await redrive(bus.deps, { event_id: eventId, limit: 2 }, openAgent(OWNER))).toMatchObject({
      redriven: 2,
      remaining: true,
    });
    expect(await redrive(bus.deps, { event_id: eventId, limit: 2 }, openAgent(OWNER))).toMatchObject({
      redriven: 1,
      remaining: false,
    });
  });

  it("does not touch other agents' (I9)", async () => {
    const { bus, hook, ids } = await withDead();
    for (const body of [{}, { event_id: ids[0] }, { subscription_id: hook }])
      expect(await redrive(bus.deps, body, openAgent("other"))).toMatchObject({ deliveries: [], redriven: 0 });
    expect(await deadNow(bus)).toBe(1);
  });

  it("leaves alone what is not dead", async () => {
    const bus = busInMemory();
    const id = await subscribed(bus, queueInput());
    await publish(bus);
    expect(await redrive(bus.deps, { subscription_id: id }, openAgent(OWNER))).toMatchObject({ deliveries: [] });
    expect(await take(bus, id)).toHaveLength(1);
  });

  it("twice at the same moment sends once", async () => {
    const { bus } = await withDead();
    const sentBefore = bus.webhookQueue.sent.length;
    await Promise.all([redrive(bus.deps, {}, openAgent(OWNER)), redrive(bus.deps, {}, openAgent(OWNER))]);
    expect(bus.webhookQueue.sent).toHaveLength(sentBefore + 1);
    await workDue(bus);
    expect(bus.webhooks.calls).toHaveLength(1);
  });
});

describe("what cannot be redriven", () => {
  it.each([
    [
      "its subscription is ended",
      ({ deps }: BusInMemory, id: string) => unsubscribe(deps, id, OWNER),
      "the subscription is deleted",
    ],
    [
      "its subscription is disabled",
      ({ deps }: BusInMemory, id: string) => changeSubscription(deps, id, { status: "disabled" }, openAgent(OWNER)),
      "the subscription is disabled: set its status to active first",
    ],
    [
      "its event has expired",
      async ({ store }: BusInMemory) => {
        store.getEnvelope = async () => null;
      },
      "the event has expired",
    ],
  ])("because %s stays dead, and says so", async (_, happen, problem) => {
    const { bus, hook } = await withDead();
    await happen(bus, hook);
    expect(await redrive(bus.deps, {}, openAgent(OWNER))).toMatchObject({
      deliveries: [{ problem }],
      redriven: 0,
      failed: 1,
    });
    expect(await deadNow(bus)).toBe(1);
  });

  it("because the subscriber cannot be reached stays dead, says so, and can be redriven later", async () => {
    const bus = busInMemory();
    await deadLetter(bus);
    bus.deployed.failure = new BusError("unavailable", "The event could not be handed to alice again.");
    expect(await redrive(bus.deps, {}, openAgent(OWNER))).toMatchObject({
      deliveries: [{ problem: "The event could not be handed to alice again." }],
      failed: 1,
    });
    bus.deployed.failure = null;
    expect(await redrive(bus.deps, {}, openAgent(OWNER))).toMatchObject({ redriven: 1 });
  });

  it("in front does not keep the others from being sent", async () => {
    const { bus, hook } = await withDead(2);
    await deadLetter(bus);
    await unsubscribe(bus.deps, hook, OWNER);
    expect(await redrive(bus.deps, {}, openAgent(OWNER))).toMatchObject({ redriven: 1, failed: 2 });
  });
});

describe("a webhook whose redrive could not be sent for", () => {
  it("is on its way all the same: the reconciler sends for it", async () => {
    const { bus } = await withDead();
    bus.webhookQueue.failure = new BusError("unavailable", "Not all webhooks could be sent for.");
    expect(await redrive(bus.deps, {}, openAgent(OWNER))).toMatchObject({ redriven: 1, failed: 0 });
    bus.webhookQueue.failure = null;
    await minutesPass(bus, 6);
    await workDue(bus);
    expect(bus.webhooks.calls).toHaveLength(1);
  });
});

describe("a redrive that is asked for wrongly", () => {
  it.each([
    ["limit", { limit: 0 }],
    ["limit", { limit: 1_001 }],
    ["limit", { limit: 1.5 }],
    ["dry_run", { dry_run: "yes" }],
    ["status", { status: "pending" }],
    ["subscription_id", { subscription_id: 7 }],
    ["more", { more: true }],
  ])("in its %s is told so at that field", async (field, body) => {
    const { deps } = busInMemory();
    const failure = await failureOf(redrive(deps, body, openAgent(OWNER)));
    expect([...new Set(failure.errors.map(({ pointer }) => pointer))]).toEqual([`/${field}`]);
  });

  it("as something else than an object is told so", async () => {
    const { deps } = busInMemory();
    expect((await failureOf(redrive(deps, [], openAgent(OWNER)))).errors).toMatchObject([{ pointer: "" }]);
    expect(await redrive(deps, {}, openAgent(OWNER))).toMatchObject({ deliveries: [] });
  });
});
