/** What there is: the catalogue, the descriptions of the bus, whether it is there. */
import type { Operation } from "../routes.ts";
import { json, mediaType, type OperationDescription } from "./operation.ts";
import { anyObject, closedObject, flag, type JsonSchema, listOf, ref, text } from "./schema.ts";

export const ABOUT_SCHEMAS: Readonly<Record<string, JsonSchema>> = {
  Catalogue: closedObject("The event types of this deployment.", {
    event_types: listOf(
      closedObject("", {
        name: ref("EventType"),
        group: text("`system`, `process` and `state` for the built-in ones."),
        description: text(""),
        has_schema: flag("Whether `data` is checked."),
      }),
    ),
  }),
  Health: closedObject("", { status: { const: "ok" } }),
};

const TYPE = {
  name: "MESSAGE_RECEIVED",
  group: "process",
  description: "A message has come in.",
  has_schema: false,
};

export const ABOUT_OPERATIONS = {
  types: {
    tag: "about",
    summary: "The event types of this deployment.",
    answers: {
      200: { description: "The catalogue.", content: json("Catalogue", { catalogue: { event_types: [TYPE] } }) },
    },
    failures: [],
  },
  openapi: {
    tag: "about",
    summary: "This document.",
    answers: {
      200: {
        description: "OpenAPI 3.1.",
        content: {
          "application/json": mediaType({
            type: "object",
            properties: {
              openapi: { type: "string", pattern: "^3\\.1\\." },
              info: anyObject(""),
              paths: anyObject(""),
            },
            required: ["openapi", "info", "paths"],
          }),
        },
      },
    },
    failures: [],
  },
  asyncapi: {
    tag: "about",
    summary: "The event types with their data, as an AsyncAPI document.",
    answers: {
      200: {
        description: "AsyncAPI 3.0.",
        content: {
          "application/json": mediaType({
            type: "object",
            properties: { asyncapi: { const: "3.0.0" }, info: anyObject(""), channels: anyObject("") },
            required: ["asyncapi", "info", "channels"],
          }),
        },
      },
    },
    failures: [],
  },
  health: {
    tag: "about",
    summary: "Whether the bus is there.",
    answers: { 200: { description: "It is.", content: json("Health", { ok: { status: "ok" } }) } },
    failures: [],
  },
} as const satisfies Partial<Record<Operation, OperationDescription>>;
