/**
 * `data` of the built-in event types as JSON Schema, for documents. Nothing is checked by it: the fields are conventions.
 *
 * It follows the types: a field that is missing here, is one too many or has another type does not compile.
 */
import type { JsonObject } from "../json.ts";
import type { BuiltInEventTypes } from "./catalogue.ts";

/** The fields that a type names; others may stand beside them. */
type Named<T> = { [K in keyof T as string extends K ? never : K]: T[K] };

type FieldSchema<Value> = Value extends string
  ? { type: "string"; description?: string }
  : Value extends number
    ? { type: "number"; description?: string; minimum?: number; maximum?: number }
    : Value extends boolean
      ? { type: "boolean"; description?: string }
      : Value extends string[]
        ? { type: "array"; items: { type: "string" }; description?: string }
        : Value extends JsonObject
          ? { type: "object"; description?: string }
          : never;

type DataSchema<Data> = {
  type: "object";
  properties: { [Field in keyof Named<Data>]-?: FieldSchema<NonNullable<Data[Field]>> };
};

type DataSchemas = { readonly [Name in keyof BuiltInEventTypes]: DataSchema<BuiltInEventTypes[Name]> };

const text = (description?: string): { type: "string"; description?: string } => ({
  type: "string",
  ...(description === undefined ? {} : { description }),
});

const object = (description: string): { type: "object"; description: string } => ({ type: "object", description });

const texts = (description: string): { type: "array"; items: { type: "string" }; description: string } => ({
  type: "array",
  items: { type: "string" },
  description,
});

export const DATA_SCHEMAS: DataSchemas = {
  CONVERSATION_CREATED: {
    type: "object",
    properties: {
      conversation_id: text(),
      participants: texts("Who takes part: people, agents, channels."),
      title: text(),
    },
  },
  CONVERSATION_UPDATED: {
    type: "object",
    properties: { conversation_id: text(), changes: object("The fields that changed, with their new values.") },
  },
  CONTEXT_REQUESTED: {
    type: "object",
    properties: {
      topic: text("What is wanted, for example `customer_profile`."),
      query: text(),
      conversation_id: text(),
    },
  },
  SESSION_CREATED: { type: "object", properties: { session_id: text(), user_id: text() } },
  SESSION_UPDATED: {
    type: "object",
    properties: { session_id: text(), changes: object("The fields that changed, with their new values.") },
  },
  MESSAGE_RECEIVED: {
    type: "object",
    properties: {
      text: text(),
      channel: text("Where it came from: `email`, `voice`, `chat`."),
      message_id: text(),
      conversation_id: text(),
    },
  },
  MESSAGE_PROCESSED: { type: "object", properties: { message_id: text(), result: object("What came of it.") } },
  LANGUAGE_NORMALIZED: {
    type: "object",
    properties: {
      text: text(),
      language: text("BCP 47 tag of the text as it now is, for example `en`."),
      original_language: text(),
    },
  },
  TRANSCRIPTION_COMPLETED: {
    type: "object",
    properties: {
      text: text(),
      duration_ms: { type: "number" },
      confidence: { type: "number", minimum: 0, maximum: 1 },
    },
  },
  FOLDER_STRUCTURE_DETERMINED: {
    type: "object",
    properties: { root: text(), folders: texts("Where files go.") },
  },
  ORION_STATE_CHANGED: { type: "object", properties: { from: text(), to: text(), reason: text() } },
  UPGRADE_REQUESTED: {
    type: "object",
    properties: { target: text(), from_version: text(), to_version: text() },
  },
  UPGRADE_COMPLETED: {
    type: "object",
    properties: { target: text(), version: text(), succeeded: { type: "boolean" } },
  },
};
