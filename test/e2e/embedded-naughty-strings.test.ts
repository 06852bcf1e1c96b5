/** The Big List of Naughty Strings wherever a text may stand (goals S8, N26): it comes back as it was, or is refused by name. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { inLanes } from "../../shared/lanes.ts";
import { MAX_BATCH, MAX_NAME_CHARS, MAX_REASON_CHARS, MAX_SUBSCRIPTION_NAME_CHARS } from "../../shared/limits.ts";
import { call, type Json } from "../support/call.ts";
import { cleanUp, eventually, startDev } from "../support/embedded.ts";
import { canBeHeader, HOSTILE_TEXTS, inHeader } from "../support/hostile-texts.ts";
import { type RawReply, rawCall } from "../support/raw-call.ts";
import { type ReceivedCall, type ScriptedReceiver, startScriptedReceiver } from "../support/scripted-receiver.ts";

const LANES = 16;
/** Thousands of calls, on a machine that may have others to make. */
const LONG = { timeout: 240_000 };
const TYPE = "SESSION_CREATED";
const OTHER_TYPE = "SESSION_UPDATED";
/** Several, since every subscription to a type is looked at for every event of it. */
const FILTERED_TYPES = [
  "CONVERSATION_CREATED",
  "CONVERSATION_UPDATED",
  "TRANSCRIPTION_COMPLETED",
  "FOLDER_STRUCTURE_DETERMINED",
  "UPGRADE_COMPLETED",
] as const;
const filteredType = (i: number): string => FILTERED_TYPES[i % FILTERED_TYPES.length] as string;

let base = "";
let receiver: ScriptedReceiver;

beforeAll(async () => {
  base = (await startDev({ args: ["--allow-loopback-webhooks"] })).url;
  receiver = await startScriptedReceiver();
});
afterAll(async () => {
  await receiver.close();
  await cleanUp();
});

const get = (path: string, headers: Record<string, string> = {}): Promise<RawReply> =>
  rawCall(base, "GET", path, { headers });
const post = (path: string, body: object, headers: Record<string, string> = {}): Promise<RawReply> =>
  rawCall(base, "POST", path, { body, headers });
const enc = encodeURIComponent;
const pointersOf = ({ json }: RawReply): unknown[] => ((json["errors"] ?? []) as Json[]).map(({ pointer }) => pointer);
const isName = (text: string): boolean => text.length >= 1 && text.length <= MAX_NAME_CHARS;

/** 422, and the fault is at this field. */
function expectRefused(text: string, reply: RawReply, ...pointers: string[]): void {
  expect([text, reply.status, pointersOf(reply)]).toEqual([text, 422, pointers]);
}

const each = (run: (text: string, i: number) => Promise<void>): Promise<void> =>
  inLanes(LANES, HOSTILE_TEXTS.entries(), ([i, text]) => run(text, i));

async function subscribe(name: string, more: object): Promise<string> {
  const { status, json } = await post("/subscriptions", { name, event_types: [TYPE], ...more });
  expect([name, status]).toEqual([name, 201]);
  return json["subscription_id"] as string;
}

/** @returns their ids, in order */
async function publishAll(events: readonly object[]): Promise<string[]> {
  const ids: string[] = [];
  for (let first = 0; first < events.length; first += MAX_BATCH) {
    const { status, json } = await post("/events", { events: events.slice(first, first + MAX_BATCH) });
    expect([status, json["rejected"]]).toEqual([202, 0]);
    ids.push(...(json["events"] as { event_id: string }[]).map(({ event_id }) => event_id));
  }
  return ids;
}

async function drain(subscriptionId: string): Promise<Json[]> {
  const path = `/subscriptions/${subscriptionId}`;
  const { json } = await get(`${path}/messages?wait=1&visibility=600`);
  const messages = json["messages"] as { event: Json; receipt: string }[];
  if (messages.length > 0) await post(`${path}/ack`, { receipts: messages.map(({ receipt }) => receipt) });
  return messages.map(({ event }) => event);
}

