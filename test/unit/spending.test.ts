import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { EventStore } from "../../shared/ports.ts";
import type { RateLimiter } from "../../shared/rate-limit/limiter.ts";
import { type AllDeps, type BusInMemory, busInMemory } from "../support/bus-in-memory.ts";
import { callInMemory } from "../support/call-in-memory.ts";

/** As many types as one subscription may have. */
const TYPES = Array.from({ length: 100 }, (_, i) => `TYPE_${i}`);

/** What a call to the store costs, in writes of a small item: DynamoDB's reads are a fifth of that, or a tenth if they may lag. */
const READ = 0.2;
const LAGGING_READ = 0.1;
const LAGGING = ["readHistory", "findMessages", "findDead", "countHeld", "countEntries", "getConversationCount"];
/** The history's indexes and what is due, which are many partitions. */
const BY_ITEM = ["getEvents", "getDeliveriesOf"];

/** A bus whose store and whose limiter are watched. */
function watchedBus(): { bus: BusInMemory; spent: () => number; taken: () => number } {
  const bus = busInMemory({ eventTypes: Object.fromEntries(TYPES.map((name) => [name, {}])) });
  let spent = 0;
  let taken = 0;
  const store = new Proxy(bus.store, {
    get(target, name: keyof EventStore) {
      const method = target[name];
      if (typeof method !== "function") return method;
      return (...args: never[]) => {
        const isRead = /^(get|list|count|find|read)/.test(name) && name !== "getOrCreateSecret";
        const items = BY_ITEM.includes(name) ? (args[0] as unknown as unknown[]).length : 1;
        spent += isRead ? items * (LAGGING.includes(name) ? LAGGING_READ : READ) : 1;
        return (method as (...args: never[]) => unknown).apply(target, args);
      };
    },
  });
  const limiter: RateLimiter = {
    take: async (_agent, tokens) => {
      taken += Math.max(0, tokens);
    },
  };
  const deps: AllDeps = { ...bus.deps, store, limiter };
  return { bus: { ...bus, deps }, spent: () => spent, taken: () => taken };
}

const someTypes = fc.oneof(fc.constant(TYPES), fc.subarray(TYPES, { minLength: 1, maxLength: 6 }));
const event = fc.record({ type: fc.constantFrom(...TYPES.slice(0, 3)), data: fc.constant({}) });
const someId = fc.nat({ max: 30 });
const limit = fc.constantFrom(1, 5, 50, 1_000);
const wait = fc.constantFrom("", "?wait=0", "?wait=20");

