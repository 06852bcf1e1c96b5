/**
 * Naughty strings where an operation reads a text, each at each place; over HTTP, and stored and delivered:
 * `test/e2e/embedded-naughty-strings.test.ts`. And what is read from headers and queries, at random.
 */
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { readRetryAfter } from "../../functions/runtime/webhook/retry-after.ts";
import { pointerTo, readTraceparent } from "../../shared/input.ts";
import { type BusInMemory, busInMemory } from "../support/bus-in-memory.ts";
import { callInMemory, type InMemoryCall } from "../support/call-in-memory.ts";
import { faultsOf } from "../support/conformance.ts";
import { canBeHeader, HOSTILE_TEXTS, inHeader } from "../support/hostile-texts.ts";
import { ask, OWNER, queueInput, subscribed, TYPE, webhookInput } from "../support/run-time-bus.ts";

const RUNS = { numRuns: 200, seed: 8 };
const enc = encodeURIComponent;

let bus: BusInMemory;
let queue = "";
let asked = "";

beforeAll(async () => {
  bus = busInMemory();
  queue = await subscribed(bus, queueInput());
  await subscribed(bus, webhookInput());
  asked = (await ask(bus)).eventId;
});

async function call(method: string, path: string, more: InMemoryCall = {}) {
  // So that nobody calls too often.
  bus.clock.nowMs += 1_000;
  const reply = await callInMemory(bus, method, path, { caller: OWNER, lifeMs: 3_000, ...more });
  expect([method, path, more.body, faultsOf(reply)]).toEqual([method, path, more.body, []]);
  expect([method, path, more.body, reply.status < 500]).toEqual([method, path, more.body, true]);
  const errors = (reply.json["errors"] ?? []) as { pointer: string }[];
  return { status: reply.status, json: reply.json, pointers: errors.map(({ pointer }) => pointer) };
}
const get = (path: string) => call("GET", path);
const post = (path: string, body: object) => call("POST", path, { body });

