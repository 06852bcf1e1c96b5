/** JSON Schema of what goes over the wire, written so that it cannot fall behind the types it describes. */
import { MAX_NAME_CHARS } from "../limits.ts";

/** A JSON Schema (2020-12, as OpenAPI 3.1 has it) or a part of one: plain data. */
export type JsonSchema = Readonly<Record<string, unknown>>;

type OptionalKeys<T> = { [K in keyof T]-?: Partial<Pick<T, K>> extends Pick<T, K> ? K : never }[keyof T];
type RequiredKeys<T> = Exclude<keyof T, OptionalKeys<T>>;

/** A schema for each of some fields. */
export type FieldsOf<Keys extends PropertyKey> = Readonly<Record<Keys & string, JsonSchema>>;

/** A schema for each field of a type: those that are always there, then those that may be absent. */
export type Shape<T> = [OptionalKeys<T>] extends [never]
  ? [always: FieldsOf<RequiredKeys<T>>]
  : [always: FieldsOf<RequiredKeys<T>>, maybe: FieldsOf<OptionalKeys<T>>];

/** An object with the fields of a type and no others. A field that is missing here, or is one too many, does not compile. */
export function closed<T extends object>(description: string, ...fields: Shape<T>): JsonSchema {
  const [always, maybe] = fields;
  return closedObject(description, always, maybe);
}

/** The same for what no type describes. */
export function closedObject(
  description: string,
  always: Readonly<Record<string, JsonSchema>>,
  maybe: Readonly<Record<string, JsonSchema>> = {},
): JsonSchema {
  const required = Object.keys(always);
  return {
    type: "object",
    ...(description === "" ? {} : { description }),
    properties: { ...always, ...maybe },
    ...(required.length === 0 ? {} : { required }),
    additionalProperties: false,
  };
}

/** One of a few words, each with what it means. A word that is missing here does not compile. */
export function oneOfWords<Word extends string>(meanings: Readonly<Record<Word, string>>): JsonSchema {
  const words = Object.keys(meanings) as Word[];
  const explained = words.filter((word) => meanings[word] !== "").map((word) => `\`${word}\`: ${meanings[word]}`);
  return {
    type: "string",
    enum: words,
    ...(explained.length === 0 ? {} : { description: `${explained.join("; ")}.` }),
  };
}

/** A schema by its name among the document's components. */
export const ref = (name: string): JsonSchema => ({ $ref: `#/components/schemas/${name}` });

export const orNull = (schema: JsonSchema): JsonSchema => ({ oneOf: [schema, { type: "null" }] });

export const listOf = (items: JsonSchema, more: JsonSchema = {}): JsonSchema => ({ type: "array", items, ...more });

export const text = (description: string, more: JsonSchema = {}): JsonSchema => ({
  type: "string",
  ...(description === "" ? {} : { description }),
  ...more,
});

/** A name that a caller chose. */
export const name = (description: string, maxLength = MAX_NAME_CHARS): JsonSchema =>
  text(description, { minLength: 1, maxLength });

/** A time as the bus writes it. */
export const instant = (description: string): JsonSchema =>
  text(description, { format: "date-time", pattern: "^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z$" });

export const flag = (description: string, more: JsonSchema = {}): JsonSchema => ({
  type: "boolean",
  ...(description === "" ? {} : { description }),
  ...more,
});

export const whole = (description: string, minimum: number, more: JsonSchema = {}): JsonSchema => ({
  type: "integer",
  ...(description === "" ? {} : { description }),
  minimum,
  ...more,
});

/** JSON that the bus carries and does not look into. */
export const anyObject = (description: string): JsonSchema => ({ type: "object", description });

/** For the next page. */
export const NEXT_CURSOR: JsonSchema = {
  type: ["string", "null"],
  description: "For the next page, as `cursor`; null when there is none. Good for the same query of the same agent.",
};