describe("in events", () => {
  it(
    "data, agent type and conversation come the same by queue, webhook, CloudEvents, stream and history",
    LONG,
    async () => {
      const queue = await subscribe("all-by-queue", { target: { kind: "queue" } });
      for (const format of ["event", "cloudevents", "cloudevents-binary"])
        await subscribe(format, {
          target: { kind: "webhook", url: `http://127.0.0.1:${receiver.port}/${format}`, format },
        });
      const hangUp = new AbortController();
      const stream = await call(base, "GET", `/events/stream?type=${TYPE}`, { live: true, signal: hangUp.signal });
      const streamed = new Map<string, Json>();
      const reading = (async () => {
        for await (const { data } of stream.live()) if (data !== undefined) streamed.set(data["id"] as string, data);
      })().catch(() => undefined);

      const dataOf = (text: string): Json => ({ v: text, list: [text, { [text]: text }], [text]: text });
      const ids = await publishAll(HOSTILE_TEXTS.map((text) => ({ type: TYPE, data: dataOf(text), ...named(text) })));
      const sent = new Map(ids.map((id, i) => [id, HOSTILE_TEXTS[i] as string]));

      const queued = new Map<string, Json>();
      while (queued.size < sent.size) for (const event of await drain(queue)) queued.set(event["id"] as string, event);
      await eventually(() => {
        for (const format of ["event", "cloudevents", "cloudevents-binary"])
          expect([
            format,
            new Set(receiver.calls(`/${format}`).map(({ headers }) => headers["webhook-id"])).size,
          ]).toEqual([format, sent.size]);
        expect(streamed.size).toBe(sent.size);
      });
      hangUp.abort();
      await reading;
      const posted = new Map(receiver.calls("/event").map(({ json }) => [json["id"] as string, json]));
      const structured = new Map(receiver.calls("/cloudevents").map(({ json }) => [json["id"] as string, json]));
      const binary = new Map(receiver.calls("/cloudevents-binary").map((one) => [one.headers["ce-id"] as string, one]));

      await inLanes(LANES, sent, async ([id, text]) => {
        const data = dataOf(text);
        const shown = (await get(`/events/${id}`)).json["event"] as Json;
        for (const event of [shown, queued.get(id), posted.get(id), streamed.get(id)])
          expect([text, event]).toEqual([text, expect.objectContaining({ data, ...conversationOf(text, id) })]);
        const asCloudEvent = (await get(`/events/${id}`, { accept: "application/cloudevents+json" })).json;
        for (const event of [asCloudEvent, structured.get(id)])
          expect([text, event]).toEqual([text, expect.objectContaining({ data, ...attributesOf(text) })]);
        const { headers, json } = binary.get(id) as ReceivedCall;
        expect([text, json, decoded(headers)]).toEqual([text, data, expect.objectContaining(attributesOf(text))]);
      });
    },
  );

  it("as the name of an agent or of a conversation it finds its events, and those only", async () => {
    await each(async (text) => {
      const found = await get(`/events?type=${TYPE}&correlation_id=${enc(text)}`);
      const byAgent = await get(`/events?agent_type=${enc(text)}`);
      if (!isName(text)) {
        expectRefused(text, found, "/correlation_id");
        expectRefused(text, byAgent, "/agent_type");
        const both = { type: TYPE, data: {}, agent_type: text, correlation_id: text, causation_id: text };
        return expectRefused(text, await post("/events", both), "/agent_type", "/correlation_id", "/causation_id");
      }
      for (const { json } of [found, byAgent])
        expect([text, (json["events"] as Json[]).map((event) => event["correlation_id"])]).toEqual([text, [text]]);
    });
  });

  it("as a cause it is taken, and as an idempotency key it stands for one event", async () => {
    await each(async (text) => {
      if (!isName(text)) return;
      const caused = await post("/events", { type: OTHER_TYPE, data: {}, causation_id: text });
      expect([text, caused.status]).toEqual([text, 202]);
      if (!canBeHeader(text) || text.trim() !== text) return;
      const send = (data: object) => post("/events", { type: OTHER_TYPE, data }, { "idempotency-key": inHeader(text) });
      const [first, again, other] = [await send({ n: 1 }), await send({ n: 1 }), await send({ n: 2 })];
      if (inHeader(text).length > 255) return expectRefused(text, first, "Idempotency-Key");
      expect([text, again.json["event_id"]]).toEqual([text, first.json["event_id"]]);
      expect([text, other.status, other.json["event_id"]]).toEqual([text, 409, first.json["event_id"]]);
    });
  });
});

