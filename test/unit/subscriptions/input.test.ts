import { describe, expect, it } from "vitest";
import { openAgent } from "../../../shared/agents/agent.ts";
import { changeSubscription, subscribe } from "../../../shared/subscriptions/subscribe.ts";
import { busInMemory } from "../../support/bus-in-memory.ts";
import { failureOf } from "../../support/failures.ts";
import { OWNER, queueInput, subscribed, webhookInput } from "../../support/run-time-bus.ts";
import { HOOK } from "../../support/scripted-webhooks.ts";

const TYPES_OVER_THE_LIMIT = Array.from({ length: 101 }, () => "MESSAGE_RECEIVED");

describe("a subscription that cannot be made", () => {
  it.each([
    ["is a list", [], ""],
    ["has no name", { name: undefined }, "/name"],
    ["has an empty name", { name: "" }, "/name"],
    ["has a name of 101 characters", { name: "x".repeat(101) }, "/name"],
    ["has a name that is no text", { name: 7 }, "/name"],
    ["names no event types", { event_types: undefined }, "/event_types"],
    ["has an empty list of event types", { event_types: [] }, "/event_types"],
    ["has 101 event types", { event_types: TYPES_OVER_THE_LIMIT }, "/event_types"],
    ["has one event type that is no list", { event_types: "UPGRADE_REQUESTED" }, "/event_types"],
    ["has an event type that is no text", { event_types: ["UPGRADE_REQUESTED", 7] }, "/event_types/1"],
    ["has no target", { target: undefined }, "/target"],
    ["has a target that is a list", { target: [] }, "/target"],
    ["has a target of no kind", { target: { url: HOOK } }, "/target/kind"],
    ["has a target of an unknown kind", { target: { kind: "email" } }, "/target/kind"],
    ["is a webhook without a URL", { target: { kind: "webhook" } }, "/target/url"],
    ["is a webhook of an unknown format", { target: { kind: "webhook", url: HOOK, format: "xml" } }, "/target/format"],
    ["is a webhook with a visibility", { target: { kind: "webhook", url: HOOK, visibility: 5 } }, "/target/visibility"],
    ["is a queue with a URL", { target: { kind: "queue", url: HOOK } }, "/target/url"],
    ["is a queue of visibility 0", { target: { kind: "queue", visibility: 0 } }, "/target/visibility"],
    ["is a queue of half a second's visibility", { target: { kind: "queue", visibility: 0.5 } }, "/target/visibility"],
    [
      "is a queue of more than 12 h visibility",
      { target: { kind: "queue", visibility: 43_201 } },
      "/target/visibility",
    ],
    ["is a queue of 0 attempts", { target: { kind: "queue", max_attempts: 0 } }, "/target/max_attempts"],
    ["is a queue of 101 attempts", { target: { kind: "queue", max_attempts: 101 } }, "/target/max_attempts"],
    ["has a filter that is no object", { filter: ["billing"] }, "/filter"],
    ["has null for a filter", { filter: null }, "/filter"],
    ["says neither true nor false to answers", { answers: "no" }, "/answers"],
    ["has a field that nobody knows", { secret: "mine" }, "/secret"],
  ])("because it %s is told so at that field", async (_, change, pointer) => {
    const { deps, store } = busInMemory();
    const body = Array.isArray(change) ? change : queueInput(change);
    const failure = await failureOf(subscribe(deps, body, openAgent(OWNER)));
    expect(failure.code).toBe("invalid_request");
    expect([...new Set(failure.errors.map((error) => error.pointer))]).toEqual([pointer]);
    expect(await store.listSubscriptions(OWNER, "", 1)).toEqual([]);
  });

  it("is told all its faults at once", async () => {
    const { deps } = busInMemory();
    const failure = await failureOf(
      subscribe(deps, queueInput({ name: "", answers: 1, more: true }), openAgent(OWNER)),
    );
    expect(failure.errors.map(({ pointer }) => pointer).sort()).toEqual(["/answers", "/more", "/name"]);
  });

  it("for an event type that does not exist is told the nearest, and where it was named", async () => {
    const { deps } = busInMemory();
    const failure = await failureOf(
      subscribe(deps, queueInput({ event_types: ["MESSAGE_RECEIVED", "UPGRADE_REQUESTS"] }), openAgent(OWNER)),
    );
    expect(failure.code).toBe("unknown_event_type");
    expect(failure.message).toContain("UPGRADE_REQUESTED");
    expect(failure.errors).toMatchObject([{ pointer: "/event_types/1" }]);
  });

  it("with a filter that is no event pattern is told why, at the place in the filter [subscribe-8]", async () => {
    const { deps, store } = busInMemory();
    const failure = await failureOf(
      subscribe(
        deps,
        queueInput({ filter: { data: { target: "billing", count: [{ numeric: ["~", 1] }] } } }),
        openAgent(OWNER),
      ),
    );
    expect(failure.code).toBe("invalid_request");
    expect(failure.errors.map(({ pointer }) => pointer)).toEqual(
      expect.arrayContaining([expect.stringMatching(/^\/filter\/data\/target/)]),
    );
    for (const { detail } of failure.errors) expect(detail).not.toBe("");
    expect(await store.listSubscriptions(OWNER, "", 1)).toEqual([]);
  });

  it("at a URL that may not be called is told why, and leaves nothing behind [subscribe-6]", async () => {
    const { deps, store, webhooks } = busInMemory();
    webhooks.refuse(HOOK, "it leads to a private address");
    const failure = await failureOf(subscribe(deps, webhookInput(), openAgent(OWNER)));
    expect(failure.errors).toEqual([{ pointer: "/target/url", detail: "it leads to a private address" }]);
    expect(await store.listSubscriptions(OWNER, "", 1)).toEqual([]);
  });
});

