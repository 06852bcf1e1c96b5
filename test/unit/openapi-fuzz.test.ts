/**
 * Every operation with bodies that are as the OpenAPI document says, and spoilt in one place: it answers as documented,
 * names the place, never fails, and writes nothing of what it refuses (goal S8).
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import config from "../../bus.config.ts";
import { pointerTo } from "../../shared/input.ts";
import { MAX_JSON_DEPTH } from "../../shared/limits.ts";
import { openApiDocument } from "../../shared/openapi/document.ts";
import { ROUTES } from "../../shared/routes.ts";
import { busInMemory } from "../support/bus-in-memory.ts";
import { callInMemory } from "../support/call-in-memory.ts";
import { faultsOf } from "../support/conformance.ts";
import type { OpenApi } from "../support/openapi-places.ts";
import { ask, OWNER, queueInput, subscribed, take, webhookInput } from "../support/run-time-bus.ts";
import { bodyOf, pathsOf, replacedAt, valuesOf } from "../support/schema-values.ts";
import { watched } from "../support/watched-store.ts";

const api = openApiDocument({ catalogue: config.catalogue }) as OpenApi;
const RUNS = { numRuns: 120, seed: 8 };

const OPERATIONS = ROUTES.filter(({ method, path }) => bodyOf(api, path, method).value !== undefined);

/** A bus on which everything that a path can name is there, and what of it a body can name. */
async function world() {
  const bus = busInMemory({ ...config, subscribers: [] } as never);
  const queue = await subscribed(bus, queueInput());
  await subscribed(bus, webhookInput());
  const { eventId, replyToken } = await ask(bus);
  const [message] = await take(bus, queue);
  await callInMemory(bus, "POST", "/agents", { body: { name: "planner" }, caller: OWNER });
  const { store, taken } = watched(bus.store);
  const watchedBus = { ...bus, deps: { ...bus.deps, store } };
  const names: Record<string, string> = { event_id: eventId, subscription_id: queue, name: "planner" };
  /** Values that mean something here, in place of some that do not. */
  const meant = (body: unknown): unknown => {
    if (typeof body !== "object" || body === null || Array.isArray(body)) return body;
    const { reply_token, receipts, ...rest } = body as Record<string, unknown>;
    return {
      ...rest,
      ...(reply_token === undefined ? {} : { reply_token: replyToken }),
      ...(receipts === undefined ? {} : { receipts: [message?.receipt] }),
    };
  };
  const call = async (method: string, template: string, body: string) => {
    const path = template.replace(/\{(\w+)\}/, (_, name: string) => names[name] as string);
    // So that nobody calls too often.
    bus.clock.nowMs += 10_000;
    taken();
    const reply = await callInMemory(watchedBus, method, path, {
      ...(body === "" ? {} : { body }),
      caller: OWNER,
      headers: { "content-type": "application/json" },
    });
    expect([body, faultsOf(reply)]).toEqual([body, []]);
    expect([body, reply.status < 500 ? "fine" : reply.text]).toEqual([body, "fine"]);
    // A conflict is found by a write that changes nothing.
    if (reply.status >= 400 && reply.status !== 409)
      expect([body, reply.status, taken().writes]).toEqual([body, reply.status, []]);
    const errors = (reply.json["errors"] ?? []) as { pointer: string }[];
    return { status: reply.status, code: reply.json["code"], pointers: errors.map(({ pointer }) => pointer) };
  };
  return { call, meant };
}

/** One is the other, or within it. */
const areRelated = (one: string, other: string): boolean =>
  one === other || one.startsWith(`${other}/`) || other.startsWith(`${one}/`);

/** Of any JSON type. */
const other = fc.constantFrom<unknown>(null, true, 0, -1, 1e300, "", "x", "x".repeat(300), [], [[]], {}, { a: 1 }, [
  null,
]);

const pick = <T>(from: readonly T[], i: number): T => from[i % from.length] as T;

