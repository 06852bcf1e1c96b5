import { describe, expect, it } from "vitest";
import { openAgent } from "../../../shared/agents/agent.ts";
import { showSubscription } from "../../../shared/subscriptions/look-up.ts";
import { changeSubscription, subscribe } from "../../../shared/subscriptions/subscribe.ts";
import { deliverWebhook } from "../../../shared/webhooks/deliver.ts";
import { type BusInMemory, busInMemory } from "../../support/bus-in-memory.ts";
import { OWNER, publish, reconciled, subscribed, TYPE, webhookInput } from "../../support/run-time-bus.ts";
import { accepts, fails, HOOK, type Reply } from "../../support/scripted-webhooks.ts";
import { workDue, workOff } from "../../support/webhook-worker.ts";

const DAY = 86_400_000;

async function withHook(...replies: readonly Reply[]) {
  const bus = busInMemory();
  const id = await subscribed(bus, webhookInput());
  bus.webhooks.script(HOOK, ...replies);
  const shown = () => showSubscription(bus.deps, id, OWNER);
  return { bus, id, shown };
}

/** An event, and the first attempt to deliver it. */
async function attempt(bus: BusInMemory): Promise<string> {
  const eventId = await publish(bus);
  await workDue(bus);
  return eventId;
}

describe("an endpoint that answers 410", () => {
  it("disables its subscription at once, which says why and gets nothing more [deliver-11, subscribe-7]", async () => {
    const { bus, shown } = await withHook(fails(410));
    const eventId = await attempt(bus);
    expect(await shown()).toMatchObject({
      status: "disabled",
      disabled_reason: "gone",
      disabled_at: "2026-06-01T12:00:00.000Z",
      last_failure: { at: "2026-06-01T12:00:00.000Z", reason: "HTTP 410" },
    });
    expect(await bus.store.getDeliveries(eventId)).toMatchObject([
      { state: "DEAD", reason: "HTTP 410; the subscription is disabled", attempts: 1 },
    ]);
    expect(await bus.store.getDeliveries(await publish(bus))).toEqual([]);
    expect(bus.webhooks.calls).toHaveLength(1);
  });

  it("ends all else that is on its way to it", async () => {
    const { bus } = await withHook(fails(503), fails(410));
    const first = await attempt(bus);
    await attempt(bus);
    await workOff(bus);
    expect(bus.webhooks.calls).toHaveLength(2);
    expect(await bus.store.getDeliveries(first)).toMatchObject([
      { state: "DEAD", reason: "subscription_disabled: gone" },
    ]);
  });

  it("to many calls at once disables it once, with nothing left pending", async () => {
    const { bus, shown } = await withHook(fails(410));
    const ids: string[] = [];
    for (let i = 0; i < 10; i++) ids.push(await publish(bus));
    const { waiting } = bus.webhookQueue;
    await Promise.all(waiting.map(({ task }) => deliverWebhook(bus.deps, task)));
    expect(await shown()).toMatchObject({ status: "disabled", disabled_reason: "gone" });
    for (const eventId of ids) expect(await bus.store.getDeliveries(eventId)).toMatchObject([{ state: "DEAD" }]);
  });

  it("is forgotten when its owner makes the subscription active again", async () => {
    const { bus, id, shown } = await withHook(fails(410), accepts());
    await attempt(bus);
    await changeSubscription(bus.deps, id, { status: "active" }, openAgent(OWNER));
    const active = await shown();
    for (const field of ["disabled_reason", "disabled_at", "failing_since", "last_failure"])
      expect(active).not.toHaveProperty(field);
    expect(active.status).toBe("active");
    expect(await bus.store.getDeliveries(await attempt(bus))).toMatchObject([{ state: "DELIVERED" }]);
  });

  it("is not taken for an answer of the endpoint that its owner has put in its place meanwhile", async () => {
    const { bus, id, shown } = await withHook(async () => {
      await changeSubscription(bus.deps, id, { target: { url: "https://new.example.com/" } }, openAgent(OWNER));
      return fails(410);
    });
    await attempt(bus);
    expect(await shown()).toMatchObject({ status: "active" });
  });
});

