/** What every `EventStore` must do, whatever is behind it. */

import { randomUUID } from "node:crypto";
import { beforeAll, describe, expect, it } from "vitest";
import { historyWays, keys } from "../../shared/keys.ts";
import type { AcceptAnswer, EventStore } from "../../shared/ports.ts";
import type { EventRecord, ListenerLease, RequestRecord, ResponseRecord } from "../../shared/records.ts";

const HOUR = 3_600;
const inAnHour = (): number => Math.ceil(Date.now() / 1_000) + HOUR;

/** A fresh event of a type, agent and conversation that no other test uses. */
export function anEvent(
  change: Partial<EventRecord["event"]> = {},
  rest: Partial<Omit<EventRecord, "event">> = {},
): EventRecord {
  const id = change.id ?? randomUUID();
  return {
    event: {
      id,
      type: "MESSAGE_RECEIVED",
      data: { text: "hello" },
      timestamp: new Date().toISOString(),
      correlation_id: id,
      hops: 0,
      source: "tester",
      ...change,
    },
    kind: "event",
    payloadHash: "hash-a",
    replyToken: "token-a",
    commitId: randomUUID(),
    published: false,
    relayAttempts: 0,
    expiresAt: inAnHour(),
    ...rest,
  };
}

export function aRequest(change: Partial<RequestRecord> = {}): RequestRecord {
  return {
    eventId: randomUUID(),
    state: "PENDING",
    expect: { mode: "first" },
    expected: ["alice", "bob"],
    requester: "tester",
    createdAt: new Date().toISOString(),
    deadline: new Date(Date.now() + 60_000).toISOString(),
    payloadHash: "hash-a",
    replyToken: "token-a",
    acceptedIds: [],
    answeredBy: [],
    progressCount: 0,
    ...change,
  };
}

function aResponse(change: Partial<ResponseRecord> & { eventId: string }): ResponseRecord {
  return {
    responseId: randomUUID(),
    response: { ok: true },
    status: "ok",
    sender: "tester",
    afterEnd: false,
    timestamp: new Date().toISOString(),
    payloadHash: "hash-r",
    expiresAt: inAnHour(),
    ...change,
  };
}

function anAnswer(request: RequestRecord, change: Partial<AcceptAnswer> = {}): AcceptAnswer {
  return {
    eventId: request.eventId,
    replyToken: request.replyToken,
    responseId: randomUUID(),
    subscriber: "alice",
    answersSeen: 0,
    state: "ANSWERED",
    at: new Date().toISOString(),
    expiresAt: inAnHour(),
    ...change,
  };
}

export interface StoreUnderTest {
  readonly name: string;
  open(): Promise<EventStore>;
  /** Set where the real service is atomic and this stand-in is measured not to be. Says why. */
  readonly notAtomic?: string;
}

