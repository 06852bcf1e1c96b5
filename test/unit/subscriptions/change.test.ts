import { describe, expect, it } from "vitest";
import { openAgent } from "../../../shared/agents/agent.ts";
import { showSubscription } from "../../../shared/subscriptions/look-up.ts";
import { changeSubscription, rotateSecret, subscribe, unsubscribe } from "../../../shared/subscriptions/subscribe.ts";
import { busInMemory } from "../../support/bus-in-memory.ts";
import { codeOf, failureOf } from "../../support/failures.ts";
import { OWNER, publish, queueInput, subscribed, TYPE, take, webhookInput } from "../../support/run-time-bus.ts";
import { HOOK } from "../../support/scripted-webhooks.ts";

const OTHER_HOOK = "https://other.example.com/hook";

describe("changing a subscription", () => {
  it("changes everything that can be changed of a webhook, and says when", async () => {
    const bus = busInMemory();
    const id = await subscribed(bus, webhookInput());
    await bus.clock.pause(5_000);
    const change = {
      event_types: ["MESSAGE_RECEIVED", TYPE],
      target: { kind: "webhook", url: OTHER_HOOK, format: "cloudevents-binary" },
      filter: { data: { target: ["crm"] } },
      answers: false,
      status: "disabled",
    };
    const changed = await changeSubscription(bus.deps, id, change, openAgent(OWNER));
    expect(changed).toEqual({
      ...change,
      subscription_id: id,
      name: "hook",
      disabled_reason: "by_owner",
      disabled_at: "2026-06-01T12:00:05.000Z",
      created_at: "2026-06-01T12:00:00.000Z",
      updated_at: "2026-06-01T12:00:05.000Z",
    });
    expect(await showSubscription(bus.deps, id, OWNER)).toEqual(changed);
    expect(bus.webhooks.checked).toEqual([HOOK, OTHER_HOOK]);
  });

  it("changes a queue's visibility and attempts, each alone", async () => {
    const bus = busInMemory();
    const id = await subscribed(bus, queueInput());
    expect(await changeSubscription(bus.deps, id, { target: { visibility: 60 } }, openAgent(OWNER))).toMatchObject({
      target: { kind: "queue", visibility: 60, max_attempts: 5 },
    });
    expect(await changeSubscription(bus.deps, id, { target: { max_attempts: 2 } }, openAgent(OWNER))).toMatchObject({
      target: { kind: "queue", visibility: 60, max_attempts: 2 },
    });
  });

  it("leaves alone what is not named", async () => {
    const bus = busInMemory();
    const { subscription } = await subscribe(
      bus.deps,
      webhookInput({ filter: { data: { target: ["crm"] } }, answers: false }),
      openAgent(OWNER),
    );
    const { secret: _, ...before } = subscription;
    expect(await changeSubscription(bus.deps, subscription.subscription_id, {}, openAgent(OWNER))).toEqual(before);
  });

  it("with null for the filter removes it, for the next event", async () => {
    const bus = busInMemory();
    const id = await subscribed(bus, queueInput({ filter: { data: { target: ["crm"] } } }));
    await publish(bus, { target: "billing" });
    expect(await take(bus, id)).toEqual([]);
    expect(await changeSubscription(bus.deps, id, { filter: null }, openAgent(OWNER))).not.toHaveProperty("filter");
    await publish(bus, { target: "billing" });
    expect(await take(bus, id)).toHaveLength(1);
  });

  it("at the same moment in two ways keeps both", async () => {
    const bus = busInMemory();
    const id = await subscribed(bus, queueInput());
    await Promise.all([
      changeSubscription(bus.deps, id, { answers: false }, openAgent(OWNER)),
      changeSubscription(bus.deps, id, { target: { visibility: 60 } }, openAgent(OWNER)),
    ]);
    expect(await showSubscription(bus.deps, id, OWNER)).toMatchObject({ answers: false, target: { visibility: 60 } });
  });

  it("is effective for the next event: other types, another filter", async () => {
    const bus = busInMemory();
    const id = await subscribed(bus, queueInput());
    await publish(bus);
    await changeSubscription(bus.deps, id, { event_types: ["MESSAGE_RECEIVED"] }, openAgent(OWNER));
    await publish(bus);
    await publish(bus, {}, "MESSAGE_RECEIVED");
    expect((await take(bus, id)).map(({ event }) => event.type)).toEqual([TYPE, "MESSAGE_RECEIVED"]);
  });
});

