import { describe, expect, it, vi } from "vitest";
import type { TableCalls } from "../../../functions/runtime/aws/calls.ts";
import { eventToItems } from "../../../functions/runtime/dynamo/items.ts";
import type { Item } from "../../../functions/runtime/dynamo/table.ts";
import { createDynamoEventStore } from "../../../functions/runtime/dynamo-event-store.ts";
import type { EventRecord } from "../../../shared/records.ts";
import { codeOf } from "../../support/failures.ts";

/** A call as the store makes it. */
interface Call {
  readonly name: string;
  readonly input: { readonly Item?: Item; readonly ConsistentRead?: boolean; readonly RequestItems?: object };
}

/** A store whose calls are answered by a script, and remembered. */
function scriptedStore(answer: (call: Call, place: number) => object) {
  const calls: Call[] = [];
  const scripted = new Proxy({} as TableCalls, {
    get: (_, name) => async (input: Call["input"]) => {
      const call: Call = { name: String(name), input };
      calls.push(call);
      return answer(call, calls.length);
    },
  });
  return { calls, store: createDynamoEventStore({ calls: scripted, tableName: "bus" }) };
}

const anEvent = (data: EventRecord["event"]["data"]): EventRecord => ({
  event: {
    id: "00000000-0000-7000-8000-000000000001",
    type: "MESSAGE_RECEIVED",
    data,
    timestamp: "2026-06-01T12:00:00.000Z",
    correlation_id: "00000000-0000-7000-8000-000000000001",
    hops: 0,
    source: "agent",
  },
  kind: "event",
  payloadHash: "hash",
  replyToken: "token",
  commitId: "commit",
  published: false,
  relayAttempts: 0,
  expiresAt: 4_000_000_000,
});
const large = anEvent({ text: "x".repeat(10_000) });

const named = (name: string): Error => Object.assign(new Error(name), { name });
const isConsistent = ({ input }: Call): boolean =>
  input.ConsistentRead === true || JSON.stringify(input.RequestItems ?? {}).includes('"ConsistentRead":true');
const isBody = ({ input }: Call): boolean => input.Item?.["commit_id"] === undefined;

describe("an event with large data", () => {
  it("is not recorded when its data cannot be, and may be sent again [emit-4]", async () => {
    const { calls, store } = scriptedStore(() => {
      throw named("ProvisionedThroughputExceededException");
    });
    expect(await codeOf(store.putEvent(large))).toBe("unavailable");
    expect(calls.map(isBody)).toEqual([true]);
  });

  it("whose emitter died in between leaves only data that expires by itself [emit-5]", async () => {
    const { calls, store } = scriptedStore((_, place) => {
      if (place > 1) throw named("TimeoutError");
      return {};
    });
    expect(await codeOf(store.putEvent(large))).toBe("unavailable");
    const [body, meta] = calls;
    expect([body, meta].map((call) => call !== undefined && isBody(call))).toEqual([true, false]);
    expect(body?.input.Item?.["expires_at"]).toEqual({ N: String(large.expiresAt) });
  });
});

describe("what decides", () => {
  it("is read consistently: a request, an event, and answers [wait-6]", async () => {
    const { calls, store } = scriptedStore(() => ({}));
    await store.getRequest("id");
    await store.getEvent("id");
    await store.getResponses("id");
    await store.getDelivery({ eventId: "id", subscriptionId: "one" });
    expect(calls.map(isConsistent)).toEqual([true, true, true, true]);
  });

  it("is read at half the price where it cannot change, and what is missing then once more, consistently", async () => {
    const record = anEvent({ text: "hello" });
    const { meta, body } = eventToItems(large);
    const expired = { ...meta, expires_at: { N: "1" } };
    for (const [found, again, expected] of [
      [[eventToItems(record).meta], [], [record]],
      [[], [eventToItems(record).meta], [record]],
      [[expired], [eventToItems(record).meta], [record]],
      [[expired], [expired], []],
    ] as const) {
      const { calls, store } = scriptedStore((call) => ({ Responses: { bus: isConsistent(call) ? again : found } }));
      expect(await store.getEvents([record.event.id])).toEqual(expected);
      expect(calls.map(isConsistent)).toEqual(again.length === 0 ? [false] : [false, true]);
    }
    const { calls, store } = scriptedStore((_, place) => ({
      Responses: { bus: place === 1 ? [meta] : place === 3 ? [body] : [] },
    }));
    expect(await store.getEvents([large.event.id])).toEqual([large]);
    expect(calls.map(isConsistent)).toEqual([false, false, true]);
  });

  it("is read consistently: who can answer, who subscribes, what was delivered, and whose a key is", async () => {
    const { calls, store } = scriptedStore(() => ({}));
    await store.getListeners("MESSAGE_RECEIVED", 0);
    await store.getGeneration("MESSAGE_RECEIVED");
    await store.getEntries("MESSAGE_RECEIVED");
    await store.getSubscription("agent", "one");
    await store.listSubscriptions("agent", "", 10);
    await store.getDeliveries("id");
    await store.getAgent("billing");
    expect(calls.map(isConsistent)).toEqual([true, true, true, true, true, true, true]);
  });

  it("may have been written by a later version, with attributes that this one does not know [all-2]", async () => {
    const record = anEvent({ text: "hello" });
    const { store } = scriptedStore(() => ({
      Item: { ...eventToItems(record).meta, v: { N: "2" }, added_later: { M: { deep: { BOOL: true } } } },
    }));
    expect(await store.getEvent(record.event.id)).toEqual(record);
  });
});

