/** The table restored to an earlier moment (failure matrix): nothing is lost that was there, and what is done twice is done once. */
import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { createDynamoEventStore } from "../../functions/runtime/dynamo-event-store.ts";
import { openStore } from "../../local/store.ts";
import { TABLE_NAME } from "../../local/table.ts";
import { openAgent } from "../../shared/agents/agent.ts";
import { dispatchEvent } from "../../shared/deliveries/dispatch.ts";
import { listDead } from "../../shared/deliveries/list-dead.ts";
import { giveBack } from "../../shared/deliveries/message-receipts.ts";
import { redrive } from "../../shared/deliveries/redrive.ts";
import { emit } from "../../shared/emit.ts";
import { findOwnRequest } from "../../shared/end-request.ts";
import { listEvents } from "../../shared/history.ts";
import type { RequestRecord } from "../../shared/records.ts";
import { describeOutcome } from "../../shared/request-outcome.ts";
import { respond } from "../../shared/respond.ts";
import { type BusInMemory, busInMemory } from "../support/bus-in-memory.ts";
import {
  ack,
  ask,
  EMITTER,
  minutesPass,
  OWNER,
  publish,
  published,
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

const cleanups: (() => Promise<void>)[] = [];
afterAll(async () => {
  for (const cleanUp of cleanups) await cleanUp();
});

const folder = async (): Promise<string> => {
  const path = await mkdtemp(join(tmpdir(), "agent-event-bus-restore-"));
  cleanups.unshift(() => rm(path, { recursive: true, force: true, maxRetries: 3 }));
  return path;
};

/** A bus on the store in a data folder, at a moment of virtual time. */
async function busOn(dataDir: string, nowMs?: number): Promise<{ bus: BusInMemory; close(): Promise<void> }> {
  const bus = busInMemory();
  if (nowMs !== undefined) bus.clock.nowMs = nowMs;
  const embedded = await openStore(dataDir);
  const store = createDynamoEventStore({ calls: embedded.calls, tableName: TABLE_NAME, now: () => bus.clock.nowMs });
  let isOpen = true;
  const close = async (): Promise<void> => {
    if (!isOpen) return;
    isOpen = false;
    await embedded.close();
  };
  cleanups.unshift(close);
  // Ids of another process: none is given twice.
  const mark = Math.floor(bus.clock.nowMs / 1_000) % 100_000;
  let ids = 0;
  const newId = (): string =>
    `00000000-0000-7000-8000-${String(mark).padStart(6, "0")}${String(++ids).padStart(6, "0")}`;
  const deps = { ...bus.deps, store, newId, newToken: () => `token-${mark}-${++ids}` };
  return { bus: { ...bus, deps } as BusInMemory, close };
}

/** A bus on a copy of a backup: a restore leaves the backup as it is. */
async function restored(backup: string, nowMs: number): Promise<{ bus: BusInMemory }> {
  const copy = await folder();
  await cp(backup, copy, { recursive: true });
  return busOn(copy, nowMs);
}

const answer = (request: RequestRecord) => ({
  response: { approved: true },
  reply_token: request.replyToken,
  response_id: `answer to ${request.eventId}`,
});

/** What was there when the backup was taken, and what has become of it since in the table that was lost. */
async function livedOn() {
  const [original, backup] = [await folder(), await folder()];
  const first = await busOn(original);
  const { bus } = first;
  const queue = await subscribed(bus, queueInput());
  bus.webhooks.script(HOOK, fails(503));
  await subscribed(bus, webhookInput());

  const done = await publish(bus, { n: "done" });
  await ack(bus, queue, (await takeOne(bus, queue)).receipt);
  await workDue(bus);
  const { webhooks } = bus;
  const triedAs = webhooks.calls[0]?.headers["webhook-id"];

  const dying = queueInput({ name: "mortal", target: { kind: "queue", max_attempts: 1 } });
  const mortal = await subscribed(bus, dying);
  const keyed = { ...EMITTER, idempotencyKey: "order-7" };
  const kept = await emit(bus.deps, { type: TYPE, data: { n: "waiting" } }, keyed);
  await kept.afterwards();
  await dispatchEvent(bus.deps, bus.publisher.published.at(-1) ?? ({} as never));
  const waiting = kept.result.event_id;
  await giveBack(bus.deps, mortal, OWNER, [(await takeOne(bus, mortal)).receipt], { delayMs: 0, reason: "no" });

  const asked = await ask(bus, { timeout: 600 });
  const forgotten = await ask(bus, { timeout: 30 });
  bus.publisher.failure = "EventBridge is away";
  const unpublished = (await emit(bus.deps, { type: TYPE, data: { n: "unpublished" } }, EMITTER)).result.event_id;
  bus.publisher.failure = null;
  const backedUpAtMs = bus.clock.nowMs;
  await first.close();
  await cp(original, backup, { recursive: true });

  const second = await busOn(original, backedUpAtMs + 15_000);
  const later = second.bus;
  expect(await reconciled(later)).toMatchObject({ published: 1 });
  for (const { receipt } of await take(later, queue)) await ack(later, queue, receipt);
  await respond(later.deps, asked.eventId, answer(asked), { agent: openAgent("approver") });
  await published(later, { n: "after the backup" });
  const lostAtMs = later.clock.nowMs;
  await second.close();
  return { backup, lostAtMs, queue, mortal, triedAs, events: { done, waiting, unpublished }, asked, forgotten };
}

describe("a table restored from a backup that was taken in the middle of things", () => {
  const lived = livedOn();

  test("has all that was there, publishes what was unpublished, and does nothing twice that has an effect [cleanup-5]", async () => {
    const { backup, lostAtMs, queue, mortal, triedAs, events, asked, forgotten } = await lived;
    const { bus } = await restored(backup, lostAtMs + 3_600_000);
    const history = await listEvents(bus.deps, { limit: "100", order: "asc" }, openAgent("reader"));
    const ofQuestions = [asked.eventId, forgotten.eventId];
    expect(history.events.map(({ id }) => id).sort()).toEqual([...Object.values(events), ...ofQuestions].sort());

    // I1: it had been published after the backup; of that the table knows nothing.
    expect(await reconciled(bus)).toMatchObject({ published: 1, failed: 0 });
    const [again] = bus.publisher.published;
    expect(again?.id).toBe(events.unpublished);
    // I5: who has it from before is told by its id; the bus itself delivers it once.
    if (again === undefined) throw new Error("Nothing was published.");
    expect(await dispatchEvent(bus.deps, again)).toEqual({ begun: 3 });
    expect(await dispatchEvent(bus.deps, again)).toEqual({ begun: 0 });

    // I5: the key of before the backup still stands for its event.
    const keyed = { ...EMITTER, idempotencyKey: "order-7" };
    const { result } = await emit(bus.deps, { type: TYPE, data: { n: "waiting" } }, keyed);
    expect(result).toMatchObject({ event_id: events.waiting, replayed: true });

    // I7: messages acknowledged after the backup come again, under the ids that they had; what was done before does not.
    // Nobody waits for the answer to the questions any more, and so they are not given to anybody.
    const messages = await take(bus, queue);
    expect(messages.map(({ event }) => event.id).sort()).toEqual([events.waiting, events.unpublished].sort());

    // I7: the webhook that failed is called again, as the message that it was.
    bus.webhooks.script(HOOK);
    await minutesPass(bus, 6);
    await workDue(bus);
    const called = bus.webhooks.calls.map(({ headers }) => headers["webhook-id"]);
    expect(called).toContain(triedAs);
    expect(new Set(called).size).toBe(called.length);

    // What was dead is dead, and can be sent again.
    const owner = openAgent(OWNER);
    const dead = await listDead(bus.deps, { subscription_id: mortal }, owner);
    expect(dead.deliveries).toMatchObject([{ event_id: events.waiting, reason: expect.any(String) }]);
    expect(await redrive(bus.deps, { subscription_id: mortal }, owner)).toMatchObject({ redriven: 1 });

    // I6: questions whose time is over do not stay open.
    expect((await bus.deps.store.getRequest(forgotten.eventId))?.state).toBe("TIMED_OUT");
  });

  test("lets who waits and who answers go on, where the time of the question is not over", async () => {
    const { backup, lostAtMs, queue, asked } = await lived;
    const { bus } = await restored(backup, lostAtMs + 1_000);
    const request = await bus.deps.store.getRequest(asked.eventId);
    expect(request?.state).toBe("PENDING");
    const messages = await take(bus, queue);
    expect(messages.map(({ event }) => event.id)).toContain(asked.eventId);

    // The subscriber gets it again, and its answer has the id that it had: it counts, now as then.
    const responder = { agent: openAgent("approver") };
    expect(await respond(bus.deps, asked.eventId, answer(asked), responder)).toMatchObject({ verdict: "accepted" });
    const ended = await findOwnRequest(bus.deps, asked.eventId, EMITTER.agent.id);
    expect(await describeOutcome(bus.deps, ended)).toMatchObject({ status: "answered", response: { approved: true } });
  });
});
