/**
 * What a user of the bus gets, over plain HTTP, wherever the bus runs. The same scenarios for the embedded run and for a
 * deployment.
 */
import { randomUUID } from "node:crypto";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { DeliveredEvent } from "../../shared/event.ts";
import { BUILT_IN_EVENT_TYPES } from "../../shared/event-types/catalogue.ts";
import { call, type Json, type Reply } from "../support/call.ts";

export interface BusUnderTest {
  readonly url: string;
  /** The copy that a subscriber gets of the first event of a type in a conversation, with what an answer needs. */
  copyOf(type: string, conversation: string): Promise<DeliveredEvent>;
  /** Whether server-sent events arrive as they come: a platform may hand over a whole response at its end. */
  readonly streamsLive: boolean;
}

export interface Where {
  readonly name: string;
  open(): Promise<BusUnderTest>;
  /** How many calls at once it carries: the emulator shows that things are right, not that they are fast. */
  readonly crowd: { readonly repetitions: number; readonly racers: number; readonly waits: number };
}

export function scenarios({ name, open, crowd }: Where): void {
  describe(`the bus ${name}`, () => {
    let bus: BusUnderTest;
    beforeAll(async () => {
      bus = await open();
    });

    const post = (path: string, body: unknown, headers: Record<string, string> = {}): Promise<Reply> =>
      call(bus.url, "POST", path, { body, headers });
    const get = (path: string, headers: Record<string, string> = {}): Promise<Reply> =>
      call(bus.url, "GET", path, { headers });

    /** Asks something that only this test answers; `held` is the call as it waits. */
    const ask = async (
      more: Json = {},
      headers: Record<string, string> = {},
    ): Promise<{ held: Promise<Reply>; copy: DeliveredEvent }> => {
      const conversation = randomUUID();
      const question = {
        type: "SESSION_UPDATED",
        data: { q: conversation },
        correlation_id: conversation,
        timeout: 30,
        require_subscribers: false,
        ...more,
      };
      const held = post("/requests", question, headers);
      return { held, copy: await bus.copyOf("SESSION_UPDATED", conversation) };
    };
    const answer = (copy: DeliveredEvent, response: Json, more: Json = {}, as?: string): Promise<Reply> =>
      post(`${copy.reply_to.url}${as === undefined ? "" : `?as=${as}`}`, {
        response,
        reply_token: copy.reply_to.token,
        ...more,
      });

    describe("publishing", () => {
      it("acknowledges an event, which can then be read by its id", async () => {
        const emitted = await post("/events", {
          type: "MESSAGE_RECEIVED",
          data: { text: "hi é𝄞", n: [1, 2.5, null, true] },
          agent_type: "router",
        });
        expect(emitted.status).toBe(202);
        expect(emitted.json).toMatchObject({ type: "MESSAGE_RECEIVED", published: true, replayed: false });
        const { event_id, timestamp } = emitted.json as { event_id: string; timestamp: string };
        expect(timestamp).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
        const shown = await get(`/events/${event_id}`);
        expect(shown.status).toBe(200);
        expect(shown.json).toMatchObject({
          event: {
            id: event_id,
            type: "MESSAGE_RECEIVED",
            data: { text: "hi é𝄞", n: [1, 2.5, null, true] },
            agent_type: "router",
            hops: 0,
            timestamp,
          },
          request: null,
          responses: [],
        });
      });

      it("makes one event of many attempts with one key, at once and later", async () => {
        const headers = { "idempotency-key": randomUUID() };
        const emit = () => post("/events", { type: "MESSAGE_RECEIVED", data: { once: true } }, headers);
        const receipts = [...(await Promise.all(Array.from({ length: crowd.repetitions }, emit))), await emit()];
        expect(new Set(receipts.map(({ status }) => status))).toEqual(new Set([202]));
        expect(new Set(receipts.map(({ json }) => json["event_id"])).size).toBe(1);
        expect(receipts.filter(({ json }) => json["replayed"] === false)).toHaveLength(1);
      });

      it("takes a batch, each event acknowledged or refused by itself", async () => {
        const conversation = randomUUID();
        const event = { type: "MESSAGE_RECEIVED", data: {}, correlation_id: conversation };
        const batch = await post("/events", {
          events: [event, { ...event, type: "NOPE" }, { ...event, data: 1 }, event],
        });
        expect(batch.status).toBe(202);
        expect(batch.json).toMatchObject({ accepted: 2, rejected: 2 });
        const events = batch.json["events"] as { published?: boolean; error?: { code: string } }[];
        expect(events.map((entry) => entry.error?.code ?? entry.published)).toEqual([
          true,
          "unknown_event_type",
          "invalid_request",
          true,
        ]);
        await expect
          .poll(async () => ((await get(`/events?correlation_id=${conversation}`)).json["events"] as Json[]).length)
          .toBe(2);
      });

      it("carries a large event whole", async () => {
        const text = "x".repeat(150_000);
        const emitted = await post("/events", { type: "MESSAGE_RECEIVED", data: { text } });
        expect((await get(`/events/${emitted.json["event_id"]}`)).json).toMatchObject({ event: { data: { text } } });
      });

      it("follows a chain of causes, and stops it at 16 hops", async () => {
        let parent = (await post("/events", { type: "MESSAGE_RECEIVED", data: {} })).json["event_id"] as string;
        const conversation = parent;
        for (let hop = 1; hop <= 16; hop++) {
          const next = await post("/events", { type: "MESSAGE_RECEIVED", data: {}, causation_id: parent });
          expect(next.json).toMatchObject({ correlation_id: conversation });
          parent = next.json["event_id"] as string;
        }
        expect((await get(`/events/${parent}`)).json).toMatchObject({ event: { hops: 16 } });
        const refused = await post("/events", { type: "MESSAGE_RECEIVED", data: {}, causation_id: parent });
        expect([refused.status, refused.json["code"]]).toEqual([422, "loop_detected"]);
      });
    });

    describe("errors", () => {
      const event = { type: "MESSAGE_RECEIVED", data: {} };
      const rows: [string, () => Promise<Reply>, number, string][] = [
        ["a body that is not JSON", () => post("/events", "{nope"), 400, "invalid_json"],
        [
          "a key given twice",
          () => post("/events", '{"type":"MESSAGE_RECEIVED","data":{"a":1,"a":2}}'),
          400,
          "invalid_json",
        ],
        [
          "a number that would change",
          () => post("/events", '{"type":"MESSAGE_RECEIVED","data":{"n":9007199254740993}}'),
          400,
          "invalid_json",
        ],
        ["a missing field", () => post("/events", { type: "MESSAGE_RECEIVED" }), 422, "invalid_request"],
        ["an unknown field", () => post("/events", { ...event, dat: {} }), 422, "invalid_request"],
        ["an unknown type", () => post("/events", { ...event, type: "MESSAGE_RECIEVED" }), 422, "unknown_event_type"],
        [
          "data that does not fit its schema",
          () => post("/events", { type: "PING", data: { note: 7 } }),
          422,
          "schema_violation",
        ],
        [
          "an event over 192 KiB",
          () => post("/events", { ...event, data: { text: "x".repeat(192 * 1024) } }),
          413,
          "payload_too_large",
        ],
        [
          "a key that is too long",
          () => post("/events", event, { "idempotency-key": "k".repeat(256) }),
          422,
          "invalid_request",
        ],
        ["a request that nobody can answer", () => post("/requests", { ...event, timeout: 5 }), 424, "no_subscribers"],
        ["a time-out out of range", () => post("/requests", { ...event, timeout: 0.01 }), 422, "invalid_request"],
        ["an event that does not exist", () => get(`/events/${randomUUID()}`), 404, "not_found"],
        ["a request that does not exist", () => get(`/requests/${randomUUID()}`), 404, "not_found"],
        [
          "an answer to nothing",
          () => post(`/events/${randomUUID()}/responses`, { response: {}, reply_token: "t" }),
          404,
          "not_found",
        ],
        ["a path that is not served", () => get("/nothing/here"), 404, "not_found"],
        ["a method that is not served", () => call(bus.url, "PUT", "/events", { body: event }), 404, "not_found"],
        ["a wrong query", () => get("/events?limit=0"), 422, "invalid_request"],
        ["a forged cursor", () => get("/events?cursor=abc.def"), 422, "invalid_request"],
      ];
      it.each(rows)("%s is told as a problem document", async (_title, provoke, status, code) => {
        const reply = await provoke();
        expect([reply.status, reply.json["code"]]).toEqual([status, code]);
        expect(reply.headers.get("content-type")).toContain("application/problem+json");
        expect(reply.json).toMatchObject({
          status,
          title: expect.any(String),
          detail: expect.any(String),
          type: expect.any(String),
          retryable: false,
        });
      });

      it("name the field, and the event type that was probably meant", async () => {
        const reply = await post("/events", { type: "MESAGE_RECEIVED", data: {} });
        expect(reply.json["detail"]).toContain("MESSAGE_RECEIVED");
        expect((await post("/events", { ...event, agent_type: 5 })).json["errors"]).toMatchObject([
          { pointer: "/agent_type" },
        ]);
      });

      it("tell of a key that was used with another payload", async () => {
        const headers = { "idempotency-key": randomUUID() };
        await post("/events", event, headers);
        const reply = await post("/events", { ...event, data: { other: 1 } }, headers);
        expect([reply.status, reply.json["code"]]).toEqual([409, "idempotency_conflict"]);
      });
    });

    describe("asking", () => {
      it("gives the answer to the one who asked", async () => {
        const { held, copy } = await ask();
        const verdict = await answer(copy, { a: 42 });
        expect(verdict.status).toBe(200);
        expect(verdict.json).toMatchObject({ event_id: copy.id, verdict: "accepted" });
        const outcome = await held;
        expect(outcome.status).toBe(200);
        expect(outcome.json).toMatchObject({
          event_id: copy.id,
          status: "answered",
          response: { a: 42 },
          responses: [
            { response_id: verdict.json["response_id"], event_id: copy.id, response: { a: 42 }, status: "ok" },
          ],
          missing: [],
          elapsed_ms: expect.any(Number),
        });
        const shown = await get(`/events/${copy.id}`);
        expect(shown.json).toMatchObject({ request: { status: "answered" }, responses: [{ verdict: "accepted" }] });
        expect(shown.text).not.toContain(copy.reply_to.token);
      });

      it("tells a time-out, and keeps the answer that comes too late", async () => {
        const { held, copy } = await ask({ timeout: 1 });
        expect((await held).json).toMatchObject({ status: "timed_out", response: null, responses: [] });
        const late = await answer(copy, { too: "late" });
        expect([late.status, late.json["verdict"]]).toEqual([202, "late"]);
        expect((await get(`/events/${copy.id}`)).json).toMatchObject({
          request: { status: "timed_out" },
          responses: [{ response: { too: "late" }, verdict: "late" }],
        });
      });

      it("gives each of many waits its own answer", async () => {
        const asked = await Promise.all(Array.from({ length: crowd.waits }, () => ask()));
        await Promise.all(asked.map(({ copy }) => answer(copy, { to: copy.id })));
        for (const { held, copy } of asked)
          expect((await held).json).toMatchObject({ event_id: copy.id, response: { to: copy.id } });
      });

      it("has one winner in a race of answers; the others are told, and kept", async () => {
        const { held, copy } = await ask();
        const verdicts = await Promise.all(Array.from({ length: crowd.racers }, (_, racer) => answer(copy, { racer })));
        const told = verdicts.map(({ json }) => json["verdict"]);
        expect(told.filter((verdict) => verdict === "accepted")).toHaveLength(1);
        expect(told.filter((verdict) => verdict === "superseded")).toHaveLength(crowd.racers - 1);
        expect((await held).json["response"]).toEqual({ racer: told.indexOf("accepted") });
        expect((await get(`/events/${copy.id}`)).json["responses"]).toHaveLength(crowd.racers);
      });

      it("recognises an answer that is sent again, and refuses another under its id", async () => {
        const { held, copy } = await ask();
        expect((await answer(copy, { a: 1 }, { response_id: "r-1" })).json).toMatchObject({
          verdict: "accepted",
          response_id: "r-1",
        });
        const again = await answer(copy, { a: 1 }, { response_id: "r-1" });
        expect([again.status, again.json["verdict"]]).toEqual([200, "replayed"]);
        const other = await answer(copy, { a: 2 }, { response_id: "r-1" });
        expect([other.status, other.json["code"]]).toEqual([409, "response_conflict"]);
        expect((await held).json["response"]).toEqual({ a: 1 });
      });

      it("refuses an answer without the event's token", async () => {
        const { held, copy } = await ask();
        const forged = await post(copy.reply_to.url, { response: {}, reply_token: "forged" });
        expect([forged.status, forged.json["code"]]).toEqual([403, "forbidden"]);
        expect((await post(copy.reply_to.url, { response: {} })).json["errors"]).toMatchObject([
          { pointer: "/reply_token" },
        ]);
        await answer(copy, {});
        expect((await held).json["status"]).toBe("answered");
      });

      it("ends as failed when the answer is a rejection", async () => {
        const { held, copy } = await ask();
        await answer(copy, { error: "cannot" }, { status: "rejected" });
        expect((await held).json).toMatchObject({
          status: "failed",
          response: { error: "cannot" },
          responses: [{ status: "rejected" }],
        });
      });

      it("waits for as many answers as it was told to", async () => {
        const { held, copy } = await ask({ expect: { mode: "count", count: 2 } });
        expect((await answer(copy, { n: 1 }, {}, "one")).json["verdict"]).toBe("accepted");
        expect((await answer(copy, { n: 2 }, {}, "two")).json["verdict"]).toBe("accepted");
        expect((await answer(copy, { n: 3 }, {}, "three")).json["verdict"]).toBe("superseded");
        expect((await held).json).toMatchObject({
          status: "answered",
          responses: [{ responder: "one" }, { responder: "two" }],
        });
      });

      it("can be joined again, waits on there, and is joined by its key", async () => {
        const key = { "idempotency-key": randomUUID() };
        const { held, copy } = await ask({}, key);
        const now = await get(`/requests/${copy.id}`);
        expect([now.status, now.json["status"], now.json["resume"], now.headers.get("location")]).toEqual([
          202,
          "pending",
          `/requests/${copy.id}`,
          `/requests/${copy.id}`,
        ]);
        const joined = get(`/requests/${copy.id}?wait=20`);
        const byKey = post(
          "/requests",
          {
            type: copy.type,
            data: copy.data,
            correlation_id: copy.correlation_id,
            timeout: 30,
            require_subscribers: false,
          },
          key,
        );
        await answer(copy, { a: 1 });
        for (const reply of [await held, await joined, await byKey, await get(`/requests/${copy.id}`)])
          expect(reply.json).toMatchObject({ event_id: copy.id, status: "answered", response: { a: 1 } });
      });

      it("can be cancelled; an answer after that is kept", async () => {
        const { held, copy } = await ask();
        const cancelled = await call(bus.url, "DELETE", `/requests/${copy.id}`);
        expect([cancelled.status, cancelled.json["status"]]).toEqual([200, "cancelled"]);
        expect((await held).json["status"]).toBe("cancelled");
        const after = await answer(copy, { too: "late" });
        expect([after.status, after.json["verdict"]]).toEqual([202, "cancelled"]);
      });

      it("keeps the answers to an event that nobody waits for", async () => {
        const conversation = randomUUID();
        await post("/events", { type: "SESSION_UPDATED", data: {}, correlation_id: conversation });
        const copy = await bus.copyOf("SESSION_UPDATED", conversation);
        expect((await answer(copy, { seen: true }, {}, "reader")).json["verdict"]).toBe("accepted");
        expect((await get(`/events/${copy.id}`)).json).toMatchObject({
          responses: [{ responder: "reader", response: { seen: true } }],
        });
      });

      it("streams: accepted, progress, the answer, and the end", async () => {
        const { held, copy } = await ask({}, { accept: "text/event-stream" });
        await answer(copy, { percent: 50 }, { status: "progress" });
        await expect.poll(async () => (await get(`/events/${copy.id}`)).json["responses"]).toHaveLength(1);
        await answer(copy, { a: 1 });
        const stream = await held;
        expect(stream.headers.get("content-type")).toContain("text/event-stream");
        expect(stream.events.map(({ event }) => event)).toEqual(["accepted", "progress", "response", "done"]);
        expect(stream.events.at(-1)?.data).toMatchObject({ status: "answered", response: { a: 1 } });
      });
    });

    describe("deployed subscribers", () => {
      it("answer through both kinds of delivery, directly and through a queue", async () => {
        const outcome = await post("/requests", {
          type: "PING",
          data: { note: "hello" },
          timeout: 30,
          expect: { mode: "all" },
        });
        expect(outcome.json).toMatchObject({ status: "answered", missing: [] });
        const responses = outcome.json["responses"] as { responder: string; response: Json }[];
        expect(responses.map(({ responder }) => responder).sort()).toEqual(["pong-direct", "pong-queue"]);
        for (const { response } of responses) expect(response).toMatchObject({ note: "hello" });
      });

      it("answer a first-come request once; the other's answer is superseded", async () => {
        const outcome = await post("/requests", { type: "PING", data: {}, timeout: 30 });
        expect(outcome.json["status"]).toBe("answered");
        const responses = async () =>
          (await get(`/events/${outcome.json["event_id"]}`)).json["responses"] as { verdict: string }[];
        await expect
          .poll(async () => (await responses()).map(({ verdict }) => verdict).sort(), { timeout: 20_000 })
          .toEqual(["accepted", "superseded"]);
      });
    });

    describe("looking back", () => {
      it("pages through a conversation in both orders; filters combine", async () => {
        const conversation = randomUUID();
        const agent_type = `agent-${conversation}`;
        const events = Array.from({ length: 12 }, (_, i) => ({
          type: i % 3 === 0 ? "SESSION_CREATED" : "MESSAGE_PROCESSED",
          data: { i },
          correlation_id: conversation,
          ...(i % 2 === 0 ? { agent_type } : {}),
        }));
        const ids: string[] = [];
        for (const event of events) ids.push((await post("/events", event)).json["event_id"] as string);
        const listAll = async (query: string): Promise<string[]> => {
          const listed: string[] = [];
          for (let cursor: string | null = null; ; ) {
            const page: Reply = await get(
              `/events?${query}&limit=5${cursor === null ? "" : `&cursor=${encodeURIComponent(cursor)}`}`,
            );
            expect(page.status).toBe(200);
            listed.push(...(page.json["events"] as { id: string }[]).map(({ id }) => id));
            cursor = page.json["next_cursor"] as string | null;
            if (cursor === null) return listed;
          }
        };
        const newestFirst = [...ids].reverse();
        await expect.poll(() => listAll(`correlation_id=${conversation}`)).toEqual(newestFirst);
        expect(await listAll(`correlation_id=${conversation}&order=asc`)).toEqual(ids);
        await expect
          .poll(() => listAll(`agent_type=${agent_type}&type=SESSION_CREATED`))
          .toEqual(newestFirst.filter((id) => ids.indexOf(id) % 6 === 0));
        const third = (await get(`/events/${ids[3]}`)).json["event"] as { timestamp: string };
        const from = await listAll(`correlation_id=${conversation}&from=${third.timestamp}&order=asc`);
        expect(from).toEqual(ids.slice(ids.indexOf(from[0] ?? "")));
        expect(from).toContain(ids[3]);
      });

      it("refuses a cursor with another query", async () => {
        const conversation = randomUUID();
        for (let i = 0; i < 2; i++)
          await post("/events", { type: "MESSAGE_PROCESSED", data: {}, correlation_id: conversation });
        const cursorOf = async () => (await get(`/events?correlation_id=${conversation}&limit=1`)).json["next_cursor"];
        await expect.poll(cursorOf).toEqual(expect.any(String));
        const reply = await get(
          `/events?type=MESSAGE_PROCESSED&limit=1&cursor=${encodeURIComponent(String(await cursorOf()))}`,
        );
        expect([reply.status, reply.json["code"]]).toEqual([422, "invalid_request"]);
      });

      it("lists the event types: the 13 built in, in their groups, and the deployment's own", async () => {
        const { json } = await get("/event-types");
        const types = json["event_types"] as { name: string; group: string; has_schema: boolean }[];
        expect(types.map(({ name }) => name)).toEqual([...Object.keys(BUILT_IN_EVENT_TYPES), "PING"]);
        expect(types.filter(({ group }) => ["system", "process", "state"].includes(group))).toHaveLength(13);
        expect(types.at(-1)).toMatchObject({ name: "PING", has_schema: true });
      });

      it("says that it is well", async () => {
        expect((await get("/health")).json).toEqual({ status: "ok" });
      });
    });

    describe("the live stream", () => {
      beforeEach(({ skip }) => {
        skip(!bus.streamsLive, "this platform hands over a response only at its end");
      });

      /** Opens a stream; resolves when it is open. */
      const openStream = async (query: string, headers: Record<string, string> = {}) => {
        const controller = new AbortController();
        const reply = await call(bus.url, "GET", `/events/stream?${query}`, {
          headers,
          signal: controller.signal,
          live: true,
        });
        const events = reply.live();
        const opened = await events.next();
        return { events, cursor: opened.value?.id, close: () => controller.abort() };
      };

      it("shows events as they come, and goes on from where it was without a gap or a duplicate", async () => {
        const conversation = randomUUID();
        const say = async (i: number) =>
          (await post("/events", { type: "MESSAGE_PROCESSED", data: { i }, correlation_id: conversation })).json[
            "event_id"
          ];
        const stream = await openStream(`correlation_id=${conversation}`);
        const ids = [await say(0), await say(1), await say(2)];
        const first = (await stream.events.next()).value;
        expect(first?.data).toMatchObject({
          id: ids[0],
          reply_to: { url: `/events/${ids[0]}/responses`, token: expect.any(String) },
        });
        stream.close();
        ids.push(await say(3));
        for (const resumed of [
          await openStream(`correlation_id=${conversation}`, { "last-event-id": first?.id ?? "" }),
          await openStream(`correlation_id=${conversation}&after=${encodeURIComponent(first?.id ?? "")}`),
        ]) {
          const rest = [];
          for (let i = 0; i < 3; i++) rest.push((await resumed.events.next()).value?.data?.["id"]);
          expect(rest).toEqual(ids.slice(1));
          resumed.close();
        }
      });

      it("counts as a subscriber while it is open under a name, and its copies carry that name", async () => {
        const conversation = randomUUID();
        const question = { type: "UPGRADE_REQUESTED", data: {}, correlation_id: conversation, timeout: 10 };
        expect((await post("/requests", question)).status).toBe(424);
        const stream = await openStream("type=UPGRADE_REQUESTED&as=carol");
        const held = post("/requests", { ...question, expect: { mode: "all" } });
        const copy = (await stream.events.next()).value?.data as unknown as DeliveredEvent;
        expect(copy.reply_to.url).toBe(`/events/${copy.id}/responses?as=carol`);
        await post(copy.reply_to.url, { response: { ok: true }, reply_token: copy.reply_to.token });
        expect((await held).json).toMatchObject({ status: "answered", responses: [{ responder: "carol" }] });
        stream.close();
        await expect.poll(async () => (await post("/requests", question)).status).toBe(424);
      });

      it("refuses a cursor of another stream, and a type that does not exist", async () => {
        const { cursor, close } = await openStream("type=PING");
        close();
        const other = await get("/events/stream", { "last-event-id": cursor ?? "" });
        expect([other.status, other.json["code"]]).toEqual([422, "invalid_request"]);
        expect((await get("/events/stream?type=NOPE")).json["code"]).toBe("unknown_event_type");
      });
    });
  });
}
