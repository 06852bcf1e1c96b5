/** CloudEvents both ways, with the official library on the other side. */
import { CloudEvent, type CloudEventV1, HTTP, type Message } from "cloudevents";
import { describe, expect, it } from "vitest";
import { contentModeOf } from "../../shared/cloud-events/content-mode.ts";
import { fromBinary, fromStructured, type IncomingEvent, readBatch } from "../../shared/cloud-events/incoming.ts";
import { toBinary, toCloudEvent } from "../../shared/cloud-events/outgoing.ts";
import { BusError } from "../../shared/errors.ts";
import type { BusEvent } from "../../shared/event.ts";
import type { JsonObject, JsonValue } from "../../shared/json.ts";
import { MAX_BATCH } from "../../shared/limits.ts";
import { parseJson } from "../../shared/parse-json.ts";
import { deliveredEvent } from "../support/delivered-event.ts";

const TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

const parse = (text: unknown): JsonValue => parseJson(new TextEncoder().encode(String(text)));

/** A message of the library as the bus gets it. */
function receive({ headers, body }: Message): IncomingEvent {
  const received = Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) => (value === undefined ? [] : [[name.toLowerCase(), `${value}`]])),
  );
  return contentModeOf(received) === "binary"
    ? fromBinary(received, () => parse(body))
    : fromStructured(parse(body) as JsonObject);
}

function failureOf(run: () => unknown): BusError {
  try {
    run();
  } catch (error) {
    if (error instanceof BusError) return error;
    throw error;
  }
  throw new Error("It did not fail.");
}

const pointersOf = (run: () => unknown): string[] => failureOf(run).errors.map(({ pointer }) => pointer);

describe("a CloudEvent of the official library", () => {
  const sent = new CloudEvent({
    id: "A-1",
    source: "https://example.com/mail?box=1#top",
    type: "MESSAGE_RECEIVED",
    time: "2026-01-31T12:00:00.5Z",
    subject: "inbox",
    dataschema: "https://example.com/schema",
    data: { text: "hi é𝄞", n: [1, null] },
    agenttype: "mailbox",
    correlationid: "talk-1",
    causationid: "cause-1",
    traceparent: TRACE,
    severity: 5,
    urgent: true,
  });

  it.each([
    ["structured", HTTP.structured(sent)],
    ["binary", HTTP.binary(sent)],
  ])("in %s mode becomes the bus's own form", (_mode, message) => {
    expect(receive(message)).toMatchObject({
      input: {
        type: "MESSAGE_RECEIVED",
        data: { text: "hi é𝄞", n: [1, null] },
        agent_type: "mailbox",
        correlation_id: "talk-1",
        causation_id: "cause-1",
      },
      traceparent: TRACE,
    });
  });

  it("needs no more than the required attributes and data", () => {
    const bare = new CloudEvent({ id: "1", source: "urn:a", type: "PING", data: {} });
    for (const message of [HTTP.structured(bare), HTTP.binary(bare)]) {
      const { input, traceparent } = receive(message);
      expect({ input, traceparent }).toEqual({ input: { type: "PING", data: {} }, traceparent: undefined });
    }
  });

  it("has one key in whichever mode it is sent, and data as bytes makes no difference", () => {
    const bytes = new TextEncoder().encode(JSON.stringify(sent.data));
    const inBytes = sent.cloneWith({ data: bytes, datacontenttype: "application/json" });
    const received = [HTTP.structured(sent), HTTP.binary(sent), HTTP.structured(inBytes)].map(receive);
    expect(JSON.parse(String(HTTP.structured(inBytes).body))).toHaveProperty("data_base64");
    expect(received[2]?.input).toEqual(received[0]?.input);
    const keys = new Set(received.map(({ idempotencyKey }) => idempotencyKey));
    expect([...keys]).toEqual([expect.stringMatching(/^cloudevent:[0-9a-f]{64}$/)]);
  });

  it("has one key also where its source holds percent signs, which the library does not encode in binary mode", () => {
    const spaced = sent.cloneWith({ source: "https://example.com/mail%20box" });
    const [structured, binary] = [HTTP.structured(spaced), HTTP.binary(spaced)].map(receive);
    expect(binary?.idempotencyKey).toBe(structured?.idempotencyKey);
  });

  it("has another key when its id or its source is another", () => {
    const keyOf = (id: string, source: string) =>
      receive(HTTP.structured(sent.cloneWith({ id, source }))).idempotencyKey;
    // Also where the two would read the same one after the other.
    const keys = [
      keyOf("1", "urn:a"),
      keyOf("2", "urn:a"),
      keyOf("1", "urn:b"),
      keyOf("a1", "urn:"),
      keyOf("1", "urn:a1"),
    ];
    expect(new Set(keys).size).toBe(keys.length);
  });

  it("drops a trace that is not well-formed", () => {
    expect(receive(HTTP.structured(sent.cloneWith({ traceparent: "00-1-2-3" }))).traceparent).toBeUndefined();
  });
});

