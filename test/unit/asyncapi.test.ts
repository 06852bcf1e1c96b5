import { type DiagnosticSeverity, Parser } from "@asyncapi/parser";
import { toStandardJsonSchema } from "@valibot/to-json-schema";
import * as v from "valibot";
import { describe, expect, it } from "vitest";
import config from "../../bus.config.ts";
import { asyncApiDocument } from "../../shared/asyncapi/document.ts";
import { defineBus } from "../../shared/bus-config.ts";
import { BUILT_IN_EVENT_TYPES } from "../../shared/event-types/catalogue.ts";
import { DELIVERED_EXAMPLE } from "../../shared/openapi/events.ts";
import { newAjv } from "../support/conformance.ts";

const WARNING = 1 satisfies DiagnosticSeverity.Warning;

/** What the official parser finds: errors and warnings, each with its place. */
async function findings(document: object): Promise<string[]> {
  const { diagnostics } = await new Parser().parse(JSON.stringify(document));
  return diagnostics
    .filter(({ severity }) => severity <= WARNING)
    .map(({ code, message, path }) => `${code} at ${path.join("/")}: ${message}`);
}

const Category = v.object({ name: v.string(), parts: v.array(v.lazy((): v.GenericSchema => Category)) });

const { catalogue } = defineBus({
  eventTypes: {
    ORDER_PLACED: {
      description: "Somebody has bought something.",
      schema: toStandardJsonSchema(
        v.object({ total: v.pipe(v.number(), v.minValue(0)), note: v.optional(v.string()) }),
      ),
    },
    "catalogue.v2-changed": { schema: toStandardJsonSchema(Category) },
    SILENT: { schema: v.object({ total: v.number() }) },
    UNSAYABLE: { schema: toStandardJsonSchema(v.object({ at: v.date() })) },
    UNDESCRIBED: {},
  },
});

/** The operations as the official parser understands them. */
async function operationsOf(document: object) {
  const { document: parsed } = await new Parser().parse(JSON.stringify(document));
  return (parsed?.operations().all() ?? []).map((operation) => ({
    id: operation.id(),
    action: operation.action(),
    channel: operation.channels().all()[0]?.address(),
    reply: operation
      .reply()
      ?.messages()
      .all()
      .map((message) => message.name()),
    replyAddress: operation.reply()?.address()?.location(),
  }));
}

/** Whether an event fits the payload of its type's message. */
function fits(event: object, type: string): boolean {
  const { components } = asyncApiDocument({ catalogue }) as { components: object };
  const ajv = newAjv();
  ajv.addVocabulary(["components"]);
  ajv.addSchema({ components }, "asyncapi.json");
  const validate = ajv.getSchema(`asyncapi.json#/components/messages/${type}/payload`);
  if (validate === undefined) throw new Error(`${type} has no payload`);
  return validate(event) === true;
}

const anEvent = (type: string, data: object): object => ({ ...DELIVERED_EXAMPLE, type, data });

describe("the AsyncAPI document", () => {
  it("is valid for the official parser, without a warning, whatever is in the catalogue", async () => {
    expect(await findings(asyncApiDocument(config))).toEqual([]);
    expect(await findings(asyncApiDocument({ catalogue }))).toEqual([]);
  });

  it("would not be for one that is broken", async () => {
    const broken = { ...asyncApiDocument({ catalogue }), operations: { ask: { action: "ask" } } };
    expect(await findings(broken)).not.toEqual([]);
  });

  it("shows for every type how it is published, asked with, and received and answered", async () => {
    const expected = Object.keys(catalogue).flatMap((type) => [
      { id: `${type}.publish`, action: "send", channel: type, reply: undefined, replyAddress: undefined },
      { id: `${type}.ask`, action: "send", channel: type, reply: ["response"], replyAddress: undefined },
      {
        id: `${type}.receive`,
        action: "receive",
        channel: type,
        reply: ["answer"],
        replyAddress: "$message.payload#/reply_to/url",
      },
    ]);
    expect(await operationsOf(asyncApiDocument({ catalogue }))).toEqual(expected);
  });
});

describe("the payload of a message", () => {
  it("is the delivered event: closed, and of this type", () => {
    const event = anEvent("MESSAGE_RECEIVED", { text: "hi", anything: [1] });
    expect(fits(event, "MESSAGE_RECEIVED")).toBe(true);
    expect(fits(event, "SESSION_CREATED")).toBe(false);
    expect(fits({ ...event, extra: 1 }, "MESSAGE_RECEIVED")).toBe(false);
    expect(fits({ ...event, reply_to: undefined }, "MESSAGE_RECEIVED")).toBe(false);
  });

  it("has the conventional fields of a built-in type, whatever stands beside them", () => {
    expect(fits(anEvent("MESSAGE_RECEIVED", { text: 5 }), "MESSAGE_RECEIVED")).toBe(false);
    for (const type of Object.keys(BUILT_IN_EVENT_TYPES))
      expect(fits(anEvent(type, { something: "else" }), type)).toBe(true);
  });

  it("has the data that the type's schema describes, if its library says so in JSON Schema", () => {
    expect(fits(anEvent("ORDER_PLACED", { total: 1 }), "ORDER_PLACED")).toBe(true);
    expect(fits(anEvent("ORDER_PLACED", { total: -1 }), "ORDER_PLACED")).toBe(false);
    expect(fits(anEvent("ORDER_PLACED", {}), "ORDER_PLACED")).toBe(false);
  });

  it("has data that contains itself", () => {
    const type = "catalogue.v2-changed";
    expect(fits(anEvent(type, { name: "a", parts: [{ name: "b", parts: [] }] }), type)).toBe(true);
    expect(fits(anEvent(type, { name: "a", parts: [{ name: 5, parts: [] }] }), type)).toBe(false);
  });

  it("has any object for data that nobody has described, or that JSON Schema cannot", () => {
    for (const type of ["SILENT", "UNSAYABLE", "UNDESCRIBED"]) {
      expect(fits(anEvent(type, { any: "thing" }), type)).toBe(true);
      expect(fits({ ...anEvent(type, {}), data: [] }, type)).toBe(false);
    }
  });
});
