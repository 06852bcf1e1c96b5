/** The parts of an operation's description. */
import type { ErrorCode } from "../errors.ts";
import { type JsonSchema, ref } from "./schema.ts";

export interface Parameter {
  readonly name: string;
  readonly in: "query" | "header" | "path";
  readonly description: string;
  readonly required?: boolean;
  readonly schema: JsonSchema;
}

/** Bodies by their media type. */
export type Content = Readonly<Record<string, MediaType>>;

export interface MediaType {
  readonly schema: JsonSchema;
  readonly examples?: Readonly<Record<string, { readonly summary?: string; readonly value: unknown }>>;
  /** Of a stream: what the `data` of its events is, by their names. */
  readonly "x-events"?: Readonly<Record<string, JsonSchema>>;
}

export interface ResponseHeader {
  readonly description: string;
  readonly required?: boolean;
  readonly schema: JsonSchema;
}

export interface Response {
  readonly description: string;
  readonly headers?: Readonly<Record<string, ResponseHeader>>;
  readonly content?: Content;
}

/** One operation; its id, its path parameters and its failures are filled in by the document. */
export interface OperationDescription {
  readonly tag: string;
  readonly summary: string;
  readonly description?: string;
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly required?: true; readonly description?: string; readonly content: Content };
  /** By status: what is answered when all goes well. */
  readonly answers: Readonly<Record<number, Response>>;
  /** The codes of its own failures, beside those that every operation has. */
  readonly failures: readonly ErrorCode[];
}

export const query = (name: string, schema: JsonSchema, description: string): Parameter => ({
  name,
  in: "query",
  description,
  schema,
});

export const header = (name: string, schema: JsonSchema, description: string): Parameter => ({
  name,
  in: "header",
  description,
  schema,
});

export function json(schemaName: string, examples: Readonly<Record<string, unknown>> = {}): Content {
  return { "application/json": mediaType(ref(schemaName), examples) };
}

export function mediaType(schema: JsonSchema, examples: Readonly<Record<string, unknown>> = {}): MediaType {
  if (Object.keys(examples).length === 0) return { schema };
  return {
    schema,
    examples: Object.fromEntries(Object.entries(examples).map(([name, value]) => [name, { value }])),
  };
}

/** Server-sent events. @param events what the `data` of each is, by its name; `message` for those without one */
export function eventStream(
  description: string,
  events: Readonly<Record<string, JsonSchema>>,
  example: string,
): Content {
  return {
    "text/event-stream": {
      schema: { type: "string", description },
      "x-events": events,
      examples: { stream: { value: example } },
    },
  };
}
