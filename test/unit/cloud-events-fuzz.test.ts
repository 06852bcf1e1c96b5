/** CloudEvents with hostile attributes and data, in all modes: the same event in each, or the same fault at its place. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { busInMemory } from "../support/bus-in-memory.ts";
import { callInMemory } from "../support/call-in-memory.ts";
import { faultsOf } from "../support/conformance.ts";
import { HOSTILE_TEXTS } from "../support/hostile-texts.ts";
import { TYPE } from "../support/run-time-bus.ts";

const NAMES = ["id", "type", "time", "subject", "agenttype", "correlationid", "causationid", "traceparent", "x"];
// Not `source`: what is no URI reference is taken in binary mode as it stands in the header, if that is one.
const STRUCTURED = "application/cloudevents+json";
const BATCHED = "application/cloudevents-batch+json";

const text = fc.oneof(fc.constantFrom(...HOSTILE_TEXTS), fc.string({ unit: "binary" }));
const given = fc.record({
  attributes: fc.dictionary(fc.constantFrom(...NAMES), text, { maxKeys: 3, noNullPrototype: true }),
  data: fc.dictionary(text, fc.jsonValue({ noUnicodeString: false }), { maxKeys: 3, noNullPrototype: true }),
});

/** Percent-encoded, as binary mode wants it. */
const encoded = (value: string): string =>
  [...value].map((char) => (/[!#$&-~]/.test(char) ? char : encodeURIComponent(char))).join("");

it("all modes say the same of the same event", { timeout: 30_000 }, async () => {
  let events = 0;
  await fc.assert(
    fc.asyncProperty(given, async ({ attributes, data }) => {
      fc.pre(!JSON.stringify(data).includes('"__proto__":'));
      const bus = busInMemory();
      const event = { specversion: "1.0", id: `event-${++events}`, source: "here", type: TYPE, ...attributes };
      const call = async (body: unknown, headers: Record<string, string>) => {
        const reply = await callInMemory(bus, "POST", "/events", { body, headers });
        expect([event, reply.status < 500, faultsOf(reply)]).toEqual([event, true, []]);
        const errors = (reply.json["errors"] ?? []) as { pointer: string }[];
        return { status: reply.status, json: reply.json, at: new Set(errors.map(({ pointer }) => pointer)) };
      };
      const structured = await call({ ...event, data }, { "content-type": STRUCTURED });
      const bytes = Buffer.from(JSON.stringify(data)).toString("base64");
      const inBytes = await call({ ...event, data_base64: bytes }, { "content-type": STRUCTURED });
      const headers = Object.entries(event).map(([name, value]) => [`ce-${name}`, encoded(value)]);
      const binary = await call(data, { "content-type": "application/json", ...Object.fromEntries(headers) });
      const batch = await call([{ ...event, data }], { "content-type": BATCHED });

      expect([inBytes.status, binary.status]).toEqual([structured.status, structured.status]);
      const [first] = batch.json["events"] as { event_id?: string; problem?: object }[];
      if (structured.status === 202) {
        const ids = [structured, inBytes, binary].map(({ json }) => json["event_id"]);
        expect(new Set([...ids, first?.event_id])).toEqual(new Set([ids[0]]));
        return;
      }
      expect([event, structured.status]).toEqual([event, 422]);
      const names = [...structured.at].map((pointer) => pointer.slice(1));
      expect(names.filter((name) => !Object.hasOwn(attributes, name))).toEqual([]);
      expect(inBytes.at).toEqual(structured.at);
      expect(binary.at).toEqual(new Set(names.map((name) => `ce-${name}`)));
      expect(JSON.stringify(first)).toContain(`/0${[...structured.at][0]}`);
    }),
    { numRuns: 300, seed: 8 },
  );
});
