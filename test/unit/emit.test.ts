import * as v from "valibot";
import { describe, expect, it } from "vitest";
import { openAgent } from "../../shared/agents/agent.ts";
import { emit, emitBatch } from "../../shared/emit.ts";
import type { BusError } from "../../shared/errors.ts";
import { MAX_EVENT_BYTES } from "../../shared/limits.ts";
import { busInMemory } from "../support/bus-in-memory.ts";
import { codeOf, failureOf } from "../support/failures.ts";

const sender = { agent: openAgent("agent-1") };
const message = { type: "MESSAGE_RECEIVED", data: { text: "hi" } };

describe("an emitted event", () => {
  it("is acknowledged, recorded with its envelope, published, and marked so afterwards", async () => {
    const { deps, store, publisher } = busInMemory();
    const { result, afterwards } = await emit(
      deps,
      { ...message, agent_type: "router" },
      { ...sender, traceparent: "tp" },
    );
    expect(result).toEqual({
      event_id: result.event_id,
      type: "MESSAGE_RECEIVED",
      timestamp: "2026-06-01T12:00:00.000Z",
      correlation_id: result.event_id,
      published: true,
      replayed: false,
    });
    const record = await store.getEvent(result.event_id);
    expect(record?.event).toEqual({
      id: result.event_id,
      type: "MESSAGE_RECEIVED",
      data: { text: "hi" },
      agent_type: "router",
      timestamp: "2026-06-01T12:00:00.000Z",
      correlation_id: result.event_id,
      hops: 0,
      source: "agent-1",
      traceparent: "tp",
    });
    expect(publisher.published).toEqual([
      { ...record?.event, reply_to: { url: `/events/${result.event_id}/responses`, token: record?.replyToken } },
    ]);
    expect(record?.published).toBe(false);
    await afterwards();
    expect((await store.getEvent(result.event_id))?.published).toBe(true);
  });

  it("is acknowledged as unpublished when publishing fails, and is left to the relay [emit-10]", async () => {
    const { deps, store, publisher } = busInMemory();
    publisher.failure = "InternalFailure";
    const { result, afterwards } = await emit(deps, message, sender);
    await afterwards();
    expect(result.published).toBe(false);
    expect((await store.getEvent(result.event_id))?.published).toBe(false);
  });

  it("belongs to its parent's conversation, one hop further", async () => {
    const { deps, store } = busInMemory();
    const parent = await emit(deps, { ...message, correlation_id: "talk" }, sender);
    const child = await emit(deps, { ...message, causation_id: parent.result.event_id }, sender);
    const grandchild = await emit(
      deps,
      { ...message, causation_id: child.result.event_id, correlation_id: "other" },
      sender,
    );
    expect((await store.getEvent(child.result.event_id))?.event).toMatchObject({ correlation_id: "talk", hops: 1 });
    expect((await store.getEvent(grandchild.result.event_id))?.event).toMatchObject({
      correlation_id: "other",
      hops: 2,
    });
  });

  it("counts a parent that the bus does not know as one hop", async () => {
    const { deps, store } = busInMemory();
    const { result } = await emit(deps, { ...message, causation_id: "from another system" }, sender);
    expect((await store.getEvent(result.event_id))?.event).toMatchObject({
      hops: 1,
      causation_id: "from another system",
    });
  });

  it("is refused once its chain of causes is longer than 16 hops [emit-18]", async () => {
    const { deps } = busInMemory();
    let id = (await emit(deps, message, sender)).result.event_id;
    for (let hop = 1; hop <= 16; hop++)
      id = (await emit(deps, { ...message, causation_id: id }, sender)).result.event_id;
    expect(await codeOf(emit(deps, { ...message, causation_id: id }, sender))).toBe("loop_detected");
  });

  it("is refused once the conversation has spent its budget [emit-18]", async () => {
    const { deps } = busInMemory({ limits: { eventsPerConversation: 3 } });
    const say = async () => (await emit(deps, { ...message, correlation_id: "talk" }, sender)).afterwards();
    for (let i = 0; i < 3; i++) await say();
    expect(await codeOf(say())).toBe("loop_detected");
    expect((await emit(deps, { ...message, correlation_id: "another" }, sender)).result.published).toBe(true);
  });

  it("counts large budgets by sampling, close to the truth", async () => {
    const { deps, store } = busInMemory({ limits: { eventsPerConversation: 20_000 } });
    for (let i = 0; i < 4_000; i++)
      await (await emit(deps, { ...message, correlation_id: "talk" }, sender)).afterwards();
    const counted = await store.getConversationCount("talk");
    expect(counted).toBeGreaterThan(3_000);
    expect(counted).toBeLessThan(5_000);
  });
});

