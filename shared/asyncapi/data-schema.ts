/** What `data` of an event type looks like, as JSON Schema, as far as somebody has said so. */
import type { StandardJSONSchemaV1, StandardSchemaV1 } from "@standard-schema/spec";
import type { EventType } from "../event-types/catalogue.ts";
import { DATA_SCHEMAS } from "../event-types/data-schemas.ts";
import type { JsonSchema } from "../openapi/schema.ts";

/** What nobody has described. */
const ANY_DATA: JsonSchema = { type: "object" };

/**
 * The schema of a type's data: what its Standard Schema says of itself, or for the built-in types their conventions.
 *
 * @param at reference to where it will stand: schemas refer to their own parts from their root
 */
export function dataSchemaOf(name: string, { schema }: EventType, at: string): JsonSchema {
  const own = schema === undefined ? undefined : describedBySchema(schema);
  if (own !== undefined) return reRooted(own, at) as JsonSchema;
  const builtIn: Readonly<Record<string, JsonSchema>> = DATA_SCHEMAS;
  return (Object.hasOwn(builtIn, name) ? builtIn[name] : undefined) ?? ANY_DATA;
}

/** Libraries offer it or not (https://standardschema.dev/json-schema), and throw for what JSON Schema cannot say. */
function describedBySchema(schema: StandardSchemaV1): JsonSchema | undefined {
  const { jsonSchema } = schema["~standard"] as Partial<StandardJSONSchemaV1.Props>;
  try {
    // The draft that AsyncAPI's own schemas extend.
    const { $schema: _, ...described } = jsonSchema?.input({ target: "draft-07" }) ?? {};
    return jsonSchema === undefined ? undefined : described;
  } catch {
    return undefined;
  }
}

function reRooted(value: unknown, at: string): unknown {
  if (Array.isArray(value)) return value.map((item) => reRooted(item, at));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      key,
      key === "$ref" && typeof inner === "string" && inner.startsWith("#") ? at + inner.slice(1) : reRooted(inner, at),
    ]),
  );
}