describe("a CloudEvent in structured mode", () => {
  const event = { specversion: "1.0", id: "1", source: "/here", type: "PING", data: {} };
  const encoded = (text: string): object => ({
    ...event,
    data: undefined,
    data_base64: Buffer.from(text).toString("base64"),
  });
  const read = (change: object, at?: string) => fromStructured({ ...event, ...change } as JsonObject, at);

  it.each([
    ["null is as good as absent", { time: null, agenttype: null, traceparent: null, myown: null, data_base64: null }],
    ["an own attribute is a text, a boolean or a number", { a1: "x", b: false, c: -2_147_483_648 }],
    ["a time may have an offset", { time: "1990-12-31T23:59:60+01:00" }],
    ["the data's type may be any kind of JSON", { datacontenttype: "Application/vnd.example.v1+JSON; charset=utf-8" }],
  ])("is taken: %s", (_title, change) => {
    expect(read(change).input).toEqual({ type: "PING", data: {} });
  });

  it.each([
    ["of another version", { specversion: "0.3" }, "/specversion"],
    ["without a version", { specversion: undefined }, "/specversion"],
    ["without an id", { id: undefined }, "/id"],
    ["with null for an id", { id: null }, "/id"],
    ["with a number for an id", { id: 7 }, "/id"],
    ["with an empty id", { id: "" }, "/id"],
    ["with a control character in its id", { id: "a\nb" }, "/id"],
    ["with a noncharacter in its id", { id: "a\uFFFF" }, "/id"],
    ["without a source", { source: undefined }, "/source"],
    ["with an empty source", { source: "" }, "/source"],
    ["with a source that is no URI reference", { source: "my agent" }, "/source"],
    ["without a type", { type: undefined }, "/type"],
    ["with a time that is none", { time: "yesterday" }, "/time"],
    ["with a day that does not exist", { time: "2026-02-29T00:00:00Z" }, "/time"],
    ["with data that is not JSON", { datacontenttype: "text/xml", data: "<a/>" }, "/datacontenttype"],
    ["with an attribute of capital letters", { agentType: "x" }, "/agentType"],
    ["with an attribute that has a slash", { "a/b": "x" }, "/a~1b"],
    ["with an attribute that is an object", { mine: {} }, "/mine"],
    ["with an attribute that is a fraction", { mine: 0.5 }, "/mine"],
    ["with an attribute beyond 32 bits", { mine: 2_147_483_648 }, "/mine"],
    ["with a conversation of 201 characters", { correlationid: "x".repeat(201) }, "/correlationid"],
    ["with an empty agent type", { agenttype: "" }, "/agenttype"],
    ["with a trace that is a number", { traceparent: 1 }, "/traceparent"],
    ["without data", { data: undefined }, "/data"],
    ["with data that is null", { data: null }, "/data"],
    ["with data that is a list", { data: [1] }, "/data"],
    ["with data that is a text", { data: "{}" }, "/data"],
    ["with data twice", { data_base64: "e30=" }, "/data_base64"],
    ["with bytes that are not base64", { data: undefined, data_base64: "?" }, "/data_base64"],
    ["with bytes that are a number", { data: undefined, data_base64: 7 }, "/data_base64"],
    ["with bytes that are not JSON", encoded("{nope"), "/data_base64"],
    ["with bytes that have a key twice", encoded('{"a":1,"a":2}'), "/data_base64"],
    ["with bytes that are no object", encoded("[]"), "/data_base64"],
    ["with bytes of another type", { ...encoded("{}"), datacontenttype: "text/plain" }, "/datacontenttype"],
  ])("is refused %s, and the place is named", (_title, change, pointer) => {
    const failure = failureOf(() => read(change));
    expect(failure.code).toBe("invalid_request");
    expect(failure.errors.map((error) => error.pointer)).toEqual([pointer]);
    expect(failure.message).toContain(pointer);
    expect(pointersOf(() => read(change, "/2"))).toEqual([`/2${pointer}`]);
  });

  it("is told of all its faults at once", () => {
    expect(pointersOf(() => read({ id: 1, source: "a b", specversion: "2.0" }))).toEqual([
      "/specversion",
      "/id",
      "/source",
    ]);
  });

  it("is told what is wrong inside data that was sent as bytes", () => {
    expect(failureOf(() => read(encoded('{"a":{"b":1,"b":2}}'))).message).toContain("/a/b: expected each key once");
    expect(failureOf(() => read(encoded("{"))).message).toContain("expected JSON");
  });

  it.each([null, 1, "x", [event]])("is an object, not %j", (value) => {
    expect(pointersOf(() => fromStructured(value))).toEqual([""]);
    expect(pointersOf(() => fromStructured(value, "/0"))).toEqual(["/0"]);
  });

  it("has the faults that the bus finds later named in its own terms", () => {
    const { locate } = read({}, "/3");
    const bus = ["/type", "/agent_type", "/correlation_id", "/causation_id", "/data", "/data/a/b", "Idempotency-Key"];
    const places = ["/type", "/agenttype", "/correlationid", "/causationid", "/data", "/data/a/b", "/id"];
    expect(bus.map(locate)).toEqual(places.map((place) => `/3${place}`));
    expect(fromStructured(encoded("{}") as JsonObject).locate("/data/a")).toBe("/data_base64");
  });
});

