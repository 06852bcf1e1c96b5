/**
 * What an OpenAPI document consists of, as far as this project's does: a closed schema for each of the objects of
 * https://spec.openapis.org/oas/v3.1.1 that occurs in it. What stands in their `schema` is left to JSON Schema.
 */

type Fields = Readonly<Record<string, object>>;

const closed = (required: Fields, optional: Fields = {}): object => ({
  type: "object",
  properties: { ...required, ...optional },
  required: Object.keys(required),
  patternProperties: { "^x-": {} },
  additionalProperties: false,
});
const mapOf = (values: object, keys?: string): object => ({
  type: "object",
  additionalProperties: values,
  ...(keys === undefined ? {} : { propertyNames: { pattern: keys } }),
});
const listOf = (items: object): object => ({ type: "array", items });
const at = (name: string): object => ({ $ref: `#/$defs/${name}` });
const orReference = (schema: object): object => ({ anyOf: [closed({ $ref: text }), schema] });

const text = { type: "string" };
const words = { type: "string", minLength: 1 };
const flag = { type: "boolean" };
const schema = { type: "object" };
const examples = mapOf(closed({ value: {} }, { summary: text }));
const SECURITY = listOf(mapOf(listOf(text)));
/** Keys of components. */
const COMPONENT_KEYS = "^[a-zA-Z0-9._-]+$";

export const OPENAPI_SHAPE: object = {
  ...closed({
    openapi: { type: "string", pattern: "^3\\.1\\.\\d+$" },
    info: closed(
      { title: words, version: words },
      { summary: text, description: text, license: closed({ name: words }, { identifier: text }) },
    ),
    servers: listOf(closed({ url: words }, { description: text })),
    security: SECURITY,
    tags: listOf(closed({ name: words }, { description: text })),
    paths: mapOf(at("pathItem"), "^/"),
    webhooks: mapOf(at("pathItem")),
    components: closed({
      schemas: mapOf(schema, COMPONENT_KEYS),
      responses: mapOf(at("response"), COMPONENT_KEYS),
      securitySchemes: mapOf(
        closed(
          { type: { const: "apiKey" }, in: { enum: ["query", "header", "cookie"] }, name: words },
          { description: text },
        ),
        COMPONENT_KEYS,
      ),
    }),
  }),
  $defs: {
    pathItem: closed(
      {},
      { get: at("operation"), post: at("operation"), patch: at("operation"), delete: at("operation") },
    ),
    operation: closed(
      { operationId: words, tags: listOf(words), summary: words, responses: at("responses") },
      { description: text, parameters: listOf(at("parameter")), requestBody: at("requestBody"), security: SECURITY },
    ),
    parameter: {
      ...closed(
        { name: words, in: { enum: ["query", "header", "path", "cookie"] }, schema },
        { description: text, required: flag },
      ),
      anyOf: [
        { properties: { in: { enum: ["query", "header", "cookie"] } } },
        { properties: { required: { const: true } }, required: ["required"] },
      ],
    },
    requestBody: closed({ content: at("content") }, { description: text, required: flag }),
    responses: { ...mapOf(orReference(at("response")), "^([1-5](\\d\\d|XX)|default)$"), minProperties: 1 },
    response: closed(
      { description: text },
      {
        headers: mapOf(closed({ schema }, { description: text, required: flag })),
        content: at("content"),
      },
    ),
    content: mapOf(closed({ schema }, { examples }), "^[a-z]+/[a-z.+-]+$"),
  },
};
