/**
 * Old and new code at work on one table (N24), as while functions are exchanged. What an older version recorded is read
 * and worked on; what is recorded now has all that the older version reads.
 */
import { readFileSync } from "node:fs";
import type { AttributeValue } from "@aws-sdk/client-dynamodb";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createDynamoEventStore } from "../../functions/runtime/dynamo-event-store.ts";
import type { LevelTable } from "../../local/table/level-table.ts";
import { TABLE_NAME } from "../../local/table.ts";
import { openAgent } from "../../shared/agents/agent.ts";
import { recordDeadLetter } from "../../shared/deliveries/dead-letters.ts";
import { dispatchEvent } from "../../shared/deliveries/dispatch.ts";
import { listDead } from "../../shared/deliveries/list-dead.ts";
import { giveBack } from "../../shared/deliveries/message-receipts.ts";
import { redrive } from "../../shared/deliveries/redrive.ts";
import { emit } from "../../shared/emit.ts";
import { findOwnRequest } from "../../shared/end-request.ts";
import { explainEvent } from "../../shared/explain.ts";
import { listEvents, showEvent } from "../../shared/history.ts";
import { openRequest } from "../../shared/request.ts";
import { describeOutcome } from "../../shared/request-outcome.ts";
import { respond } from "../../shared/respond.ts";
import { changeSubscription } from "../../shared/subscriptions/subscribe.ts";
import { type BusInMemory, busInMemory } from "../support/bus-in-memory.ts";
import { openEmbeddedTable } from "../support/embedded-store.ts";
import {
  ack,
  ask,
  EMITTER,
  minutesPass,
  OWNER,
  publish,
  queueInput,
  reconciled,
  subscribed,
  TYPE,
  take,
  takeOne,
  webhookInput,
} from "../support/run-time-bus.ts";
import { fails, HOOK } from "../support/scripted-webhooks.ts";
import { workDue } from "../support/webhook-worker.ts";

type Item = Record<string, AttributeValue>;

/** What release 0.1.0 wrote: made once by its own code, and never changed. */
interface Fixture {
  readonly nowMs: number;
  readonly names: Readonly<Record<string, string>>;
  readonly cursor: { readonly query: Record<string, string>; readonly next: string; readonly first: readonly string[] };
  readonly items: readonly Item[];
}

const fixture = JSON.parse(
  readFileSync(new URL("../fixtures/items-of-0.1.0.json", import.meta.url), "utf8"),
) as Fixture;
const named = (name: string): string => fixture.names[name] ?? "";

const closing: (() => Promise<void> | void)[] = [];
afterAll(async () => {
  for (const close of closing) await close();
});

/** Today's code on a table of its own. */
async function busOnTable(): Promise<{ bus: BusInMemory; table: LevelTable }> {
  const bus = busInMemory();
  const { calls: table, close } = await openEmbeddedTable();
  closing.push(close);
  const store = createDynamoEventStore({ calls: table, tableName: TABLE_NAME, now: () => bus.clock.nowMs });
  // Other ids than those that the older version made in the same way.
  let ids = 500_000;
  const newId = (): string => `00000000-0000-7000-8000-${String(++ids).padStart(12, "0")}`;
  return { table, bus: { ...bus, deps: { ...bus.deps, store, newId, newToken: () => `token-${++ids}` } } };
}