describe("a disabled subscription", () => {
  it("gets nothing, and what came meanwhile does not come later", async () => {
    const bus = busInMemory();
    const id = await subscribed(bus, queueInput());
    await changeSubscription(bus.deps, id, { status: "disabled" }, openAgent(OWNER));
    const missed = await publish(bus);
    expect(await bus.store.getDeliveries(missed)).toEqual([]);
    expect(await changeSubscription(bus.deps, id, { status: "active" }, openAgent(OWNER))).toMatchObject({
      status: "active",
    });
    expect(await take(bus, id)).toEqual([]);
    const next = await publish(bus);
    expect((await take(bus, id)).map(({ event }) => event.id)).toEqual([next]);
  });

  it("gives none of its messages while it is disabled, and those that it had after it", async () => {
    const bus = busInMemory();
    const id = await subscribed(bus, queueInput());
    const before = await publish(bus);
    await changeSubscription(bus.deps, id, { status: "disabled" }, openAgent(OWNER));
    expect(await take(bus, id)).toEqual([]);
    await changeSubscription(bus.deps, id, { status: "active" }, openAgent(OWNER));
    expect((await take(bus, id)).map(({ event }) => event.id)).toEqual([before]);
  });

  it("holds a poll for as long as it is to wait, so that its client does not turn in circles", async () => {
    const bus = busInMemory();
    const id = await subscribed(bus, queueInput());
    await changeSubscription(bus.deps, id, { status: "disabled" }, openAgent(OWNER));
    const start = bus.clock.nowMs;
    expect(await take(bus, id, { waitMs: 20_000 })).toEqual([]);
    expect(bus.clock.nowMs - start).toBe(20_000);
  });

  it("keeps the reason and the time when it is disabled once more", async () => {
    const bus = busInMemory();
    const id = await subscribed(bus, queueInput());
    await changeSubscription(bus.deps, id, { status: "disabled" }, openAgent(OWNER));
    await bus.clock.pause(1_000);
    const again = await changeSubscription(bus.deps, id, { status: "disabled" }, openAgent(OWNER));
    expect(again).toMatchObject({ disabled_reason: "by_owner", disabled_at: "2026-06-01T12:00:00.000Z" });
  });
});

describe("ending a subscription", () => {
  it("makes it unknown, and what is published from then on does not go to it", async () => {
    const bus = busInMemory();
    const id = await subscribed(bus, webhookInput());
    await unsubscribe(bus.deps, id, OWNER);
    expect(await codeOf(showSubscription(bus.deps, id, OWNER))).toBe("not_found");
    expect(await codeOf(unsubscribe(bus.deps, id, OWNER))).toBe("not_found");
    await publish(bus);
    expect(bus.webhookQueue.sent).toEqual([]);
  });

  it("forgets its secrets", async () => {
    const bus = busInMemory();
    const id = await subscribed(bus, webhookInput());
    await unsubscribe(bus.deps, id, OWNER);
    expect(await bus.store.getSubscription(OWNER, id)).toMatchObject({ status: "deleted", secrets: [] });
  });

  it("leaves the name free: made again it is new, under the same id, with another secret, and gets events", async () => {
    const bus = busInMemory();
    const first = await subscribe(bus.deps, webhookInput(), openAgent(OWNER));
    await unsubscribe(bus.deps, first.subscription.subscription_id, OWNER);
    await bus.clock.pause(1_000);
    const second = await subscribe(bus.deps, webhookInput(), openAgent(OWNER));
    expect(second).toMatchObject({
      created: true,
      subscription: {
        subscription_id: first.subscription.subscription_id,
        status: "active",
        created_at: "2026-06-01T12:00:01.000Z",
      },
    });
    expect(second.subscription.secret).toMatch(/^whsec_/);
    expect(second.subscription.secret).not.toBe(first.subscription.secret);
    await publish(bus);
    expect(bus.webhookQueue.sent).toHaveLength(1);
  });

  it("lets another kind take the name", async () => {
    const bus = busInMemory();
    const id = await subscribed(bus, webhookInput({ name: "same" }));
    await unsubscribe(bus.deps, id, OWNER);
    expect(await subscribed(bus, queueInput({ name: "same" }))).toBe(id);
    await publish(bus);
    expect(await take(bus, id)).toHaveLength(1);
  });

  it("can be undone under the same name after the record of it is forgotten, and gets events", async () => {
    const bus = busInMemory();
    const id = await subscribed(bus, queueInput());
    await changeSubscription(bus.deps, id, { answers: false }, openAgent(OWNER));
    await unsubscribe(bus.deps, id, OWNER);
    await bus.clock.pause(91 * 86_400_000);
    expect(await subscribed(bus, queueInput())).toBe(id);
    await publish(bus);
    expect(await take(bus, id)).toHaveLength(1);
  });
});

describe("a new secret", () => {
  it("is shown once; the one before it stays valid for 24 h", async () => {
    const bus = busInMemory();
    const { subscription } = await subscribe(bus.deps, webhookInput(), openAgent(OWNER));
    const id = subscription.subscription_id;
    const rotated = await rotateSecret(bus.deps, id, OWNER);
    expect(rotated).toEqual({
      subscription_id: id,
      secret: expect.stringMatching(/^whsec_/),
      previous_valid_until: "2026-06-02T12:00:00.000Z",
    });
    expect(rotated.secret).not.toBe(subscription.secret);
    expect(await showSubscription(bus.deps, id, OWNER)).not.toHaveProperty("secret");
  });

  it("can be had three times in 24 h; then it is refused, and not worth a retry, until the first has run out", async () => {
    const bus = busInMemory();
    const id = await subscribed(bus, webhookInput());
    for (let i = 0; i < 3; i++) await rotateSecret(bus.deps, id, OWNER);
    const failure = await failureOf(rotateSecret(bus.deps, id, OWNER));
    expect({ code: failure.code, retryable: failure.retryable }).toEqual({ code: "rate_limited", retryable: false });
    await bus.clock.pause(24 * 3_600_000);
    await rotateSecret(bus.deps, id, OWNER);
    const record = await bus.store.getSubscription(OWNER, id);
    expect(record?.secrets).toHaveLength(2);
  });

  it("is not for a queue, which has none", async () => {
    const bus = busInMemory();
    const id = await subscribed(bus, queueInput());
    const failure = await failureOf(rotateSecret(bus.deps, id, OWNER));
    expect(failure.errors).toMatchObject([{ pointer: "/subscription_id" }]);
  });
});