describe("a change that cannot be made", () => {
  it.each([
    ["renames it", "queue", { name: "other" }, "/name"],
    ["names no event types", "queue", { event_types: [] }, "/event_types"],
    ["has another kind", "queue", { target: { kind: "webhook", url: HOOK } }, "/target/kind"],
    ["has an unknown kind", "queue", { target: { kind: "email" } }, "/target/kind"],
    ["gives a queue a URL", "queue", { target: { url: HOOK } }, "/target/url"],
    ["gives a queue a format", "queue", { target: { format: "event" } }, "/target/format"],
    ["gives a webhook a visibility", "hook", { target: { visibility: 5 } }, "/target/visibility"],
    ["gives a webhook attempts", "hook", { target: { max_attempts: 5 } }, "/target/max_attempts"],
    ["has a visibility out of range", "queue", { target: { visibility: 43_201 } }, "/target/visibility"],
    ["has a status that there is not", "queue", { status: "deleted" }, "/status"],
    ["has no event pattern for a filter", "queue", { filter: { data: "billing" } }, "/filter/data"],
    ["says neither true nor false to answers", "queue", { answers: null }, "/answers"],
  ])("because it %s is told so at that field, and changes nothing", async (_, name, change, pointer) => {
    const bus = busInMemory();
    const input = name === "hook" ? webhookInput() : queueInput();
    const id = await subscribed(bus, input);
    const before = await bus.store.getSubscription(OWNER, id);
    const failure = await failureOf(changeSubscription(bus.deps, id, change, openAgent(OWNER)));
    expect(failure.code).toBe("invalid_request");
    expect(failure.errors.map((error) => error.pointer)).toEqual([pointer]);
    expect(await bus.store.getSubscription(OWNER, id)).toEqual(before);
  });

  it("because of an event type that does not exist is told so", async () => {
    const bus = busInMemory();
    const id = await subscribed(bus, queueInput());
    const failure = await failureOf(changeSubscription(bus.deps, id, { event_types: ["NOTHING"] }, openAgent(OWNER)));
    expect(failure.code).toBe("unknown_event_type");
  });

  it("because the new URL may not be called is told why", async () => {
    const bus = busInMemory();
    const id = await subscribed(bus, webhookInput());
    bus.webhooks.refuse("https://10.0.0.1/", "it leads to a private address");
    const change = { target: { url: "https://10.0.0.1/" } };
    const failure = await failureOf(changeSubscription(bus.deps, id, change, openAgent(OWNER)));
    expect(failure.errors).toEqual([{ pointer: "/target/url", detail: "it leads to a private address" }]);
  });
});