describe("an endpoint that fails", () => {
  it("is said to, since when and how; a success ends it", async () => {
    const { bus, shown } = await withHook(fails(500), fails(503), accepts());
    await attempt(bus);
    expect(await shown()).toMatchObject({
      status: "active",
      failing_since: "2026-06-01T12:00:00.000Z",
      last_failure: { at: "2026-06-01T12:00:00.000Z", reason: "HTTP 500" },
    });
    await bus.clock.pause(5_000);
    await workDue(bus);
    expect(await shown()).toMatchObject({
      failing_since: "2026-06-01T12:00:00.000Z",
      last_failure: { at: "2026-06-01T12:00:05.000Z", reason: "HTTP 503" },
    });
    await workOff(bus);
    const recovered = await shown();
    expect(recovered).not.toHaveProperty("failing_since");
    expect(recovered).not.toHaveProperty("last_failure");
  });

  it("for five days without a success is disabled, with the reason; not before [deliver-14]", async () => {
    const { bus, shown } = await withHook(fails(500));
    await attempt(bus);
    await workOff(bus, 5 * DAY - 1_000);
    await attempt(bus);
    expect(await shown()).toMatchObject({ status: "active" });
    await bus.clock.pause(1_000);
    const last = await attempt(bus);
    expect(await shown()).toMatchObject({ status: "disabled", disabled_reason: "failing" });
    expect(await bus.store.getDeliveries(last)).toMatchObject([
      { state: "DEAD", reason: "HTTP 500; the subscription is disabled" },
    ]);
    expect(await bus.store.getEntries(TYPE)).toMatchObject([{ status: "disabled" }]);
  });

  it("is not disabled when there was a success within the five days", async () => {
    const { bus, shown } = await withHook(fails(500));
    await attempt(bus);
    await workOff(bus, 4 * DAY);
    bus.webhooks.script(HOOK, accepts());
    await attempt(bus);
    bus.webhooks.script(HOOK, fails(500));
    await workOff(bus, 2 * DAY);
    await attempt(bus);
    expect(await shown()).toMatchObject({ status: "active", failing_since: "2026-06-07T12:00:00.000Z" });
  });

  it("is another one after its owner has given another URL: its five days begin anew", async () => {
    const { bus, id, shown } = await withHook(fails(500));
    await attempt(bus);
    await workOff(bus, 4 * DAY);
    const url = "https://new.example.com/";
    await changeSubscription(bus.deps, id, { target: { url } }, openAgent(OWNER));
    expect(await shown()).not.toHaveProperty("failing_since");
    bus.webhooks.script(url, fails(500));
    await workOff(bus, 2 * DAY);
    await attempt(bus);
    expect(await shown()).toMatchObject({ status: "active" });
  });

  it("has its five days begin anew when it is subscribed again with another URL", async () => {
    const { bus, shown } = await withHook(fails(500));
    await attempt(bus);
    await subscribe(
      bus.deps,
      webhookInput({ target: { kind: "webhook", url: "https://new.example.com/" } }),
      openAgent(OWNER),
    );
    expect(await shown()).not.toHaveProperty("failing_since");
  });

  it("is disabled in the index too when whoever disabled it dies before that: the reconciler sees to it", async () => {
    const { bus, shown } = await withHook(fails(410));
    const put = bus.store.putEntry.bind(bus.store);
    bus.store.putEntry = () => Promise.reject(new Error("killed"));
    const eventId = await attempt(bus);
    bus.store.putEntry = put;
    expect(await shown()).toMatchObject({ status: "disabled" });
    expect(await bus.store.getEntries(TYPE)).toMatchObject([{ status: "active" }]);
    await bus.clock.pause(60_000);
    await reconciled(bus);
    expect(await bus.store.getEntries(TYPE)).toMatchObject([{ status: "disabled" }]);
    await workOff(bus);
    expect(await bus.store.getDeliveries(eventId)).toMatchObject([{ state: "DEAD" }]);
  });

  it("does not keep its owner from changing the subscription", async () => {
    const { bus, id, shown } = await withHook(async () => {
      await changeSubscription(bus.deps, id, { answers: false }, openAgent(OWNER));
      return fails(500);
    });
    await attempt(bus);
    expect(await shown()).toMatchObject({ answers: false, status: "active" });
  });
});