describe("naughty strings", { timeout: 60_000 }, () => {
  const texts = HOSTILE_TEXTS;
  it("are no event types", async () => {
    for (const text of texts) {
      for (const reply of [
        await post("/events", { type: text, data: {} }),
        await post("/requests", { type: text, data: {}, timeout: 1 }),
        await get(`/events?type=${enc(text)}`),
        await get(`/events/stream?type=${enc(text)}`),
      ])
        expect([text, reply.status, reply.pointers]).toEqual([text, 422, ["/type"]]);
      const subscription = await post("/subscriptions", queueInput({ name: "n", event_types: [TYPE, text] }));
      expect([text, subscription.status, subscription.pointers]).toEqual([text, 422, ["/event_types/1"]]);
    }
  });

  it("are no fields and no parameters, and named as such", async () => {
    for (const text of texts) {
      const pointer = pointerTo([text]);
      for (const path of [
        "/events",
        "/requests",
        "/subscriptions",
        `/subscriptions/${queue}/ack`,
        "/deliveries/redrive",
        "/agents",
      ]) {
        const { status, pointers } = await post(path, { [text]: 1 });
        expect([path, text, status, pointers]).toEqual([path, text, 422, expect.arrayContaining([pointer])]);
      }
      for (const path of [
        "/events",
        "/events/stream",
        "/subscriptions",
        "/deliveries",
        `/requests/${asked}`,
        `/subscriptions/${queue}/messages`,
      ]) {
        const { status, pointers } = await get(`${path}?${enc(text)}=1`);
        expect([path, text, status, pointers]).toEqual([path, text, 422, [pointer]]);
      }
    }
  });

  it("are no ids", async () => {
    for (const text of texts.filter((one) => one !== "")) {
      for (const [method, path] of [
        ["GET", `/events/${enc(text)}`],
        ["GET", `/events/${enc(text)}/explain`],
        ["GET", `/requests/${enc(text)}?wait=1`],
        ["DELETE", `/requests/${enc(text)}`],
        ["GET", `/subscriptions/${enc(text)}`],
        ["GET", `/subscriptions/${enc(text)}/messages`],
        ["DELETE", `/subscriptions/${enc(text)}`],
        ["POST", `/subscriptions/${enc(text)}/rotate-secret`],
        ["GET", `/agents/${enc(text)}`],
        ["DELETE", `/agents/${enc(text)}`],
        ["GET", `/${enc(text)}`],
      ] as const) {
        const { status, json } = await call(method, path);
        expect([method, path, status, json["code"]]).toEqual([method, path, 404, "not_found"]);
      }
      const answered = await post(`/events/${enc(text)}/responses`, { response: {}, reply_token: "x" });
      expect([text, answered.status]).toEqual([text, 404]);
    }
  });

  it("are no cursors, tokens, receipts, numbers or times, but for the few that are", async () => {
    for (const text of texts) {
      for (const [path, name] of [
        ["/events", "cursor"],
        ["/events", "limit"],
        ["/events", "from"],
        ["/events", "to"],
        ["/events", "order"],
        ["/deliveries", "cursor"],
        ["/deliveries", "status"],
        ["/subscriptions", "cursor"],
        ["/agents", "cursor"],
        ["/events/stream", "after"],
        [`/subscriptions/${queue}/messages`, "max"],
        [`/subscriptions/${queue}/messages`, "visibility"],
      ] as const) {
        const { status, pointers } = await get(`${path}?${name}=${enc(text)}`);
        if (status === 200 || status === 202) expect([name, text]).toEqual([name, expect.stringMatching(/^\d/)]);
        else expect([path, name, text, status, pointers]).toEqual([path, name, text, 422, [`/${name}`]]);
      }
      const forged = await post(`/events/${asked}/responses`, { response: {}, reply_token: text });
      expect([text, forged.status, forged.pointers]).toEqual([text, expect.toBeOneOf([403, 422]), ["/reply_token"]]);
      const { status, json } = await post(`/subscriptions/${queue}/ack`, { receipts: [text] });
      if (status === 200) expect([text, json]).toEqual([text, { results: [{ receipt: text, status: "expired" }] }]);
      else expect([text, status]).toEqual([text, 422]);
    }
  });

  it("in a filter are taken as they are, or refused at their place", async () => {
    for (const text of texts)
      for (const [data, at] of [
        [{ [text]: [text] }, pointerTo([text])],
        [{ v: [{ prefix: text }, { suffix: { "equals-ignore-case": text } }] }, "/v"],
        [{ v: [{ wildcard: text }] }, "/v"],
        [{ v: [{ [text]: 1 }] }, "/v/0"],
        [{ v: [{ cidr: text }] }, "/v/0/cidr"],
        [{ v: [{ numeric: [text, 1] }] }, "/v/0/numeric/0"],
        [{ v: [{ "anything-but": { wildcard: [text] } }] }, "/v"],
      ] as const) {
        const { status, pointers } = await post("/subscriptions", queueInput({ name: "f", filter: { data } }));
        if (status < 300) continue;
        expect([text, data, status, pointers.filter((one) => !one.startsWith(`/filter/data${at}`))]).toEqual([
          text,
          data,
          422,
          [],
        ]);
      }
  });

  it("in headers are dropped, taken, or refused by the header's name", async () => {
    for (const text of texts.filter(canBeHeader).map(inHeader)) {
      const event = { type: TYPE, data: {} };
      for (const name of ["traceparent", "accept", "content-type", "authorization"]) {
        const { status } = await call("POST", "/events", { body: event, headers: { [name]: text } });
        expect([name, text, status]).toEqual([name, text, 202]);
      }
      const keyed = await call("POST", "/events", { body: event, headers: { "idempotency-key": text } });
      if (keyed.status === 422) expect([text, keyed.pointers]).toEqual([text, ["Idempotency-Key"]]);
      else expect([text, keyed.status]).toEqual([text, 202]);
      const attributes = { "ce-specversion": "1.0", "ce-type": TYPE, "ce-source": "here", "ce-id": "1" };
      for (const name of [
        ...Object.keys(attributes),
        "ce-time",
        "ce-agenttype",
        "ce-correlationid",
        "ce-x",
        "ce-traceparent",
      ]) {
        const reply = await call("POST", "/events", { body: {}, headers: { ...attributes, [name]: text } });
        expect([name, text, reply.status]).toEqual([name, text, expect.toBeOneOf([202, 409, 422])]);
        if (reply.status === 422) expect([name, text, [...new Set(reply.pointers)]]).toEqual([name, text, [name]]);
      }
    }
  });
});