describe("a batch of CloudEvents", () => {
  it("is a list, which may be empty", () => {
    expect(readBatch([])).toEqual([]);
    expect(readBatch([1, 2])).toEqual([1, 2]);
  });

  it.each([
    ["an object", {}],
    ["nothing", null],
    ["101 of them", Array.from({ length: MAX_BATCH + 1 }, () => ({}))],
  ])("is refused as %s", (_title, body) => {
    expect(pointersOf(() => readBatch(body))).toEqual([""]);
  });
});

describe("a CloudEvent in binary mode", () => {
  const headers = {
    "ce-specversion": "1.0",
    "ce-id": "1",
    "ce-source": "/here",
    "ce-type": "PING",
    "content-type": "application/json",
  };
  const read = (change: Record<string, string | undefined>, body = "{}") =>
    fromBinary(
      Object.fromEntries(
        Object.entries({ ...headers, ...change }).filter(([, value]) => value !== undefined),
      ) as Record<string, string>,
      () => parse(body),
    );

  it("is taken without a content type, and with headers that are none of its attributes", () => {
    expect(read({ "content-type": undefined, "x-other": "\u00e9", cookie: "ce-id=2" }).input).toEqual({
      type: "PING",
      data: {},
    });
  });

  it("has its attributes decoded: names in any language, and what older senders put into quotes", () => {
    expect(read({ "ce-agenttype": "Euro%20%E2%82%AC%20%F0%9F%98%80" }).input.agent_type).toBe("Euro € 😀");
    expect(read({ "ce-correlationid": '"a \\"talk\\"%20%e2%82%ac"' }).input.correlation_id).toBe('a "talk" €');
    expect(read({ "ce-id": "a%2520b" }).idempotencyKey).toBe(
      fromStructured({ specversion: "1.0", id: "a%20b", source: "/here", type: "PING", data: {} }).idempotencyKey,
    );
  });

  it.each([
    ["without a version", { "ce-specversion": undefined }, "ce-specversion"],
    ["without an id", { "ce-id": undefined }, "ce-id"],
    ["with a source that is no URI reference", { "ce-source": "/a b" }, "ce-source"],
    ["with a time that is none", { "ce-time": "2026-01-31" }, "ce-time"],
    ["with data that is not JSON", { "content-type": "application/x-www-form-urlencoded" }, "Content-Type"],
    ["with its content type in the wrong place", { "ce-datacontenttype": "application/json" }, "ce-datacontenttype"],
    ["with data in a header", { "ce-data": "{}" }, "ce-data"],
    ["with a name that no attribute has", { "ce-my-own": "x" }, "ce-my-own"],
    ["with a percent sign for itself", { "ce-subject": "100%" }, "ce-subject"],
    ["with bytes that are not UTF-8", { "ce-subject": "%C0%A0" }, "ce-subject"],
    ["with a letter beyond ASCII", { "ce-subject": "\u00e9" }, "ce-subject"],
    ["with a control character, encoded", { "ce-subject": "a%0Ab" }, "ce-subject"],
    ["with a conversation of 201 characters", { "ce-correlationid": "x".repeat(201) }, "ce-correlationid"],
  ])("is refused %s, and the header is named", (_title, change, pointer) => {
    const failure = failureOf(() => read(change));
    expect(failure.code).toBe("invalid_request");
    expect(failure.errors.map((error) => error.pointer)).toEqual([pointer]);
    expect(failure.message).toContain(pointer);
  });

  it("is refused before the body is looked at when the headers say that it is no JSON", () => {
    expect(pointersOf(() => read({ "content-type": "text/plain" }, "hello"))).toEqual(["Content-Type"]);
  });

  it("has the whole body as its data, and faults of the data named within the body", () => {
    expect(pointersOf(() => read({}, "[]"))).toEqual([""]);
    const { locate } = read({});
    expect(["/type", "/causation_id", "/data", "/data/a/b", "Idempotency-Key"].map(locate)).toEqual([
      "ce-type",
      "ce-causationid",
      "",
      "/a/b",
      "ce-id",
    ]);
  });
});