describe("what an older version recorded", () => {
  let bus: BusInMemory;
  beforeAll(async () => {
    const opened = await busOnTable();
    bus = opened.bus;
    bus.clock.nowMs = fixture.nowMs;
    for (const item of fixture.items) await opened.table.putItem({ TableName: TABLE_NAME, Item: item });
  });
  const reader = openAgent("reader");

  test("is read: pages of history, from the older version's cursor on too, and each event with all that came of it", async () => {
    const { events } = await listEvents(bus.deps, { limit: "100" }, reader);
    const ids = ["delivered", "keyed", "large", "open", "all", "answered", "overdue", "unpublished"].map(named);
    expect(events.map(({ id }) => id).sort()).toEqual(ids.sort());
    const { query, next, first } = fixture.cursor;
    const more = await listEvents(bus.deps, { ...query, limit: "100", cursor: next }, reader);
    expect([...first, ...more.events.map(({ id }) => id)].sort()).toEqual(ids.sort());

    const large = await showEvent(bus.deps, named("large"), reader);
    expect(large.event).toMatchObject({ data: { text: "x".repeat(5_000) }, correlation_id: named("keyed"), hops: 1 });
    expect(large.deliveries).toMatchObject([{ subscription_id: "deployed:bob" }]);
    const answered = await showEvent(bus.deps, named("answered"), reader);
    expect(answered.request).toMatchObject({ status: "answered", expected: ["alice", "bob"] });
    const verdicts = answered.responses.map(({ response_id, verdict }) => [response_id, verdict]);
    expect(Object.fromEntries(verdicts)).toEqual({ won: "accepted", lost: "superseded" });
    expect((await explainEvent(bus.deps, named("keyed"), reader)).subscribers.length).toBeGreaterThan(0);
  });

  test("is what an idempotency key stands for, and what a repeated question joins", async () => {
    const keyed = { ...EMITTER, idempotencyKey: "order-7" };
    const body = { type: TYPE, data: { n: "keyed" }, agent_type: "planner" };
    expect((await emit(bus.deps, body, keyed)).result).toMatchObject({ event_id: named("keyed"), replayed: true });
    const again = { agent: openAgent("asker"), idempotencyKey: "question-1" };
    const question = { type: "CONTEXT_REQUESTED", data: {}, timeout: 3600 };
    expect((await openRequest(bus.deps, question, again)).request).toMatchObject({
      eventId: named("answered"),
      state: "ANSWERED",
    });
  });

  test("goes on to its end: a question is answered, one for all when the last has answered [all-2]", async () => {
    const bob = { agent: openAgent("bob-role"), as: "bob" };
    const half = await findOwnRequest(bus.deps, named("all"), "asker");
    expect(await describeOutcome(bus.deps, half)).toMatchObject({ status: "pending" });
    const last = { response: { by: "bob" }, reply_token: half.replyToken, response_id: "by-bob" };
    expect(await respond(bus.deps, half.eventId, last, bob)).toMatchObject({ verdict: "accepted" });
    const ended = await findOwnRequest(bus.deps, named("all"), "asker");
    expect(await describeOutcome(bus.deps, ended)).toMatchObject({ status: "answered", missing: [] });

    const open = await findOwnRequest(bus.deps, named("open"), "emitter");
    const answer = { response: {}, reply_token: open.replyToken };
    const queue = { agent: openAgent(OWNER), as: "queue" };
    expect(await respond(bus.deps, open.eventId, answer, queue)).toMatchObject({ verdict: "accepted" });
  });

  test("is delivered: messages, webhooks under their secret, what was dead once it is redriven", async () => {
    const messages = await take(bus, named("queue"));
    const events = messages.map(({ event }) => event.id);
    expect(events).toContain(named("keyed"));
    expect(events).not.toContain(named("delivered"));
    expect(await ack(bus, named("queue"), messages[0]?.receipt ?? "")).toBe("ok");

    await minutesPass(bus, 6);
    await workDue(bus);
    const calls = bus.webhooks.calls.filter(({ body }) => body.includes(named("delivered")));
    expect(calls[0]?.headers["webhook-signature"]).toMatch(/^v1,/);
    expect(
      (await bus.deps.store.getDelivery({ eventId: named("delivered"), subscriptionId: named("webhook") }))?.state,
    ).toBe("DELIVERED");

    const owner = openAgent(OWNER);
    expect((await listDead(bus.deps, {}, owner)).deliveries.map(({ event_id }) => event_id)).toContain(named("keyed"));
    expect(await redrive(bus.deps, { subscription_id: named("mortal") }, owner)).toMatchObject({ redriven: 1 });
    expect(await redrive(bus.deps, { subscription_id: "deployed:bob" }, owner)).toMatchObject({ redriven: 1 });
    const change = { filter: { data: { n: ["x"] } } };
    expect(await changeSubscription(bus.deps, named("queue"), change, owner)).toMatchObject(change);
  });

  test("is seen to by the reconciler: the unpublished is published, the overdue is ended", async () => {
    await minutesPass(bus, 2);
    expect(bus.publisher.published.map(({ id }) => id)).toContain(named("unpublished"));
    expect((await bus.deps.store.getRequest(named("overdue")))?.state).toBe("TIMED_OUT");
    expect(await reconciled(bus)).toMatchObject({ published: 0, failed: 0 });
  });
});

/** What kind of item it is, by its keys. */
function kindOf({ pk, sk }: Item): string {
  const [first = "", second = ""] = [pk, sk].map((key) => (key?.S ?? "").split("#")[0] ?? "");
  const named = ["EVENT", "SUBSCRIBERS", "SETTINGS", "CONVERSATION"].includes(first);
  return named ? `${first} ${second}` : first;
}

/** By kind, the attributes that every item of the kind has, with their types. */
function shapesOf(items: readonly Item[]): Map<string, Map<string, string>> {
  const shapes = new Map<string, Map<string, string>>();
  for (const item of items) {
    const attributes = new Map(Object.entries(item).map(([name, value]) => [name, Object.keys(value)[0] ?? ""]));
    const known = shapes.get(kindOf(item));
    if (known === undefined) shapes.set(kindOf(item), attributes);
    else for (const name of known.keys()) if (!attributes.has(name)) known.delete(name);
  }
  return shapes;
}

describe("what is recorded now", () => {
  test("has every attribute, of the same type, that an older version reads of it [all-2]", async () => {
    const { bus, table } = await busOnTable();
    const queue = await subscribed(bus, queueInput());
    bus.webhooks.script(HOOK, fails(503));
    await subscribed(bus, webhookInput());
    await publish(bus, { n: "delivered" });
    await ack(bus, queue, (await takeOne(bus, queue)).receipt);
    await workDue(bus);
    await publish(bus, { n: "given back" });
    await giveBack(bus.deps, queue, OWNER, [(await takeOne(bus, queue)).receipt], { delayMs: 0, reason: "no" });
    const text = "x".repeat(5_000);
    const large = await emit(bus.deps, { type: "MESSAGE_RECEIVED", data: { text } }, EMITTER);
    const event = { id: large.result.event_id, type: "MESSAGE_RECEIVED" };
    await recordDeadLetter(bus.deps, { subscriber: "bob", event, reason: "it failed", attempts: 1 });
    const asked = await ask(bus, { timeout: 3600 });
    await respond(
      bus.deps,
      asked.eventId,
      { response: {}, reply_token: asked.replyToken },
      { agent: openAgent("b"), as: "queue" },
    );
    await ask(bus, { timeout: 3600 });
    await listEvents(bus.deps, { limit: "1" }, openAgent("reader"));
    await dispatchEvent(bus.deps, bus.publisher.published[0] ?? ({} as never));

    const { Items = [] } = await table.scan({ TableName: TABLE_NAME });
    const now = shapesOf(Items);
    for (const [kind, attributes] of shapesOf(fixture.items))
      for (const [name, type] of attributes) expect([kind, name, now.get(kind)?.get(name)]).toEqual([kind, name, type]);
  });
});