describe("a table", () => {
  it.each([
    ["whose key is disabled", "KMSDisabledException"],
    ["whose key may not be used", "AccessDeniedException"],
    ["that throttles", "ThrottlingException"],
  ])("%s is unavailable for now, for every read and write; nothing goes around it [all-3]", async (_, name) => {
    const { store } = scriptedStore(() => {
      throw named(name);
    });
    for (const call of [
      () => store.getEvent("id"),
      () => store.putEvent(large),
      () => store.getOrCreateSecret({ pk: "secret", sk: "one" }, "candidate"),
    ])
      expect(await codeOf(call())).toBe("unavailable");
  });

  it("that takes a write and does not say so leaves its outcome unknown: nobody is told that it was refused", async () => {
    const { store } = scriptedStore(({ name }) => {
      if (name === "updateItem" || name === "putItem") throw named("InternalServerError");
      return { Item: eventToItems(large).meta };
    });
    const end = {
      eventId: "id",
      state: "TIMED_OUT",
      at: "2026-06-01T12:00:00.000Z",
      expiresAt: 4_000_000_000,
    } as const;
    for (const call of [
      () => store.endRequest(end),
      () => store.leaseForRelay("id", 0, "2026-06-01T12:00:00.000Z"),
      () => store.putEvent(anEvent({})),
    ])
      expect(await codeOf(call())).toBe("unavailable");
  });

  it("that gives out nothing of a page again and again is given up, and the page is not short", async () => {
    vi.useFakeTimers();
    try {
      const { calls, store } = scriptedStore(({ input }) => ({ Responses: {}, UnprocessedKeys: input.RequestItems }));
      const code = codeOf(store.getEvents(["id"]));
      await vi.advanceTimersByTimeAsync(60_000);
      expect(await code).toBe("unavailable");
      expect(calls).toHaveLength(9);
    } finally {
      vi.useRealTimers();
    }
  });

  it("lists agents in the order of their names, in whatever order and stretches it gives them out", async () => {
    const agents = ["anna", "ben", "carl"].map((name) => ({
      ...Object.fromEntries(
        Object.entries({ name, status: "active", policy: "{}", keys: "[]", created_at: "", updated_at: "" }).map(
          ([field, S]) => [field, { S }],
        ),
      ),
      version: { N: "1" },
    }));
    const stretches = [["anna"], ["ben", "carl"]];
    const { store } = scriptedStore(({ name }) => {
      if (name !== "query") return { Responses: { bus: agents.toReversed() } };
      const Items = stretches.shift()?.map((S) => ({ work_sk: { S } })) ?? [];
      return { Items, ...(stretches.length > 0 ? { LastEvaluatedKey: Items.at(-1) } : {}) };
    });
    expect((await store.listAgents("", 3)).map(({ name }) => name)).toEqual(["anna", "ben", "carl"]);
  });
});

describe("who listens", () => {
  it("is removed from the table some time after the lease is over", async () => {
    const { calls, store } = scriptedStore(() => ({}));
    const lease = { eventType: "MESSAGE_RECEIVED", name: "a", streamId: "s", kind: "stream" } as const;
    await store.putListener({ ...lease, leasedUntil: 1_000_000 });
    expect(calls[0]?.input.Item?.["expires_at"]).toEqual({ N: "4600" });
  });
});