/** Runs the contract on a store. */
export function eventStoreContract({ name, open, notAtomic }: StoreUnderTest): void {
  describe(`the event store ${name}`, () => {
    let store: EventStore;
    beforeAll(async () => {
      store = await open();
    });

    describe("events", () => {
      it("gives back exactly what was recorded, all fields or only the required ones", async () => {
        const full = anEvent(
          {
            agent_type: "router",
            causation_id: "parent",
            deadline: new Date().toISOString(),
            traceparent: "00-1-2-3",
            data: { nested: [1, 1.5, -0.25, "é𝄞\u0000", null, true, {}, []], empty: "" },
          },
          { kind: "request" },
        );
        const bare = anEvent();
        await store.putEvent(full);
        await store.putEvent(bare);
        expect(await store.getEvent(full.event.id)).toEqual(full);
        expect(await store.getEvent(bare.event.id)).toEqual(bare);
      });

      it("keeps large data whole, and the first of two payloads that race for one id", async () => {
        const id = randomUUID();
        const first = anEvent({ id, data: { text: "a".repeat(150_000) } }, { payloadHash: "hash-1" });
        const second = anEvent({ id, data: { text: "b".repeat(150_000) } }, { payloadHash: "hash-2" });
        expect(await store.putEvent(first)).toEqual({ kind: "created" });
        expect(await store.putEvent(second)).toEqual({ kind: "exists", record: first });
        expect(await store.getEvent(id)).toEqual(first);
        expect(await store.getEvents([id])).toEqual([first]);
        const { data: _, ...envelope } = first.event;
        expect(await store.getEnvelope(id)).toEqual({ ...first, event: envelope });
        expect(await store.getEnvelopes([id, randomUUID()])).toEqual([{ ...first, event: envelope }]);
      });

      it("does not know what was never recorded or has expired [history-4]", async () => {
        const expired = anEvent({}, { expiresAt: Math.floor(Date.now() / 1_000) - 1 });
        await store.putEvent(expired);
        expect(await store.getEvent(randomUUID())).toBeNull();
        expect(await store.getEvent(expired.event.id)).toBeNull();
        expect(await store.getEnvelope(expired.event.id)).toBeNull();
        expect(await store.getEvents([expired.event.id, randomUUID()])).toEqual([]);
        expect(await store.getEnvelopes([expired.event.id, randomUUID()])).toEqual([]);
      });

      it("leaves no trace of one that was removed when it is marked as published all the same", async () => {
        const event = anEvent();
        await store.markPublished(event.event.id);
        expect(await store.getEvent(event.event.id)).toBeNull();
        expect(await store.putEvent(event)).toEqual({ kind: "created" });
      });

      it("lets a new record take the place of one that has expired [cleanup-4]", async () => {
        const past = Math.floor(Date.now() / 1_000) - 1;
        const old = anEvent({}, { expiresAt: past });
        const fresh = anEvent({ id: old.event.id, data: { fresh: true } });
        await store.putEvent(old);
        expect(await store.putEvent(fresh)).toEqual({ kind: "created" });
        expect(await store.getEvent(old.event.id)).toEqual(fresh);

        const ended = await opened(store);
        const at = new Date().toISOString();
        await store.endRequest({ eventId: ended.eventId, state: "CANCELLED", at, expiresAt: past });
        expect(await store.createRequest({ ...ended, payloadHash: "again" })).toEqual({ kind: "created" });
        expect(await store.getRequest(ended.eventId)).toEqual({ ...ended, payloadHash: "again" });

        const answered = aResponse({ eventId: ended.eventId, expiresAt: past });
        const again = { ...answered, payloadHash: "again", expiresAt: inAnHour() };
        await store.putResponse(answered);
        expect(await store.putResponse(again)).toEqual({ kind: "created" });
        expect(await store.getResponses(ended.eventId)).toEqual([again]);
      });

      it("gives many large events at once [history-3]", async () => {
        const records = Array.from({ length: 100 }, () => anEvent({ data: { text: "x".repeat(180_000) } }));
        await Promise.all(records.map((record) => store.putEvent(record)));
        const read = await store.getEvents(records.map((record) => record.event.id));
        expect(read.map(({ event }) => event.id)).toEqual(records.map(({ event }) => event.id));
      });

      it("gives many events in the order asked for", async () => {
        const records = Array.from({ length: 120 }, (_, i) => anEvent({ data: { i } }));
        await Promise.all(records.map((record) => store.putEvent(record)));
        const ids = records.map((record) => record.event.id).reverse();
        expect((await store.getEvents(ids)).map((record) => record.event.id)).toEqual(ids);
      });

      it.skipIf(notAtomic !== undefined)("lets one of 20 racers record an event", async () => {
        const id = randomUUID();
        const outcomes = await Promise.all(Array.from({ length: 20 }, () => store.putEvent(anEvent({ id }))));
        expect(outcomes.filter((outcome) => outcome.kind === "created")).toHaveLength(1);
      });
    });

    describe("unpublished events", () => {
      it("are due until they are marked as published", async () => {
        const { event } = await recorded(
          store,
          anEvent({ timestamp: new Date(Date.now() - HOUR * 1_000).toISOString() }),
        );
        const due = () => store.findDueWork("publish", new Date(Date.now() - 1_000).toISOString(), 1_000);
        await expect.poll(due).toContain(event.id);
        await store.markPublished(event.id);
        await expect.poll(due).not.toContain(event.id);
        expect((await store.getEvent(event.id))?.published).toBe(true);
      });

      it("are taken on by one relay at a time, and are due again when its lease is over", async () => {
        const { event } = await recorded(
          store,
          anEvent({ timestamp: new Date(Date.now() - HOUR * 1_000).toISOString() }),
        );
        const until = new Date(Date.now() + HOUR * 1_000).toISOString();
        expect(await store.leaseForRelay(event.id, 0, until)).toBe(true);
        expect(await store.leaseForRelay(event.id, 0, until)).toBe(false);
        const dueBefore = (time: number) => store.findDueWork("publish", new Date(time).toISOString(), 1_000);
        await expect.poll(() => dueBefore(Date.now())).not.toContain(event.id);
        await expect.poll(() => dueBefore(Date.now() + 2 * HOUR * 1_000)).toContain(event.id);
        expect((await store.getEvent(event.id))?.relayAttempts).toBe(1);
      });

      it("cannot be taken on once they are published", async () => {
        const { event } = await recorded(store, anEvent());
        await store.markPublished(event.id);
        expect(await store.leaseForRelay(event.id, 0, new Date().toISOString())).toBe(false);
      });
    });

    describe("requests", () => {
      it("give back what was recorded, and the first of two", async () => {
        const request = aRequest({ expect: { mode: "count", count: 3 } });
        expect(await store.createRequest(request)).toEqual({ kind: "created" });
        expect(await store.createRequest({ ...request, payloadHash: "other" })).toEqual({
          kind: "exists",
          record: request,
        });
        expect(await store.getRequest(request.eventId)).toEqual(request);
        expect(await store.getRequest(randomUUID())).toBeNull();
      });

      it("are read together: those that exist, each once", async () => {
        const [one, other] = [await opened(store), await opened(store)];
        const ids = [other.eventId, randomUUID(), one.eventId, one.eventId];
        const read = await store.getRequests(ids);
        expect(read.toSorted((a, b) => (a.eventId < b.eventId ? -1 : 1))).toEqual(
          [one, other].toSorted((a, b) => (a.eventId < b.eventId ? -1 : 1)),
        );
        expect(await store.getRequests([])).toEqual([]);
      });

      it("are ended by the first answer, and nothing ends them again", async () => {
        const request = await opened(store);
        const answer = anAnswer(request);
        const won = await store.acceptAnswer(answer);
        const ended = {
          ...request,
          state: "ANSWERED",
          acceptedIds: [answer.responseId],
          answeredBy: ["alice"],
          endedAt: answer.at,
        };
        expect(won).toEqual({ kind: "written", request: ended });
        expect(await store.acceptAnswer(anAnswer(request))).toEqual({ kind: "refused", request: ended });
        expect(await store.endRequest({ ...answer, state: "TIMED_OUT" })).toEqual({ kind: "refused", request: ended });
        await store.noteProgress(request.eventId).catch(() => undefined);
        expect(await store.getRequest(request.eventId)).toEqual(ended);
      });

      it("are not answered with a wrong token [respond-2]", async () => {
        const request = await opened(store);
        expect(await store.acceptAnswer(anAnswer(request, { replyToken: "forged" }))).toEqual({
          kind: "refused",
          request,
        });
      });

      it("count answers one after the other; who missed one is refused", async () => {
        const request = await opened(store, { expect: { mode: "count", count: 3 } });
        expect((await store.acceptAnswer(anAnswer(request, { state: "PENDING" }))).kind).toBe("written");
        expect((await store.acceptAnswer(anAnswer(request, { state: "PENDING", subscriber: "bob" }))).kind).toBe(
          "refused",
        );
        const second = await store.acceptAnswer(
          anAnswer(request, { state: "PENDING", subscriber: "bob", answersSeen: 1 }),
        );
        expect(second.request?.state).toBe("PENDING");
        expect(second.request?.acceptedIds).toHaveLength(2);
        expect([...(second.request?.answeredBy ?? [])].sort()).toEqual(["alice", "bob"]);
      });

      it("know whose the names are that they wait for, and who of one name has answered", async () => {
        const speakers = [["alice's key"], ["one bob's key", "another bob's key"]];
        const request = await opened(store, { expect: { mode: "all" }, speakers });
        expect((await store.getRequest(request.eventId))?.speakers).toEqual(speakers);
        const bob = { state: "PENDING", subscriber: "bob" } as const;
        await store.acceptAnswer(anAnswer(request, { ...bob, speaker: "one bob's key" }));
        await store.acceptAnswer(anAnswer(request, { ...bob, speaker: "another bob's key", answersSeen: 1 }));
        const answered = await store.getRequest(request.eventId);
        expect(answered?.answeredBy).toEqual(["bob"]);
        expect([...(answered?.answeredSpeakers ?? [])].sort()).toEqual(["another bob's key", "one bob's key"]);
      });

      it("remember when and why they ended without an answer", async () => {
        const request = await opened(store);
        const at = new Date().toISOString();
        const end = {
          eventId: request.eventId,
          state: "TIMED_OUT",
          at,
          reason: "never_published",
          expiresAt: inAnHour(),
        } as const;
        expect((await store.endRequest(end)).kind).toBe("written");
        expect(await store.getRequest(request.eventId)).toEqual({
          ...request,
          state: "TIMED_OUT",
          endedAt: at,
          reason: "never_published",
        });
      });

      it("tell of progress while they are open", async () => {
        const request = await opened(store);
        await store.noteProgress(request.eventId);
        await store.noteProgress(request.eventId);
        expect((await store.getRequest(request.eventId))?.progressCount).toBe(2);
      });

      it("cannot be written to when they do not exist", async () => {
        const nothing = aRequest();
        expect(await store.acceptAnswer(anAnswer(nothing))).toEqual({ kind: "refused", request: null });
      });

      it("are due for the sweep by their deadline until they have ended", async () => {
        const request = await opened(store, { deadline: new Date(Date.now() - HOUR * 1_000).toISOString() });
        const due = () => store.findDueWork("deadline", new Date().toISOString(), 1_000);
        await expect.poll(due).toContain(request.eventId);
        await store.acceptAnswer(anAnswer(request));
        await expect.poll(due).not.toContain(request.eventId);
      });

      it("that have timed out are not answered any more, also by whoever saw all of their answers", async () => {
        const request = await opened(store);
        const at = new Date().toISOString();
        await store.endRequest({ eventId: request.eventId, state: "TIMED_OUT", at, expiresAt: inAnHour() });
        for (const state of ["ANSWERED", "PENDING"] as const) {
          const late = await store.acceptAnswer(anAnswer(request, { state }));
          expect(late).toMatchObject({ kind: "refused", request: { state: "TIMED_OUT", acceptedIds: [] } });
        }
        expect(await store.getRequest(request.eventId)).toMatchObject({ state: "TIMED_OUT", answeredBy: [] });
      });

      it("are forgotten only after they have ended [wait-13]", async () => {
        const open = await opened(store);
        const ended = await opened(store);
        const past = Math.floor(Date.now() / 1_000) - 1;
        await store.endRequest({
          eventId: ended.eventId,
          state: "CANCELLED",
          at: new Date().toISOString(),
          expiresAt: past,
        });
        const answered = await opened(store);
        await store.acceptAnswer(anAnswer(answered, { expiresAt: past }));
        expect(await store.getRequest(open.eventId)).not.toBeNull();
        expect(await store.getRequest(ended.eventId)).toBeNull();
        expect(await store.getRequest(answered.eventId)).toBeNull();
      });

      it.skipIf(notAtomic !== undefined)("have one winner of 32 racing answers and a time-out", async () => {
        const request = await opened(store);
        const writes = await Promise.all([
          ...Array.from({ length: 32 }, () => store.acceptAnswer(anAnswer(request))),
          store.endRequest({
            eventId: request.eventId,
            state: "TIMED_OUT",
            at: new Date().toISOString(),
            expiresAt: inAnHour(),
          }),
        ]);
        expect(writes.filter((write) => write.kind === "written")).toHaveLength(1);
        const final = await store.getRequest(request.eventId);
        for (const write of writes) expect(write.request).toEqual(final);
      });
    });

    describe("responses", () => {
      it("are stored once, read in order, and counted", async () => {
        const eventId = randomUUID();
        const later = aResponse({
          eventId,
          timestamp: "2026-01-01T00:00:02.000Z",
          status: "rejected",
          response: { why: "é" },
        });
        const earlier = aResponse({
          eventId,
          timestamp: "2026-01-01T00:00:01.000Z",
          subscriber: "alice",
          afterEnd: true,
        });
        expect(await store.putResponse(later)).toEqual({ kind: "created" });
        expect(await store.putResponse(earlier)).toEqual({ kind: "created" });
        expect(await store.putResponse({ ...later, response: { other: 1 } })).toEqual({
          kind: "exists",
          record: later,
        });
        expect(await store.getResponses(eventId)).toEqual([earlier, later]);
        expect(await store.getResponse(eventId, later.responseId)).toEqual(later);
        expect(await store.getResponse(eventId, "another")).toBeNull();
        expect(await store.countResponses(eventId, 100)).toBe(2);
        expect(await store.countResponses(eventId, 1)).toBe(1);
        expect(await store.countResponses(randomUUID(), 100)).toBe(0);
      });

      it("are in the order of their times, whatever their ids, and gone once they have expired", async () => {
        const eventId = randomUUID();
        const at = (second: number, responseId: string, expiresAt = inAnHour()) =>
          aResponse({ eventId, responseId, timestamp: `2026-01-01T00:00:0${second}.000Z`, expiresAt });
        const past = Math.floor(Date.now() / 1_000) - 1;
        for (const response of [at(3, "a"), at(1, "c"), at(2, "b"), at(0, "d", past)])
          await store.putResponse(response);
        expect((await store.getResponses(eventId)).map(({ responseId }) => responseId)).toEqual(["c", "b", "a"]);
        expect(await store.getResponse(eventId, "a")).not.toBeNull();
        expect(await store.getResponse(eventId, "d")).toBeNull();
      });

      it("are counted however large they are", async () => {
        const eventId = randomUUID();
        const large = { text: "x".repeat(180_000) };
        await Promise.all(Array.from({ length: 15 }, () => store.putResponse(aResponse({ eventId, response: large }))));
        expect(await store.countResponses(eventId, 100)).toBe(15);
        expect(await store.countResponses(eventId, 12)).toBe(12);
      });
    });

    describe("history", () => {
      it("reads a conversation in both orders, slice by slice, between exclusive bounds", async () => {
        const conversation = randomUUID();
        const positions: string[] = [];
        for (let i = 0; i < 5; i++) {
          const { event } = await recorded(
            store,
            anEvent({ correlation_id: conversation, timestamp: `2026-01-01T00:00:0${i}.000Z` }),
          );
          positions.push(`${event.timestamp}#${event.id}`);
        }
        const [{ index, partitions }] = historyWays({ correlation_id: conversation });
        const read = (change: object) =>
          store.readHistory({
            index,
            partition: partitions[0] as string,
            order: "asc",
            after: "0",
            before: "9",
            limit: 10,
            ...change,
          });
        await expect.poll(async () => (await read({})).positions).toEqual(positions);
        expect(await read({})).toEqual({ positions, readUpTo: null });
        expect((await read({ order: "desc" })).positions).toEqual([...positions].reverse());
        expect(await read({ limit: 2 })).toEqual({ positions: positions.slice(0, 2), readUpTo: positions[1] });
        expect((await read({ after: positions[1] })).positions).toEqual(positions.slice(2));
        expect((await read({ order: "desc", before: positions[3] })).positions).toEqual(
          positions.slice(0, 3).reverse(),
        );
        expect((await read({ after: positions[3], before: positions[1] })).positions).toEqual([]);
        expect((await read({ after: positions[1], before: positions[1] })).positions).toEqual([]);
        expect(
          (await read({ after: "2026-01-01T00:00:01.000Z", before: "2026-01-01T00:00:03.000Z" })).positions,
        ).toEqual(positions.slice(1, 3));
      });

      it("finds events by type, by agent, by conversation and by time alone, and filters by the others", async () => {
        const agent_type = `agent-${randomUUID()}`;
        const mine = await recorded(store, anEvent({ agent_type, type: "MESSAGE_RECEIVED" }));
        const other = await recorded(store, anEvent({ agent_type, type: "SESSION_CREATED" }));
        const find = async (
          selection: { type?: string; agent_type?: string; correlation_id?: string },
          filter: object = {},
        ) => {
          const [{ index, partitions }] = historyWays(selection);
          const slices = await Promise.all(
            partitions.map((partition) =>
              store.readHistory({ index, partition, order: "desc", after: "0", before: "9", limit: 1_000, ...filter }),
            ),
          );
          return slices.flatMap((slice) => slice.positions.map((position) => position.split("#")[1]));
        };
        await expect.poll(() => find({ agent_type })).toHaveLength(2);
        expect(await find({ agent_type }, { type: "SESSION_CREATED" })).toEqual([other.event.id]);
        expect(await find({ type: "MESSAGE_RECEIVED" })).toContain(mine.event.id);
        expect(await find({ type: "MESSAGE_RECEIVED" }, { agent_type })).toEqual([mine.event.id]);
        expect(await find({ correlation_id: mine.event.id })).toEqual([mine.event.id]);
        expect(await find({})).toEqual(expect.arrayContaining([mine.event.id, other.event.id]));
      });
    });

    describe("listeners, budgets and settings", () => {
      it("knows who listens to a type until the lease is over or given back", async () => {
        const eventType = `TYPE_${randomUUID()}`;
        const leasedUntil = Date.now() + 60_000;
        const lease: ListenerLease = {
          eventType,
          name: "alice",
          streamId: "1",
          kind: "stream",
          owner: "arn:aws:iam::1:role/alice",
          correlationId: "c",
          leasedUntil,
        };
        await store.putListener(lease);
        const queue: ListenerLease = { eventType, name: "alice", streamId: "2", kind: "queue", leasedUntil };
        await store.putListener(queue);
        expect(await store.getListeners(eventType, Date.now())).toEqual(expect.arrayContaining([lease, queue]));
        expect(await store.getListeners(eventType, leasedUntil)).toEqual([]);
        await store.deleteListener(lease);
        expect(await store.getListeners(eventType, Date.now())).toHaveLength(1);
      });

      it("counts the events of a conversation", async () => {
        const conversation = randomUUID();
        expect(await store.getConversationCount(conversation)).toBe(0);
        await store.addToConversationCount(conversation, 1, inAnHour());
        await store.addToConversationCount(conversation, 10, inAnHour());
        await expect.poll(() => store.getConversationCount(conversation)).toBe(11);
      });

      it("adds up how long answers have taken, whoever says so, and fades it only for who has seen all of it", async () => {
        const type = `TYPE_${randomUUID()}`;
        expect(await store.getAnswerTimes(type)).toEqual({ times: new Map(), version: 0 });
        for (const bin of [0, 1, 2, 3]) {
          const times = new Map([
            [30, 5],
            [bin, 1],
          ]);
          await store.addAnswerTimes(type, times, inAnHour());
        }
        const all = await store.addAnswerTimes(type, new Map([[105, 2]]), inAnHour());
        const sorted = (times: ReadonlyMap<number, number>) => [...times].sort(([a], [b]) => a - b);
        const expected = [
          [0, 1],
          [1, 1],
          [2, 1],
          [3, 1],
          [30, 20],
          [105, 2],
        ];
        expect(sorted(all.times)).toEqual(expected);
        await expect.poll(async () => sorted((await store.getAnswerTimes(type)).times)).toEqual(expected);

        const faded = { times: new Map([[30, 10]]), version: all.version + 1 };
        expect(await store.replaceAnswerTimes(type, faded, all.version - 1, inAnHour())).toBe(false);
        expect(await store.replaceAnswerTimes(type, faded, all.version, inAnHour())).toBe(true);
        expect(await store.replaceAnswerTimes(type, faded, all.version, inAnHour())).toBe(false);
        await expect.poll(() => store.getAnswerTimes(type)).toEqual(faded);
        expect((await store.addAnswerTimes(type, new Map([[30, 1]]), inAnHour())).times).toEqual(new Map([[30, 11]]));
      });

      it("keeps the first secret it is given", async () => {
        const key = { ...keys.cursorKey(), sk: randomUUID() };
        const secrets = await Promise.all(["a", "b", "c"].map((candidate) => store.getOrCreateSecret(key, candidate)));
        expect(new Set(secrets).size).toBe(notAtomic === undefined ? 1 : expect.any(Number));
        expect(await store.getOrCreateSecret(key, "d")).not.toBe("d");
      });
    });
  });
}

async function recorded(store: EventStore, record: EventRecord): Promise<EventRecord> {
  await store.putEvent(record);
  return record;
}

async function opened(store: EventStore, change: Partial<RequestRecord> = {}): Promise<RequestRecord> {
  const request = aRequest(change);
  await store.createRequest(request);
  return request;
}