/** JSON texts that would not come back as they were, or would hurt, and where in them the fault is. */
const UNKEPT: readonly (readonly [text: string, pointer: string | object])[] = [
  ["1e400", ""],
  ["-1e400", ""],
  ["12345678901234567890", ""],
  ['"\\ud800"', ""],
  ['{"a":1,"a":1}', "/a"],
  ['{"__proto__":{"admin":true}}', "/__proto__"],
  ['{"\\u005f_proto__":1}', "/__proto__"],
  // How deep it may be depends on where it stands.
  [`${"[".repeat(MAX_JSON_DEPTH + 1)}${"]".repeat(MAX_JSON_DEPTH + 1)}`, expect.stringMatching(/^(\/0)+$/)],
  [`${'{"a":'.repeat(MAX_JSON_DEPTH + 1)}1${"}".repeat(MAX_JSON_DEPTH + 1)}`, expect.stringMatching(/^(\/a)+$/)],
];

/** Where a body is whatever its sender likes, so that only the parser has a say. */
const isFree = (path: readonly string[]): boolean => path.some((key) => ["data", "response", "filter"].includes(key));

describe.each(OPERATIONS)("$method $path", { timeout: 30_000 }, ({ method, path }) => {
  const bodies = valuesOf(bodyOf(api, path, method));

  it("takes what the document allows, or says what is wrong with it", async () => {
    const { call, meant } = await world();
    await fc.assert(
      fc.asyncProperty(bodies, async (body) => {
        const { status } = await call(method, path, JSON.stringify(meant(body)));
        expect(status).not.toBe(400);
      }),
      RUNS,
    );
  });

  it("names what is of another type or missing, and takes it only where the document does", async () => {
    const { call, meant } = await world();
    await fc.assert(
      fc.asyncProperty(bodies, fc.nat(), fc.oneof(other, fc.constant(undefined)), async (body, at, instead) => {
        const valid = meant(body);
        const place = pick(pathsOf(valid), at);
        const spoilt = JSON.stringify(replacedAt(valid, place, () => instead)) ?? "";
        const { status, pointers } = await call(method, path, spoilt);
        if (status !== 422 || (await call(method, path, JSON.stringify(valid))).status === 422) return;
        expect([spoilt, place, pointers.filter((one) => areRelated(one, pointerTo(place)) || one === "")]).not.toEqual([
          spoilt,
          place,
          [],
        ]);
      }),
      RUNS,
    );
  });

  it("names a field that it does not know", async () => {
    const { call, meant } = await world();
    await fc.assert(
      fc.asyncProperty(bodies, fc.nat(), fc.string({ unit: "binary", minLength: 1 }), async (body, at, name) => {
        const valid = meant(body);
        const objects = pathsOf(valid).filter((one) => isObject(valid, one) && !isFree(one));
        const place = pick(objects, at);
        const key = `${name}?`;
        const spoilt = JSON.stringify(replacedAt(valid, place, (old) => ({ ...(old as object), [key]: 1 })));
        const { status, pointers } = await call(method, path, spoilt);
        if (status === 202) {
          // The others of a batch go on.
          expect(place[0]).toBe("events");
          return;
        }
        expect([spoilt, status]).toEqual([spoilt, 422]);
        if (place.length === 0) expect(pointers).toContain(pointerTo([key]));
        else expect(pointers.some((one) => areRelated(one, pointerTo([...place, key])))).toBe(true);
      }),
      RUNS,
    );
  });

  it("refuses what no parser keeps, and names its place", async () => {
    const { call, meant } = await world();
    await fc.assert(
      fc.asyncProperty(bodies, fc.nat(), fc.constantFrom(...UNKEPT), async (body, at, [text, within]) => {
        const valid = meant(body);
        const place = pick(pathsOf(valid), at);
        const spoilt = JSON.stringify(replacedAt(valid, place, () => "(here)")).replace('"(here)"', () => text);
        const { status, code, pointers } = await call(method, path, spoilt);
        expect([spoilt, status, code]).toEqual([spoilt, 400, "invalid_json"]);
        const [pointer = ""] = pointers;
        expect([spoilt, pointers.length, pointer.startsWith(pointerTo(place))]).toEqual([spoilt, 1, true]);
        expect([spoilt, pointer.slice(pointerTo(place).length)]).toEqual([spoilt, within]);
      }),
      RUNS,
    );
  });

  it("refuses what is too large", async () => {
    const { call } = await world();
    const { status, code } = await call(method, path, JSON.stringify({ data: "x".repeat(6_000_000) }));
    expect([status, code]).toEqual([413, "payload_too_large"]);
  });
});

function isObject(value: unknown, path: readonly string[]): boolean {
  const found = path.reduce<unknown>((at, key) => (at as Record<string, unknown>)[key], value);
  return typeof found === "object" && found !== null && !Array.isArray(found);
}