describe("bad input", () => {
  const fields: [string, object | null, string, string][] = [
    ["no type", { data: {} }, "invalid_request", "/type"],
    ["no data", { type: "MESSAGE_RECEIVED" }, "invalid_request", "/data"],
    ["data that is a list", { type: "MESSAGE_RECEIVED", data: [] }, "invalid_request", "/data"],
    ["data that is null", { type: "MESSAGE_RECEIVED", data: null }, "invalid_request", "/data"],
    ["an unknown field", { ...message, sauce: 1 }, "invalid_request", "/sauce"],
    ["an agent type that is a number", { ...message, agent_type: 7 }, "invalid_request", "/agent_type"],
    ["an empty conversation", { ...message, correlation_id: "" }, "invalid_request", "/correlation_id"],
    [
      "a conversation of 201 characters",
      { ...message, correlation_id: "x".repeat(201) },
      "invalid_request",
      "/correlation_id",
    ],
    ["no object at all", null, "invalid_request", ""],
    ["a list", [], "invalid_request", ""],
    ["an event type that does not exist", { ...message, type: "MESAGE_RECEIVED" }, "unknown_event_type", "/type"],
    ["data over the limit", { ...message, data: { text: "x".repeat(MAX_EVENT_BYTES) } }, "payload_too_large", "/data"],
  ];
  it.each(fields)("%s: names the field, records nothing [emit-2]", async (_title, body, code, pointer) => {
    const { deps, store, publisher } = busInMemory();
    const failure = await failureOf(emit(deps, body, sender));
    expect(failure.code).toBe(code);
    expect(failure.errors.map((error) => error.pointer)).toContain(pointer);
    expect(publisher.published).toEqual([]);
    expect(await store.findDueWork("publish", "9", 10)).toEqual([]);
  });

  it("suggests the event type that was probably meant [emit-3]", async () => {
    const { deps } = busInMemory();
    expect((await failureOf(emit(deps, { ...message, type: "MESAGE_RECIEVED" }, sender))).message).toContain(
      "MESSAGE_RECEIVED",
    );
  });

  it("is told in every field at once", async () => {
    const { deps } = busInMemory();
    const failure = await failureOf(emit(deps, { data: 1, agent_type: 2, extra: 3 }, sender));
    expect(failure.errors.map((error) => error.pointer).sort()).toEqual(["/agent_type", "/data", "/extra", "/type"]);
  });

  it("does not fit the type's own schema: says where in the data [emit-3]", async () => {
    const schema = v.object({ total: v.number(), items: v.array(v.object({ sku: v.string() })) });
    const { deps } = busInMemory({ eventTypes: { ORDER_PLACED: { schema } } });
    const failure = await failureOf(
      emit(deps, { type: "ORDER_PLACED", data: { total: "1", items: [{ sku: 5 }] } }, sender),
    );
    expect(failure.code).toBe("schema_violation");
    expect(failure.errors.map((error) => error.pointer)).toEqual(["/data/total", "/data/items/0/sku"]);
    expect((await emit(deps, { type: "ORDER_PLACED", data: { total: 1, items: [] } }, sender)).result.published).toBe(
      true,
    );
  });
});

