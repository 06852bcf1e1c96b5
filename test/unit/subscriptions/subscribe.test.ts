import { describe, expect, it } from "vitest";
import { openAgent } from "../../../shared/agents/agent.ts";
import { listSubscriptions, showSubscription } from "../../../shared/subscriptions/look-up.ts";
import { changeSubscription, rotateSecret, subscribe, unsubscribe } from "../../../shared/subscriptions/subscribe.ts";
import { busInMemory } from "../../support/bus-in-memory.ts";
import { codeOf, failureOf } from "../../support/failures.ts";
import { OWNER, publish, queueInput, subscribed, TYPE, take, webhookInput } from "../../support/run-time-bus.ts";
import { HOOK } from "../../support/scripted-webhooks.ts";

describe("subscribing", () => {
  it("a webhook gives its subscription with all defaults filled in, and the secret", async () => {
    const { deps, webhooks } = busInMemory();
    const { created, subscription } = await subscribe(deps, webhookInput(), openAgent(OWNER));
    expect(created).toBe(true);
    expect(subscription).toEqual({
      subscription_id: subscription.subscription_id,
      name: "hook",
      event_types: [TYPE],
      target: { kind: "webhook", url: HOOK, format: "event" },
      answers: true,
      status: "active",
      created_at: "2026-06-01T12:00:00.000Z",
      updated_at: "2026-06-01T12:00:00.000Z",
      secret: expect.stringMatching(/^whsec_/),
    });
    expect(webhooks.checked).toEqual([HOOK]);
  });

  it("a queue gives its subscription with all defaults filled in, and no secret", async () => {
    const { deps } = busInMemory();
    const { subscription } = await subscribe(deps, queueInput(), openAgent(OWNER));
    expect(subscription).toMatchObject({
      target: { kind: "queue", visibility: 30, max_attempts: 5 },
      status: "active",
    });
    expect(subscription).not.toHaveProperty("secret");
  });

  it("keeps what was asked for: filter, observer, format, visibility, attempts; types once and in order", async () => {
    const { deps } = busInMemory();
    const filter = { data: { target: ["billing", { prefix: "invoice-" }] } };
    const hook = await subscribe(
      deps,
      webhookInput({
        event_types: ["UPGRADE_REQUESTED", "MESSAGE_RECEIVED", "UPGRADE_REQUESTED"],
        target: { kind: "webhook", url: HOOK, format: "cloudevents" },
        filter,
        answers: false,
      }),
      openAgent(OWNER),
    );
    expect(hook.subscription).toMatchObject({
      event_types: ["MESSAGE_RECEIVED", "UPGRADE_REQUESTED"],
      target: { format: "cloudevents" },
      filter,
      answers: false,
    });
    const queue = await subscribe(
      deps,
      queueInput({ target: { kind: "queue", visibility: 43_200, max_attempts: 1 } }),
      openAgent(OWNER),
    );
    expect(queue.subscription).toMatchObject({ target: { visibility: 43_200, max_attempts: 1 } });
  });

  it("under the same name again is the same subscription, brought up to date, and does not show the secret again [subscribe-4]", async () => {
    const bus = busInMemory();
    const first = await subscribe(bus.deps, webhookInput(), openAgent(OWNER));
    await bus.clock.pause(1_000);
    const again = await subscribe(bus.deps, webhookInput({ filter: { data: { target: ["crm"] } } }), openAgent(OWNER));
    expect(again.created).toBe(false);
    expect(again.subscription).not.toHaveProperty("secret");
    expect(again.subscription).toMatchObject({
      subscription_id: first.subscription.subscription_id,
      filter: { data: { target: ["crm"] } },
      created_at: "2026-06-01T12:00:00.000Z",
      updated_at: "2026-06-01T12:00:01.000Z",
    });
    const plain = await subscribe(bus.deps, webhookInput(), openAgent(OWNER));
    expect(plain.subscription).not.toHaveProperty("filter");
  });

  it("with the same words again changes nothing at all", async () => {
    const bus = busInMemory();
    const first = await subscribe(bus.deps, webhookInput(), openAgent(OWNER));
    await bus.clock.pause(1_000);
    const { secret: _, ...shown } = first.subscription;
    expect((await subscribe(bus.deps, webhookInput(), openAgent(OWNER))).subscription).toEqual(shown);
  });

  it("again makes one active that was disabled", async () => {
    const bus = busInMemory();
    const { deps } = bus;
    const id = await subscribed(bus, webhookInput());
    await changeSubscription(deps, id, { status: "disabled" }, openAgent(OWNER));
    const { created, subscription } = await subscribe(deps, webhookInput(), openAgent(OWNER));
    expect({ created, status: subscription.status }).toEqual({ created: false, status: "active" });
    expect(subscription).not.toHaveProperty("disabled_reason");
    expect(subscription).not.toHaveProperty("disabled_at");
  });

  it("as another kind is refused: the name stands for a subscription of one kind", async () => {
    const { deps } = busInMemory();
    await subscribe(deps, webhookInput({ name: "same" }), openAgent(OWNER));
    const failure = await failureOf(subscribe(deps, queueInput({ name: "same" }), openAgent(OWNER)));
    expect(failure.code).toBe("invalid_request");
    expect(failure.errors).toEqual([{ pointer: "/target/kind", detail: expect.stringContaining('"webhook"') }]);
  });

  it("at the same moment under one name makes one subscription, and shows one secret [subscribe-4]", async () => {
    const bus = busInMemory();
    const both = await Promise.all(
      Array.from({ length: 5 }, () => subscribe(bus.deps, webhookInput(), openAgent(OWNER))),
    );
    expect(new Set(both.map(({ subscription }) => subscription.subscription_id)).size).toBe(1);
    expect(both.filter(({ created }) => created)).toHaveLength(1);
    expect(both.filter(({ subscription }) => subscription.secret !== undefined)).toHaveLength(1);
    await publish(bus);
    expect(bus.webhookQueue.sent).toHaveLength(1);
  });

  it("shows the secret although the acknowledgement of the write was lost, and it was sent again in vain", async () => {
    const { deps, store } = busInMemory();
    const replace = store.replaceSubscription.bind(store);
    store.replaceSubscription = async (next, seen) => {
      await replace(next, seen);
      store.replaceSubscription = replace;
      return false;
    };
    const { created, subscription } = await subscribe(deps, webhookInput(), openAgent(OWNER));
    expect({ created, secret: subscription.secret }).toEqual({
      created: true,
      secret: (await store.getSubscription(OWNER, subscription.subscription_id))?.secrets[0]?.secret,
    });
  });

  it("differently at the same moment leaves the index saying what the record says", async () => {
    const bus = busInMemory();
    const types = ["UPGRADE_REQUESTED", "MESSAGE_RECEIVED", "SESSION_CREATED"];
    await Promise.all(types.map((type) => subscribe(bus.deps, queueInput({ event_types: [type] }), openAgent(OWNER))));
    const [record] = await bus.store.listSubscriptions(OWNER, "", 10);
    for (const type of types) {
      const entries = await bus.store.getEntries(type);
      expect(entries.map(({ eventType }) => eventType)).toEqual(record?.eventTypes.filter((one) => one === type));
    }
  });

  it("gives up with a retryable error when others change it without end [subscribe-5]", async () => {
    const { deps, store } = busInMemory();
    store.replaceSubscription = async () => false;
    const failure = await failureOf(subscribe(deps, queueInput(), openAgent(OWNER)));
    expect({ code: failure.code, retryable: failure.retryable }).toEqual({ code: "unavailable", retryable: true });
  });
});

