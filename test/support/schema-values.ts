/** Values that a JSON schema of the OpenAPI document allows, and what can be spoilt about them. */
import fc from "fast-check";
import { type OpenApi, type Place, placeIn } from "./openapi-places.ts";

interface Schema {
  readonly type?: string | readonly string[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly object[];
  readonly oneOf?: readonly object[];
  readonly allOf?: readonly object[];
  readonly properties?: Readonly<Record<string, object>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: unknown;
  readonly items?: object;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly pattern?: string;
  readonly format?: string;
}

/** Values of the schema at a place. @throws Error for a schema that it does not know how to fill */
export function valuesOf(place: Place): fc.Arbitrary<unknown> {
  const schema = place.value as Schema;
  if (schema.const !== undefined) return fc.constant(schema.const);
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
  const several = schema.anyOf === undefined ? "oneOf" : "anyOf";
  const choices = schema[several];
  if (choices !== undefined) return fc.oneof(...choices.map((_, i) => valuesOf(place.in(several).in(String(i)))));
  const types = typeof schema.type === "string" ? [schema.type] : (schema.type ?? []);
  if (types.length === 0) throw new Error(`There is no type at ${place.reference}.`);
  return fc.oneof(...types.map((type) => ofType(type, schema, place)));
}

function ofType(type: string, schema: Schema, place: Place): fc.Arbitrary<unknown> {
  switch (type) {
    case "null":
      return fc.constant(null);
    case "boolean":
      return fc.boolean();
    case "integer":
      return fc.integer({ min: schema.minimum ?? -1_000, max: Math.min(schema.maximum ?? 1_000, 1_000) });
    case "number":
      return fc.double({ min: schema.minimum ?? -1_000, max: Math.min(schema.maximum ?? 1_000, 60), noNaN: true });
    case "string":
      return text(schema);
    case "array":
      return fc.array(schema.items === undefined ? fc.jsonValue() : valuesOf(place.in("items")), {
        minLength: schema.minItems ?? 0,
        maxLength: Math.min(schema.maxItems ?? 3, (schema.minItems ?? 0) + 3),
      });
    case "object":
      return object(schema, place);
    default:
      throw new Error(`Nobody knows the type ${type} at ${place.reference}.`);
  }
}

function text({ pattern, format, minLength = 0, maxLength = 20 }: Schema): fc.Arbitrary<string> {
  if (format === "uri")
    return fc.constantFrom("https://agents.example.com/hook", "http://127.0.0.1/", "https://10.0.0.1/");
  if (pattern !== undefined) return fc.stringMatching(new RegExp(pattern));
  return fc.string({ unit: "binary", minLength, maxLength: Math.min(maxLength, 20) });
}

function object({ properties = {}, required = [] }: Schema, place: Place): fc.Arbitrary<object> {
  const fields = Object.keys(properties).map((name) => [name, valuesOf(place.in("properties").in(name))] as const);
  if (fields.length === 0) return fc.dictionary(fc.string({ maxLength: 5 }), fc.jsonValue(), { maxKeys: 3 });
  return fc.record(Object.fromEntries(fields), { requiredKeys: [...required] as never[] });
}

/** The body that an operation takes as JSON. */
export const bodyOf = (api: OpenApi, path: string, method: string): Place =>
  placeIn(api, ["paths", path, method.toLowerCase(), "requestBody", "content", "application/json", "schema"]);

/** Places in a value, as the keys that lead there, the value itself first. */
export function pathsOf(value: unknown, path: readonly string[] = []): (readonly string[])[] {
  if (typeof value !== "object" || value === null) return [path];
  return [path, ...Object.entries(value).flatMap(([key, inner]) => pathsOf(inner, [...path, key]))];
}

/** The value with what stands at a path replaced; without it, when `undefined` takes its place in an object. */
export function replacedAt(value: unknown, [key, ...rest]: readonly string[], by: (old: unknown) => unknown): unknown {
  if (key === undefined) return by(value);
  if (Array.isArray(value)) return value.map((one, i) => (String(i) === key ? replacedAt(one, rest, by) : one));
  return { ...(value as object), [key]: replacedAt((value as Record<string, unknown>)[key], rest, by) };
}
