/** What a user of CloudEvents gets, over plain HTTP with the official library, wherever the bus runs. */
import { randomUUID } from "node:crypto";
import { CloudEvent, type CloudEventV1, HTTP, type Message } from "cloudevents";
import { describe, expect, it } from "vitest";
import { call, type Json, type Reply } from "../support/call.ts";

const STRUCTURED = "application/cloudevents+json";
const BATCHED = "application/cloudevents-batch+json";
const SOURCE = "https://example.com/mailbox";

/** @param url the base URL of a bus, asked for when the first scenario runs */
export function cloudEventScenarios(url: () => string): void {
  const send = ({ headers, body }: Message, more: Record<string, string> = {}): Promise<Reply> =>
    call(url(), "POST", "/events", {
      body: String(body),
      headers: { ...(headers as Record<string, string>), ...more },
    });
  const sendBatch = (events: readonly object[]): Promise<Reply> =>
    call(url(), "POST", "/events", { body: events, headers: { "content-type": BATCHED } });
  const sendStructured = (event: object): Promise<Reply> =>
    call(url(), "POST", "/events", { body: event, headers: { "content-type": STRUCTURED } });
  const get = (path: string, accept?: string): Promise<Reply> =>
    call(url(), "GET", path, { headers: accept === undefined ? {} : { accept } });
  const eventOf = async ({ json }: Reply): Promise<Json> =>
    (await get(`/events/${json["event_id"]}`)).json["event"] as Json;
  const read = ({ headers, text }: Reply): CloudEvent | CloudEventV1<unknown>[] =>
    HTTP.toEvent({ headers: { "content-type": headers.get("content-type") ?? "" }, body: text }) as
      | CloudEvent
      | CloudEventV1<unknown>[];
  const pointersOf = ({ json }: Reply): unknown[] => (json["errors"] as Json[]).map((error) => error["pointer"]);

  const message = (more: Partial<CloudEventV1<unknown>> = {}): CloudEvent<unknown> =>
    new CloudEvent<unknown>({
      id: randomUUID(),
      source: SOURCE,
      type: "MESSAGE_RECEIVED",
      data: { text: "hi é𝄞", n: [1, 2.5, null] },
      ...more,
    });
  /** As a plain object, which may be spoilt. */
  const plain = (more: object = {}): object => ({ ...(JSON.parse(message().toString()) as object), ...more });
  const inBytes = (event: CloudEvent<unknown>): CloudEvent<unknown> =>
    event.cloneWith({
      data: new TextEncoder().encode(JSON.stringify(event.data)),
      datacontenttype: "application/json",
    });

  describe("a CloudEvent", () => {
    it.each([
      ["in structured mode", (event: CloudEvent<unknown>) => HTTP.structured(event)],
      ["in binary mode", (event: CloudEvent<unknown>) => HTTP.binary(event)],
      ["in structured mode with its data as bytes", (event: CloudEvent<unknown>) => HTTP.structured(inBytes(event))],
    ])("%s is published, with all that the bus knows of it", async (_mode, written) => {
      const conversation = randomUUID();
      const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
      const event = message({ agenttype: "mailbox", correlationid: conversation, traceparent, subject: "inbox" });
      const receipt = await send(written(event), {
        traceparent: "00-11111111111111111111111111111111-2222222222222222-00",
      });
      expect(receipt.status).toBe(202);
      expect(receipt.json).toMatchObject({ type: "MESSAGE_RECEIVED", correlation_id: conversation, published: true });
      const recorded = await eventOf(receipt);
      expect(recorded).toMatchObject({
        type: "MESSAGE_RECEIVED",
        data: event.data,
        agent_type: "mailbox",
        correlation_id: conversation,
        traceparent,
        hops: 0,
      });
      // It says where it came from, not who sent it.
      expect(recorded["source"]).not.toBe(SOURCE);
    });

    it("is one event, in whichever mode and however often it is sent", async () => {
      const event = message();
      const receipts = [
        await send(HTTP.structured(event)),
        await send(HTTP.binary(event)),
        await send(HTTP.structured(inBytes(event))),
        await sendBatch([event]),
      ].map(({ json }) => (json["events"] as Json[] | undefined)?.[0] ?? json);
      expect(new Set(receipts.map((receipt) => receipt["event_id"])).size).toBe(1);
      expect(receipts.map((receipt) => receipt["replayed"])).toEqual([false, true, true, true]);
    });

    it("with the id and source of another is refused", async () => {
      const event = message();
      await send(HTTP.structured(event));
      const other = event.cloneWith({ data: { text: "other" } });
      const structured = await send(HTTP.structured(other));
      expect([structured.status, structured.json["code"]]).toEqual([409, "idempotency_conflict"]);
      expect(pointersOf(structured)).toEqual(["/id"]);
      expect(pointersOf(await send(HTTP.binary(other)))).toEqual(["ce-id"]);
    });

    it("belongs to the conversation of the event that caused it", async () => {
      const cause = await send(HTTP.structured(message()));
      const effect = await send(HTTP.binary(message({ causationid: cause.json["event_id"] as string })));
      expect(await eventOf(effect)).toMatchObject({
        causation_id: cause.json["event_id"],
        correlation_id: cause.json["event_id"],
        hops: 1,
      });
    });

    it("may have names in any language in its headers", async () => {
      const { headers, body } = HTTP.binary(message());
      const receipt = await send({ headers: { ...headers, "ce-agenttype": "B%C3%BCro%20%F0%9F%98%80" }, body });
      expect(await eventOf(receipt)).toMatchObject({ agent_type: "Büro 😀" });
    });
  });

  describe("a batch of CloudEvents", () => {
    it("has each acknowledged or refused by itself, and can be sent again in another order", async () => {
      const [one, other] = [message(), message()];
      const first = await sendBatch([
        one,
        plain({ type: "NOPE" }),
        plain({ specversion: "0.3" }),
        plain({ data: 1 }),
        other,
      ]);
      expect(first.status).toBe(202);
      expect(first.json).toMatchObject({ accepted: 2, rejected: 3 });
      const events = first.json["events"] as (Json & { error?: { code: string; errors: { pointer: string }[] } })[];
      expect(events.map(({ error }) => error?.code)).toEqual([
        undefined,
        "unknown_event_type",
        "invalid_request",
        "invalid_request",
        undefined,
      ]);
      expect(events.flatMap(({ error }) => error?.errors.map(({ pointer }) => pointer) ?? [])).toEqual([
        "/1/type",
        "/2/specversion",
        "/3/data",
      ]);
      const again = await sendBatch([other, one]);
      expect(again.json["events"]).toMatchObject([
        { event_id: events[4]?.["event_id"], replayed: true },
        { event_id: events[0]?.["event_id"], replayed: true },
      ]);
    });

    it("may be empty", async () => {
      const { status, json } = await sendBatch([]);
      expect([status, json]).toEqual([202, { events: [], accepted: 0, rejected: 0 }]);
    });
  });

  describe("a CloudEvent that cannot be taken", () => {
    const rows: [string, () => Promise<Reply>, number, string, string][] = [
      ["without an id", () => sendStructured(plain({ id: null })), 422, "invalid_request", "/id"],
      ["of an unknown type", () => sendStructured(plain({ type: "NOPE" })), 422, "unknown_event_type", "/type"],
      [
        "of an unknown type, in binary mode",
        () => send(HTTP.binary(message({ type: "NOPE" }))),
        422,
        "unknown_event_type",
        "ce-type",
      ],
      ["with data that is no object", () => sendStructured(plain({ data: "text" })), 422, "invalid_request", "/data"],
      [
        "with data that is no object, in binary mode",
        () => send(HTTP.binary(message({ data: [1] }))),
        422,
        "invalid_request",
        "",
      ],
      [
        "with data that is not JSON",
        () => send(HTTP.binary(message({ data: "hello", datacontenttype: "text/plain" }))),
        422,
        "invalid_request",
        "Content-Type",
      ],
      [
        "with data that does not fit",
        () => sendStructured(plain({ type: "PING", data: { note: 7 } })),
        422,
        "schema_violation",
        "/data/note",
      ],
      [
        "with data that does not fit, in binary mode",
        () => send(HTTP.binary(message({ type: "PING", data: { note: 7 } }))),
        422,
        "schema_violation",
        "/note",
      ],
      [
        "with a key given twice",
        () => send({ headers: { "content-type": STRUCTURED }, body: '{"id":"1","id":"2"}' }),
        400,
        "invalid_json",
        "/id",
      ],
      [
        "with an idempotency key beside its own",
        () => send(HTTP.structured(message()), { "idempotency-key": "k" }),
        422,
        "invalid_request",
        "Idempotency-Key",
      ],
      [
        "in another format",
        () => send({ headers: { "content-type": "application/cloudevents+avro" }, body: "x" }),
        422,
        "invalid_request",
        "Content-Type",
      ],
      [
        "as a batch that is no list",
        () => call(url(), "POST", "/events", { body: plain(), headers: { "content-type": BATCHED } }),
        422,
        "invalid_request",
        "",
      ],
    ];
    it.each(rows)(
      "%s is told as a problem document that names the place",
      async (_title, provoke, status, code, pointer) => {
        const reply = await provoke();
        expect([reply.status, reply.json["code"], pointersOf(reply)]).toEqual([status, code, [pointer]]);
        expect(reply.headers.get("content-type")).toContain("application/problem+json");
      },
    );
  });

  describe("whoever asks for CloudEvents", () => {
    it("gets one event as one, which the official library finds valid", async () => {
      const receipt = await send(HTTP.structured(message({ agenttype: "mailbox" })));
      const path = `/events/${receipt.json["event_id"]}`;
      const shown = await get(path, `${STRUCTURED}, application/json;q=0.5`);
      expect([shown.status, shown.headers.get("content-type")]).toEqual([200, `${STRUCTURED}; charset=utf-8`]);
      const event = read(shown) as CloudEvent;
      expect(event.validate()).toBe(true);
      expect(event).toMatchObject({
        id: receipt.json["event_id"],
        type: "MESSAGE_RECEIVED",
        time: receipt.json["timestamp"],
        correlationid: receipt.json["correlation_id"],
        agenttype: "mailbox",
        hops: 0,
        data: { text: "hi é𝄞", n: [1, 2.5, null] },
      });
      expect((await get(path)).json).toHaveProperty("event");
      expect((await get(path, "*/*")).json).toHaveProperty("event");
    });

    it("gets history in batches, each with a link to the next until there is none", async () => {
      const conversation = randomUUID();
      const sent = await sendBatch([1, 2, 3].map((n) => message({ correlationid: conversation, data: { n } })));
      const ids = (sent.json["events"] as Json[]).map((receipt) => receipt["event_id"]);
      const query = `/events?correlation_id=${conversation}`;
      await expect.poll(async () => ((await get(query)).json["events"] as Json[]).length, { timeout: 30_000 }).toBe(3);

      const found: CloudEventV1<unknown>[] = [];
      for (let path: string | undefined = `${query}&limit=2`; path !== undefined; ) {
        const page = await get(path, `text/html, ${BATCHED}`);
        expect([page.status, page.headers.get("content-type")]).toEqual([200, `${BATCHED}; charset=utf-8`]);
        const events = read(page) as CloudEventV1<unknown>[];
        expect(events.length).toBeLessThanOrEqual(2);
        found.push(...events);
        path = /^<([^>]+)>; rel="next"$/.exec(page.headers.get("link") ?? "")?.[1];
      }
      expect(found.map(({ id }) => id).sort()).toEqual([...ids].sort());
      expect(found.map(({ data }) => (data as { n: number }).n).sort()).toEqual([1, 2, 3]);
      expect((await get(query)).headers.get("link")).toBeNull();
    });

    it("is told of faults as everybody is", async () => {
      const missing = await get(`/events/${randomUUID()}`, STRUCTURED);
      expect([missing.status, missing.json["code"]]).toEqual([404, "not_found"]);
      const wrong = await get("/events?limit=0", BATCHED);
      expect([wrong.status, wrong.json["code"]]).toEqual([422, "invalid_request"]);
    });
  });
}
