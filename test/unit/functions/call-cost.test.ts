import { describe, expect, it } from "vitest";
import { COSTS } from "../../../functions/runtime/call-cost.ts";
import type { RateLimiter } from "../../../shared/rate-limit/limiter.ts";
import { type BusInMemory, busInMemory } from "../../support/bus-in-memory.ts";
import { callInMemory, type InMemoryCall } from "../../support/call-in-memory.ts";

/** How many tokens a call takes, however it ends. */
async function costOf(method: string, path: string, call: InMemoryCall = {}, bus = busInMemory()): Promise<number> {
  let taken = 0;
  const limiter: RateLimiter = {
    take: async (agentId, tokens) => {
      expect(agentId).toBe("agent");
      taken += Math.max(0, tokens);
    },
  };
  await callInMemory({ ...bus, deps: { ...bus.deps, limiter } }, method, path, call);
  return taken;
}

const event = { type: "MESSAGE_RECEIVED", data: {} };
const times = <T>(count: number, one: T): T[] => Array.from({ length: count }, () => one);

async function subscribed(eventTypes: readonly string[]): Promise<{ bus: BusInMemory; id: string }> {
  const bus = busInMemory();
  const body = { name: "a", event_types: eventTypes, target: { kind: "queue" } };
  const { json } = await callInMemory(bus, "POST", "/subscriptions", { body });
  return { bus, id: json.subscription_id as string };
}

const FEW = ["SESSION_CREATED"];
const MANY = [
  ...["SESSION_CREATED", "SESSION_UPDATED", "MESSAGE_RECEIVED", "MESSAGE_PROCESSED", "LANGUAGE_NORMALIZED"],
  ...["CONVERSATION_CREATED", "CONVERSATION_UPDATED", "UPGRADE_REQUESTED", "UPGRADE_COMPLETED", "CONTEXT_REQUESTED"],
  "ORION_STATE_CHANGED",
];

describe("what a call costs", () => {
  it.each<[string, number, string, string, InMemoryCall]>([
    ["an event", 1, "POST", "/events", { body: event }],
    ["a batch of seven", 7, "POST", "/events", { body: { events: times(7, event) } }],
    [
      "a batch of more than there may be, for which it is refused",
      100,
      "POST",
      "/events",
      { body: { events: times(5_000, 1) } },
    ],
    ["a body that cannot be read", 1, "POST", "/events", { body: "{" }],
    ["a question", 2, "POST", "/requests", { body: { ...event, timeout: 1, require_subscribers: false } }],
    ["a look at a question", 1, "GET", "/requests/1", {}],
    ["joining one", 2, "GET", "/requests/1?wait=5", {}],
    ["a stream", 10, "GET", "/events/stream", { canStream: false }],
    ["a page of history", 1, "GET", "/events", {}],
    ["the largest page", 20, "GET", "/events?limit=1000", {}],
    ["a page of a size that nobody may ask for", 20, "GET", "/events?limit=99999999", {}],
    ["an explanation", 2, "GET", "/events/1/explain", {}],
    ["a redrive of as many as usual", 100, "POST", "/deliveries/redrive", { body: {} }],
    ["a redrive of three", 3, "POST", "/deliveries/redrive", { body: { limit: 3 } }],
    ["an acknowledgement of eleven", 3, "POST", "/subscriptions/1/ack", { body: { receipts: times(11, "a.b") } }],
    ["what there is", 0, "GET", "/openapi.json", {}],
    ["the health of the bus", 0, "GET", "/health", {}],
  ])("is for %s %i", async (_, tokens, method, path, call) => {
    expect(await costOf(method, path, call)).toBe(tokens);
  });

  it("is for CloudEvents what it is for others", async () => {
    const one = { specversion: "1.0", id: "1", source: "/a", type: event.type, data: {} };
    const as = (format: string) => ({ "content-type": `application/${format}+json` });
    expect(await costOf("POST", "/events", { body: one, headers: as("cloudevents") })).toBe(1);
    expect(await costOf("POST", "/events", { body: times(6, one), headers: as("cloudevents-batch") })).toBe(6);
  });

  it("grows for a subscription with its types: where it is made, changed, and polled", async () => {
    const subscription = (event_types: readonly string[]) => ({ name: "a", event_types, target: { kind: "queue" } });
    expect(await costOf("POST", "/subscriptions", { body: subscription(FEW) })).toBe(1);
    expect(await costOf("POST", "/subscriptions", { body: subscription(MANY) })).toBe(3);
    for (const [types, tokens] of [
      [FEW, 1],
      [MANY, 3],
    ] as const) {
      const { bus, id } = await subscribed(types);
      const filter = { filter: { data: { text: ["a"] } } };
      expect(await costOf("PATCH", `/subscriptions/${id}`, { body: filter }, bus)).toBe(tokens);
      expect(await costOf("GET", `/subscriptions/${id}/messages`, {}, bus)).toBe(tokens);
    }
  });

  it("is taken before anything is looked at: who has nothing left makes the bus do nothing", async () => {
    const bus = busInMemory({ limits: { ratePerAgent: { perSecond: 1, burst: 1 } } });
    await callInMemory(bus, "POST", "/events", { body: event });
    const store = new Proxy(bus.store, {
      get: () => () => {
        throw new Error("the store was called");
      },
    });
    const refused = await callInMemory({ ...bus, deps: { ...bus.deps, store } }, "POST", "/events", { body: event });
    expect(refused.status).toBe(429);
    expect(refused.json).toEqual({
      type: "urn:agent-event-bus:error:rate_limited",
      title: "Too many requests",
      status: 429,
      detail: "An agent may make 1 calls a second, and 1 at once; some count for several. This one is served in 1 s.",
      code: "rate_limited",
      retryable: true,
      retry_after_ms: 1_000,
    });
    expect(refused.headers.get("retry-after")).toBe("1");
    bus.clock.nowMs += 1_000;
    expect((await callInMemory(bus, "POST", "/events", { body: event })).status).toBe(202);
  });
});

it("nothing that reads or writes for its caller is free of cost", () => {
  const free = Object.entries(COSTS).flatMap(([operation, { tokens }]) => (tokens >= 1 ? [] : [operation]));
  expect(free.sort()).toEqual(["asyncapi", "health", "openapi", "types"]);
});