describe("in subscriptions and answers", () => {
  it("as a name and in a filter it comes back as it was, and fits its own event", LONG, async () => {
    const queues = new Map<number, string>();
    await each(async (text, i) => {
      const filter = { data: { n: [i], v: [text], w: [{ prefix: text }, { suffix: text }] } };
      const wanted = { event_types: [filteredType(i)], target: { kind: "queue" }, filter };
      const reply = await post("/subscriptions", { name: text, ...wanted });
      if (text === "" || text.length > MAX_SUBSCRIPTION_NAME_CHARS) return expectRefused(text, reply, "/name");
      expect([text, reply.status, reply.json]).toEqual([text, 201, expect.objectContaining({ name: text, filter })]);
      queues.set(i, `/subscriptions/${reply.json["subscription_id"]}`);
    });
    const events = HOSTILE_TEXTS.map((text, i) => ({ type: filteredType(i), data: { n: i, v: text, w: text } }));
    const ids = await publishAll(events);
    await inLanes(LANES, queues, async ([i, path]) => {
      const shown = (await get(path)).json;
      expect(shown["name"]).toBe(HOSTILE_TEXTS[i]);
      const { json } = await get(`${path}/messages?wait=20`);
      expect([path, (json["messages"] as { event: Json }[]).map(({ event }) => event["id"])]).toEqual([path, [ids[i]]]);
    });
  });

  it("as who answers, what is answered, a response id and a reason it is kept, or refused by name", LONG, async () => {
    const queue = await subscribe("reasons", {
      event_types: ["MESSAGE_PROCESSED"],
      target: { kind: "queue", max_attempts: 1 },
    });
    const taken = new Map<string, string>();
    await publishAll(HOSTILE_TEXTS.map(() => ({ type: "MESSAGE_PROCESSED", data: {} })));
    await inLanes(LANES, HOSTILE_TEXTS, async (text) => {
      const { json } = await get(`/subscriptions/${queue}/messages?wait=10&max=1&visibility=600`);
      const [message] = json["messages"] as [{ event: Delivered; receipt: string }];
      const { id, reply_to: reply } = message.event;
      const [path = ""] = reply.url.split("?");
      const answer = { response: { v: text, [text]: text }, reply_token: reply.token };
      const answered = await post(`${path}?as=${enc(text)}`, { ...answer, response_id: text });
      if (!isName(text)) expectRefused(text, answered, "/as");
      else {
        expect([text, answered.status]).toEqual([text, 200]);
        const [shown] = (await get(`/events/${id}`)).json["responses"] as Json[];
        const { response } = answer;
        expect([text, shown]).toEqual([
          text,
          expect.objectContaining({ responder: text, response_id: text, response }),
        ]);
      }
      const nack = { receipts: [message.receipt], delay: 0, reason: text };
      const given = await post(`/subscriptions/${queue}/nack`, nack);
      if (text.length > MAX_REASON_CHARS) expectRefused(text, given, "/reason");
      else {
        expect([text, given.status]).toEqual([text, 200]);
        taken.set(id, text);
      }
    });
    await inLanes(LANES, taken, async ([id, text]) => {
      const { deliveries } = (await get(`/events/${id}`)).json as { deliveries: Json[] };
      expect([text, JSON.stringify(deliveries).includes(JSON.stringify(text).slice(1, -1))]).toEqual([text, true]);
    });
  });
});

describe("in paths, queries and headers", () => {
  it("as an id it names nothing", async () => {
    await each(async (text, i) => {
      if (text === "") return;
      const paths = [
        ["GET", `/events/${enc(text)}`],
        ["GET", `/events/${enc(text)}/explain`],
        ["GET", `/requests/${enc(text)}?wait=1`],
        ["DELETE", `/requests/${enc(text)}`],
        ["GET", `/subscriptions/${enc(text)}/messages`],
        ["DELETE", `/subscriptions/${enc(text)}`],
        ["GET", `/${enc(text)}`],
      ] as const;
      // All of them: test/unit/hostile-texts.test.ts.
      const [method, path] = paths[i % paths.length] as (typeof paths)[number];
      const { status, json } = await rawCall(base, method, path);
      expect([text, method, path, status, json["code"]]).toEqual([text, method, path, 404, "not_found"]);
    });
  });

  it("in headers that the bus reads it is dropped or refused by name, and never fails", async () => {
    await each(async (text, i) => {
      if (!canBeHeader(text)) return;
      const value = inHeader(text);
      const plain = HEADERS[i % HEADERS.length] as string;
      const { status } = await post("/events", { type: OTHER_TYPE, data: {} }, { [plain]: value });
      expect([text, plain, status]).toEqual([text, plain, 202]);
      expect((await get("/events?limit=1", { accept: value })).status).toBe(200);
      expectRefused(text, await get("/events/stream", { "last-event-id": value }), "Last-Event-ID");
      const attributes = { "ce-specversion": "1.0", "ce-type": OTHER_TYPE, "ce-source": "here", "ce-id": "1" };
      const names = [...Object.keys(attributes), "ce-correlationid", "ce-x"];
      const name = names[i % names.length] as string;
      const reply = await post("/events", {}, { ...attributes, [name]: value });
      expect([text, name, reply.status]).toEqual([text, name, expect.toBeOneOf([202, 409, 422])]);
      if (reply.status === 422) expect([text, name, pointersOf(reply)]).toEqual([text, name, [name]]);
    });
  });
});

const HEADERS = ["traceparent", "accept", "content-type", "content-encoding", "authorization", "user-agent", "cookie"];

interface Delivered {
  readonly id: string;
  readonly reply_to: { readonly url: string; readonly token: string };
}

const named = (text: string): Json => (isName(text) ? { agent_type: text, correlation_id: text } : {});
const conversationOf = (text: string, id: string): Json => (isName(text) ? named(text) : { correlation_id: id });

/** What CloudEvents allow in an attribute (spec, "Type System"). */
const isAttribute = (text: string): boolean => isName(text) && !/[\p{Cc}\p{Noncharacter_Code_Point}]/u.test(text);
const attributesOf = (text: string): Json => (isAttribute(text) ? { agenttype: text, correlationid: text } : {});

function decoded(headers: Readonly<Record<string, string>>): Json {
  const given = Object.entries(headers).filter(([name]) => name.startsWith("ce-"));
  return Object.fromEntries(given.map(([name, value]) => [name.slice("ce-".length), decodeURIComponent(value)]));
}