/** Calls, as somebody makes them who wants the bus to work for nothing. */
const someCall = fc.oneof(
  event.map((body) => ["POST", "/events", body] as const),
  fc.array(event, { minLength: 1, maxLength: 100 }).map((events) => ["POST", "/events", { events }] as const),
  fc
    .tuple(event, fc.constantFrom(0.05, 5, 600))
    .map(([one, timeout]) => ["POST", "/requests", { ...one, timeout, require_subscribers: false }] as const),
  fc.tuple(someId, wait).map(([n, query]) => ["GET", `/requests/{event ${n}}${query}`, undefined] as const),
  someId.map((n) => ["DELETE", `/requests/{event ${n}}`, undefined] as const),
  fc
    .tuple(someId, fc.constantFrom("ok", "progress", "rejected"))
    .map(
      ([n, status]) =>
        ["POST", `/events/{event ${n}}/responses`, { response: {}, reply_token: `{token ${n}}`, status }] as const,
    ),
  fc
    .tuple(limit, fc.constantFrom("", "&type=TYPE_0", "&correlation_id=x"))
    .map(([most, by]) => ["GET", `/events?limit=${most}${by}`, undefined] as const),
  someId.map((n) => ["GET", `/events/{event ${n}}`, undefined] as const),
  someId.map((n) => ["GET", `/events/{event ${n}}/explain`, undefined] as const),
  fc
    .constantFrom("/events/stream?as=me", "/events/stream?type=TYPE_0&as=me")
    .map((path) => ["GET", path, undefined] as const),
  fc
    .tuple(someId, someTypes)
    .map(
      ([n, event_types]) =>
        [
          "POST",
          "/subscriptions",
          { name: `s${n % 5}`, event_types, target: { kind: "queue", max_attempts: 1 } },
        ] as const,
    ),
  fc
    .tuple(
      someId,
      fc.oneof(
        fc.constantFrom({ status: "disabled" }, { status: "active" }, { filter: { data: { a: [1] } } }),
        someTypes.map((event_types) => ({ event_types })),
      ),
    )
    .map(([n, change]) => ["PATCH", `/subscriptions/{subscription ${n}}`, change] as const),
  someId.map((n) => ["DELETE", `/subscriptions/{subscription ${n}}`, undefined] as const),
  fc
    .tuple(someId, wait)
    .map(([n, query]) => ["GET", `/subscriptions/{subscription ${n}}/messages${query}`, undefined] as const),
  fc
    .tuple(someId, fc.constantFrom("ack", "nack"), fc.integer({ min: 1, max: 100 }))
    .map(
      ([n, what, count]) =>
        [
          "POST",
          `/subscriptions/{subscription ${n}}/${what}`,
          { receipts: Array.from({ length: count }, (_, i) => `{event ${i % 30}}.fence`) },
        ] as const,
    ),
  fc
    .tuple(someId, fc.integer({ min: 1, max: 100 }))
    .map(
      ([n, count]) =>
        [
          "POST",
          `/subscriptions/{subscription ${n}}/extend`,
          { visibility: 5, receipts: Array.from({ length: count }, (_, i) => `{event ${i % 30}}.fence`) },
        ] as const,
    ),
  limit.map((most) => ["GET", `/deliveries?limit=${most}`, undefined] as const),
  fc
    .tuple(limit, fc.boolean())
    .map(([most, dry_run]) => ["POST", "/deliveries/redrive", { limit: most, dry_run }] as const),
  fc
    .constantFrom("/health", "/openapi.json", "/asyncapi.json", "/event-types", "/no/such/thing")
    .map((path) => ["GET", path, undefined] as const),
);

/**
 * The most that a token buys: what it is to take a hundred types out of the index of subscribers, for the five that ending
 * any subscription costs.
 */
const MOST_PER_TOKEN = 45;

/** What is done for a call beside what it asks for. */
const MOST_BESIDE = 5;

describe("an agent that wants the bus to work for nothing", () => {
  it("gets no more for a token than a bounded number of reads and writes, whatever it asks for in whatever order", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(someCall, { minLength: 5, maxLength: 40 }), async (story) => {
        const { bus, spent, taken } = watchedBus();
        const subscriptions: string[] = [];
        for (const [method, path, body] of story) {
          const { published } = bus.publisher;
          const filled = (text: string): string =>
            text
              .replace(/\{event (\d+)\}/g, (_, n) => published[Number(n) % (published.length || 1)]?.id ?? "none")
              .replace(
                /\{token (\d+)\}/g,
                (_, n) => published[Number(n) % (published.length || 1)]?.reply_to.token ?? "none",
              )
              .replace(
                /\{subscription (\d+)\}/g,
                (_, n) => subscriptions[Number(n) % (subscriptions.length || 1)] ?? "none",
              );
          const before = { spent: spent(), taken: taken() };
          const { status, json } = await callInMemory(bus, method, filled(path), {
            ...(body === undefined ? {} : { body: filled(JSON.stringify(body)) }),
          });
          if (path === "/subscriptions" && status < 300) subscriptions.push(String(json.subscription_id));
          const tokens = taken() - before.taken;
          expect(spent() - before.spent, `${method} ${path} for ${tokens}`).toBeLessThanOrEqual(
            tokens === 0 ? 0 : tokens * MOST_PER_TOKEN + MOST_BESIDE,
          );
        }
      }),
      { numRuns: 60 },
    );
  });
});