describe("an idempotency key", () => {
  const keyed = { ...sender, idempotencyKey: "k" };

  it("makes one event of a hundred attempts at once, and tells the others that they are repetitions [emit-9]", async () => {
    const { deps, publisher } = busInMemory();
    const receipts = await Promise.all(Array.from({ length: 100 }, () => emit(deps, message, keyed)));
    expect(new Set(receipts.map(({ result }) => result.event_id)).size).toBe(1);
    expect(receipts.filter(({ result }) => !result.replayed)).toHaveLength(1);
    expect(publisher.published).toHaveLength(1);
  });

  it("gives the first answer again later on, whatever the order of the fields [emit-7]", async () => {
    const { deps, clock } = busInMemory();
    const first = await emit(deps, { type: "MESSAGE_RECEIVED", data: { a: 1, b: 2 } }, keyed);
    await first.afterwards();
    await clock.pause(5_000);
    const again = await emit(deps, { data: { b: 2, a: 1 }, type: "MESSAGE_RECEIVED" }, keyed);
    expect(again.result).toEqual({ ...first.result, replayed: true });
  });

  it("is refused with another payload, and names the event it stands for [emit-8]", async () => {
    const { deps } = busInMemory();
    const { result } = await emit(deps, message, keyed);
    const failure = await failureOf(emit(deps, { ...message, data: { text: "other" } }, keyed));
    expect(failure.code).toBe("idempotency_conflict");
    expect(failure.members).toEqual({ event_id: result.event_id, timestamp: result.timestamp });
  });

  it("gives the first answer again although the event would be refused by now", async () => {
    const { deps } = busInMemory({ limits: { eventsPerConversation: 2 } });
    const event = { ...message, correlation_id: "talk" };
    const first = await emit(deps, event, keyed);
    await first.afterwards();
    for (let i = 0; i < 2; i++) await (await emit(deps, event, sender).catch(() => first)).afterwards();
    expect(await codeOf(emit(deps, event, sender))).toBe("loop_detected");
    expect((await emit(deps, event, keyed)).result).toEqual({ ...first.result, replayed: true });
    expect(await codeOf(emit(deps, { ...event, data: {} }, keyed))).toBe("loop_detected");
  });

  it("belongs to the agent that used it [wait-14]", async () => {
    const { deps } = busInMemory();
    const mine = await emit(deps, message, keyed);
    const theirs = await emit(deps, message, { agent: openAgent("agent-2"), idempotencyKey: "k" });
    expect(theirs.result.replayed).toBe(false);
    expect(theirs.result.event_id).not.toBe(mine.result.event_id);
  });

  it("publishes once although the acknowledgement of the record was lost and the write was repeated underneath [emit-6]", async () => {
    const { deps, store, publisher } = busInMemory();
    // As an SDK does: the first try gets through unheard, the second finds its own item.
    const put = store.putEvent.bind(store);
    store.putEvent = async (record) => {
      await put(record);
      return put(record);
    };
    const { result } = await emit(deps, message, sender);
    expect(result).toMatchObject({ published: true, replayed: false });
    expect(publisher.published).toHaveLength(1);
  });
});

describe("a batch", () => {
  it("acknowledges or refuses each event by itself, in its order", async () => {
    const { deps, publisher } = busInMemory();
    const { result, afterwards } = await emitBatch(
      deps,
      { events: [message, { type: "NOPE", data: {} }, { ...message, x: 1 }, message] },
      sender,
    );
    await afterwards();
    expect(result).toMatchObject({ accepted: 2, rejected: 2 });
    expect(result.events.map((event) => ("error" in event ? event.error.code : event.published))).toEqual([
      true,
      "unknown_event_type",
      "invalid_request",
      true,
    ]);
    const third = result.events[2];
    expect(third !== undefined && "error" in third && third.error.errors?.[0]?.pointer).toBe("/events/2/x");
    const second = result.events[1];
    expect(second !== undefined && "error" in second && second.error.errors?.[0]?.pointer).toBe("/events/1/type");
    expect(publisher.published).toHaveLength(2);
  });

  it("is repeated as a whole under its key", async () => {
    const { deps, publisher } = busInMemory();
    const keyed = { ...sender, idempotencyKey: "batch" };
    const first = await emitBatch(deps, { events: [message, message] }, keyed);
    await first.afterwards();
    const again = await emitBatch(deps, { events: [message, message] }, keyed);
    expect(again.result.events).toEqual(first.result.events.map((event) => ({ ...event, replayed: true })));
    expect(publisher.published).toHaveLength(2);
  });

  it.each([
    ["none", { events: [] }],
    ["101", { events: Array.from({ length: 101 }, () => message) }],
    ["no list", { events: {} }],
  ])("of %s is refused", async (_title, body) => {
    const { deps } = busInMemory();
    expect((await failureOf(emitBatch(deps, body, sender))).errors[0]?.pointer).toBe("/events");
  });

  it("tells of an event whose record failed, and keeps the others", async () => {
    const { deps, store } = busInMemory();
    const put = store.putEvent.bind(store);
    store.putEvent = (record) =>
      record.event.data["fail"] === true ? Promise.reject(new Error("broken")) : put(record);
    const { result } = await emitBatch(deps, { events: [message, { ...message, data: { fail: true } }] }, sender);
    expect(result.events.map((event) => ("error" in event ? event.error.retryable : event.published))).toEqual([
      true,
      true,
    ]);
    expect(result).toMatchObject({ accepted: 1, rejected: 1 });
  });
});

it("failures are the bus's own class", async () => {
  const failure: BusError = await failureOf(emit(busInMemory().deps, {}, sender));
  expect(failure.status).toBe(422);
});