describe("headers and queries at random", { timeout: 30_000 }, () => {
  const hex = (length: number) =>
    fc.string({ unit: fc.constantFrom(..."0123456789abcdef"), minLength: length, maxLength: length });

  it("a trace context is passed on when it is one, and dropped when it is not", () => {
    fc.assert(
      fc.property(hex(2), hex(32), hex(16), hex(2), (version, trace, span, flags) => {
        const header = [version, trace, span, flags].join("-");
        const isValid = version !== "ff" && /[^0]/.test(trace) && /[^0]/.test(span);
        // What is passed on is of the version that the bus knows.
        const known = isValid ? `00-${trace}-${span}-${flags}` : undefined;
        expect(readTraceparent(header)).toBe(known);
        expect(readTraceparent(`${header}-00`)).toBe(version === "00" ? undefined : known);
        for (const spoilt of [`${header} `, ` ${header}`, header.toUpperCase(), header.slice(1), `${header}\n`])
          if (spoilt !== header) expect(readTraceparent(spoilt)).toBeUndefined();
      }),
      RUNS,
    );
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => readTraceparent(text) === undefined),
      RUNS,
    );
  });

  it("Retry-After is a number of milliseconds, never negative, or nothing", () => {
    const dates = fc.date({ noInvalidDate: true }).map((date) => date.toUTCString());
    const seconds = fc.bigInt({ min: 0n, max: 10n ** 400n }).map(String);
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: "binary" }),
          dates,
          seconds,
          fc.constantFrom("-1", "1.5", "0x10", "1e9", "Infinity", "NaN", ""),
        ),
        (text) => {
          const afterMs = readRetryAfter(text, Date.parse("2026-06-01T12:00:00.000Z"));
          if (afterMs !== undefined) expect(afterMs >= 0 && Number.isFinite(afterMs)).toBe(true);
          if (/[^\w ,:-]/.test(text.trim())) expect(afterMs).toBeUndefined();
        },
      ),
      RUNS,
    );
  });

  it("how long to wait is a number of seconds, or refused by name", async () => {
    const numbers = fc.oneof(
      fc.nat(200_000).map(String),
      fc.double({ min: -10, max: 100_000, noNaN: true }).map(String),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(numbers, fc.string({ unit: "binary" }), fc.constantFrom("1e3", "0x1", "+1", "1.", ".5", "٣", "1,5")),
        async (text) => {
          const { status, pointers } = await call("GET", `/requests/${asked}?wait=${enc(text)}`, { caller: "emitter" });
          const isOne = /^[0-9]{1,5}(\.[0-9]{1,3})?$/.test(text) && Number(text) <= 86_400;
          expect([text, status, pointers]).toEqual(
            isOne ? [text, expect.toBeOneOf([200, 202]), []] : [text, 422, ["/wait"]],
          );
        },
      ),
      { ...RUNS, numRuns: 200 },
    );
  });

  it("a parameter that is given twice is refused, whatever it is", async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: "binary" }), fc.string(), async (name, value) => {
        const { status, pointers } = await get(`/events?${enc(name)}=${enc(value)}&${enc(name)}=${enc(value)}`);
        expect([status, pointers]).toEqual([422, [`/${name}`]]);
      }),
      { ...RUNS, numRuns: 200 },
    );
  });
});