describe("another agent's subscription (I9)", () => {
  it("does not exist: it is not shown, changed, ended, rotated or taken from, and the name is free", async () => {
    const bus = busInMemory();
    const { deps } = bus;
    const hook = await subscribed(bus, webhookInput());
    const queue = await subscribed(bus, queueInput());
    expect(await codeOf(showSubscription(deps, hook, "other"))).toBe("not_found");
    expect(await codeOf(changeSubscription(deps, hook, { answers: false }, openAgent("other")))).toBe("not_found");
    expect(await codeOf(unsubscribe(deps, hook, "other"))).toBe("not_found");
    expect(await codeOf(rotateSecret(deps, hook, "other"))).toBe("not_found");
    expect((await listSubscriptions(deps, {}, "other")).subscriptions).toEqual([]);
    const own = await subscribe(deps, queueInput(), openAgent("other"));
    expect(own.created).toBe(true);
    expect(own.subscription.subscription_id).not.toBe(queue);
    await publish(bus);
    expect(await take(bus, queue)).toHaveLength(1);
    expect(await codeOf(take(bus, own.subscription.subscription_id))).toBe("not_found");
  });
});

describe("one's subscriptions", () => {
  it("are listed by id, page by page, each once, without secrets and without those that were ended", async () => {
    const bus = busInMemory();
    const ids: string[] = [];
    for (let i = 0; i < 7; i++) ids.push(await subscribed(bus, webhookInput({ name: `hook ${i}` })));
    await unsubscribe(bus.deps, ids[3] as string, OWNER);
    const seen: string[] = [];
    for (let cursor: string | null = ""; cursor !== null; ) {
      const page = await listSubscriptions(bus.deps, { limit: "2", ...(cursor === "" ? {} : { cursor }) }, OWNER);
      seen.push(...page.subscriptions.map(({ subscription_id }) => subscription_id));
      for (const one of page.subscriptions) expect(one).not.toHaveProperty("secret");
      cursor = page.next_cursor;
    }
    expect(seen).toEqual(ids.filter((_, i) => i !== 3).sort());
  });

  it("are listed with a cursor that is good for its agent only", async () => {
    const bus = busInMemory();
    for (const name of ["a", "b"]) await subscribed(bus, queueInput({ name }));
    const { next_cursor } = await listSubscriptions(bus.deps, { limit: "1" }, OWNER);
    const borrowed = await failureOf(listSubscriptions(bus.deps, { cursor: next_cursor ?? "" }, "other"));
    expect(borrowed.errors).toMatchObject([{ pointer: "/cursor" }]);
    const unknown = await failureOf(listSubscriptions(bus.deps, { limit: "0", name: "a" }, OWNER));
    expect(unknown.errors.map(({ pointer }) => pointer).sort()).toEqual(["/limit", "/name"]);
  });
});