describe("how a request carries CloudEvents", () => {
  it.each([
    ["structured", { "content-type": "application/cloudevents+json; charset=UTF-8" }],
    ["structured", { "content-type": "Application/CloudEvents+JSON", "ce-id": "1" }],
    ["batched", { "content-type": "application/cloudevents-batch+json" }],
    ["binary", { "content-type": "application/json", "ce-specversion": "1.0" }],
    ["binary", { "ce-id": "1" }],
    [null, { "content-type": "application/json" }],
    [null, { "ce-other": "x" }],
    [null, {}],
  ])("is told by its headers: %s for %j", (mode, headers: Record<string, string>) => {
    expect(contentModeOf(headers)).toBe(mode);
  });

  it.each(["application/cloudevents", "application/cloudevents+avro", "application/cloudevents-batch+xml"])(
    "%s is not understood, and not taken for something else",
    (type) => expect(pointersOf(() => contentModeOf({ "content-type": type, "ce-id": "1" }))).toEqual(["Content-Type"]),
  );
});

describe("an event of the bus", () => {
  const event: BusEvent = {
    id: "0197a3c0-0000-7000-8000-000000000001",
    type: "MESSAGE_RECEIVED",
    data: { text: "hi é𝄞", deep: { n: [1, 2.5, null] } },
    agent_type: "mailbox",
    timestamp: "2026-01-31T12:00:00.123Z",
    correlation_id: "talk-1",
    causation_id: "cause-1",
    hops: 3,
    source: "arn:aws:iam::123456789012:role/agents/mail",
    deadline: "2026-01-31T12:00:30.000Z",
    traceparent: TRACE,
  };
  const delivered = deliveredEvent({
    ...event,
    reply_to: { url: `/events/${event.id}/responses?as=a%20b`, token: "t-_1", deadline: "2026-01-31T12:00:30.000Z" },
  });
  const attributes = {
    specversion: "1.0",
    id: event.id,
    source: event.source,
    type: "MESSAGE_RECEIVED",
    time: event.timestamp,
    datacontenttype: "application/json",
    hops: 3,
    correlationid: "talk-1",
    causationid: "cause-1",
    agenttype: "mailbox",
    deadline: "2026-01-31T12:00:30.000Z",
    traceparent: TRACE,
  };

  it("is a CloudEvent with all that it has", () => {
    expect(toCloudEvent(event)).toEqual({ ...attributes, data: event.data });
  });

  it("has no attributes for what it has not", () => {
    const { id, type, data, timestamp, correlation_id, source } = event;
    expect(toCloudEvent({ id, type, data, timestamp, correlation_id, hops: 0, source })).toEqual({
      specversion: "1.0",
      id,
      source,
      type,
      time: timestamp,
      datacontenttype: "application/json",
      hops: 0,
      correlationid: "talk-1",
      data,
    });
  });

  it("says where it is answered once it is delivered", () => {
    expect(toCloudEvent(delivered)).toEqual({
      ...attributes,
      replyurl: `/events/${event.id}/responses?as=a%20b`,
      replytoken: "t-_1",
      replydeadline: "2026-01-31T12:00:30.000Z",
      data: event.data,
    });
  });

  it("is read by the official library in structured mode and in a batch, and valid to it", () => {
    const headers = { "content-type": "application/cloudevents+json; charset=utf-8" };
    const one = HTTP.toEvent({ headers, body: JSON.stringify(toCloudEvent(delivered)) }) as CloudEvent;
    expect(one.validate()).toBe(true);
    expect(one).toMatchObject(toCloudEvent(delivered));
    const batch = HTTP.toEvent({
      headers: { "content-type": "application/cloudevents-batch+json; charset=utf-8" },
      body: JSON.stringify([toCloudEvent(event), toCloudEvent(delivered)]),
    }) as CloudEventV1<unknown>[];
    expect(batch).toMatchObject([toCloudEvent(event), toCloudEvent(delivered)]);
  });

  it("is read by the official library in binary mode, and valid to it", () => {
    const message = toBinary({ ...event });
    expect(message.headers["content-type"]).toBe("application/json");
    expect(message.headers).not.toHaveProperty("ce-datacontenttype");
    const read = HTTP.toEvent(message) as CloudEvent;
    expect(read.validate()).toBe(true);
    // In a header everything is text.
    expect(read).toMatchObject({ ...toCloudEvent(event), hops: "3" });
  });

  it("is in binary mode headers that any HTTP client may send, and reads back as it was", () => {
    const agent_type = 'Büro "Ost" 100% 😀';
    const { headers, body } = toBinary({ ...delivered, agent_type });
    expect(headers["ce-agenttype"]).toBe("B%C3%BCro%20%22Ost%22%20100%25%20%F0%9F%98%80");
    expect(headers["ce-replyurl"]).toBe(`/events/${event.id}/responses?as=a%2520b`);
    for (const value of Object.values(headers)) expect(value).toMatch(/^[!-~]+$/);
    expect(fromBinary(headers, () => parse(body)).input).toEqual({
      type: event.type,
      data: event.data,
      agent_type,
      correlation_id: "talk-1",
      causation_id: "cause-1",
    });
  });

  it("that is sent on as a CloudEvent has one key in every mode", () => {
    const structured = fromStructured(parse(JSON.stringify(toCloudEvent(delivered))));
    const { headers, body } = toBinary(delivered);
    expect(fromBinary(headers, () => parse(body)).idempotencyKey).toBe(structured.idempotencyKey);
  });

  it("leaves out a name that a CloudEvent must not have, and stays valid", () => {
    const odd = toCloudEvent({ ...event, agent_type: "a\u0007b", correlation_id: "x\uFFFE" });
    expect(odd).not.toHaveProperty("agenttype");
    expect(odd).not.toHaveProperty("correlationid");
    expect(new CloudEvent({ ...odd }).validate()).toBe(true);
  });

  it.each([
    ["local", "local"],
    ["arn:aws:iam::1:user/a+b=c,d.e@f_g-h", "arn:aws:iam::1:user/a+b=c,d.e@f_g-h"],
    ["my agent", "my%20agent"],
    ["50%", "50%25"],
    ["1:2", "1%3A2"],
    ["a#b#c", "a%23b%23c"],
  ])("of the agent %j has the source %j", (source, expected) => {
    expect(toCloudEvent({ ...event, source }).source).toBe(expected);
    expect(new CloudEvent({ ...toCloudEvent({ ...event, source }) }).validate()).toBe(true);
  });
});
