import { readFileSync } from "node:fs";
import { Validator } from "@seriousme/openapi-schema-validator";
import { describe, expect, it } from "vitest";
import { projectPath } from "../../local/project.ts";
import { defineBus } from "../../shared/bus-config.ts";
import { ERROR_KINDS } from "../../shared/errors.ts";
import { openApiDocument } from "../../shared/openapi/document.ts";
import { ROUTES } from "../../shared/routes.ts";
import { conformance, validatorOf } from "../support/conformance.ts";
import { type OpenApi, placeIn } from "../support/openapi-places.ts";

type Tree = Readonly<Record<string, unknown>>;

interface Operation {
  readonly operationId: string;
  readonly tags: readonly string[];
  readonly parameters?: readonly { readonly name: string; readonly in: string }[];
  readonly requestBody?: { readonly content: Tree };
  readonly responses: Readonly<Record<string, { readonly content?: Tree }>>;
}

const { catalogue } = defineBus({ eventTypes: { ORDER_PLACED: { description: "Somebody has bought something." } } });
const document = openApiDocument({ catalogue }) as OpenApi & Tree;
const faultsAt = validatorOf(document);

const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({
    path,
    method: method.toUpperCase(),
    operation: operation as Operation,
  })),
);

interface Found {
  readonly place: readonly string[];
  readonly object: Tree;
}

/** Every object in a value, with its place; examples are looked at by themselves. */
function objectsIn(value: unknown, place: readonly string[] = []): Found[] {
  if (typeof value !== "object" || value === null) return [];
  const own = Array.isArray(value) ? [] : [{ place, object: value as Tree }];
  const inner = Object.entries(value).filter(([key]) => key !== "examples");
  return [...own, ...inner.flatMap(([key, one]) => objectsIn(one, [...place, key]))];
}

const all = objectsIn(document);
const mediaTypes = all.filter(({ place }) => place.at(-2) === "content");
/** Schemas that stand by themselves: of media types, parameters, headers and components. */
const schemas = all.filter(({ place }) => place.at(-1) === "schema" || place.at(-2) === "schemas");

const inWords = (place: readonly string[]): string => place.join(" ");

describe("the OpenAPI document", () => {
  it("is valid by the JSON Schema that the OpenAPI Initiative publishes", async () => {
    const { valid, errors } = await new Validator().validate(structuredClone(document));
    expect(errors ?? []).toEqual([]);
    expect(valid).toBe(true);
  });

  it("describes every route once, under the name of its operation, and nothing else", () => {
    const described = operations.map(({ path, method, operation }) => `${operation.operationId} ${method} ${path}`);
    const served = ROUTES.map(({ operation, method, path }) => `${operation} ${method} ${path}`);
    expect(described.sort()).toEqual(served.sort());
  });

  it("names the parameters of each path, and no parameter twice", () => {
    for (const { path, operation } of operations) {
      const parameters = operation.parameters ?? [];
      const inPath = parameters.filter((one) => one.in === "path").map(({ name }) => `{${name}}`);
      expect(inPath, path).toEqual(path.match(/\{\w+\}/g) ?? []);
      expect(new Set(parameters.map(({ name, in: where }) => `${where} ${name}`)).size).toBe(parameters.length);
    }
  });

  it("refers only to what is there", () => {
    const references = all.flatMap(({ object }) => (typeof object["$ref"] === "string" ? [object["$ref"]] : []));
    expect(references.length).toBeGreaterThan(100);
    const broken = references.filter((reference) => {
      const place = reference.slice("#/".length).split("/");
      return placeIn(document, place).value === undefined;
    });
    expect(broken).toEqual([]);
  });

  it("has no component that nothing refers to", () => {
    const text = JSON.stringify(document);
    const unused = all
      .filter(({ place }) => place.length === 3 && place[0] === "components" && place[1] !== "securitySchemes")
      .map(({ place }) => `"#/${place.join("/")}"`)
      .filter((reference) => !text.includes(reference));
    expect(unused).toEqual([]);
  });

  it("lists its tags", () => {
    const tags = (document["tags"] as readonly { readonly name: string }[]).map(({ name }) => name);
    expect(new Set(operations.flatMap(({ operation }) => operation.tags))).toEqual(new Set(tags));
  });

  it("has schemas that mean what they say", () => {
    expect(schemas.length).toBeGreaterThan(100);
    for (const { place } of schemas) expect(() => faultsAt(placeIn(document, place), {}), inWords(place)).not.toThrow();
  });

  it("closes every object that it knows the fields of, so that a field nobody described is noticed", () => {
    const open = all
      .filter(({ object }) => object["type"] === "object" && "properties" in object && !("$ref" in object))
      .filter(({ object }) => object["additionalProperties"] !== false)
      .map(({ place }) => inWords(place));
    expect(open).toEqual([
      // Documents of other standards, what endpoints return, and attributes that whoever sends a CloudEvent may add.
      "paths /openapi.json get responses 200 content application/json schema",
      "paths /asyncapi.json get responses 200 content application/json schema",
      "webhooks delivery post responses 2XX content application/json schema",
      "components schemas CloudEventInput",
    ]);
  });

  it("gives examples that fit, of every body that is sent or answered", () => {
    for (const { place, object } of mediaTypes) {
      const isDocument = /^paths \/(open|async)api\.json/.test(inWords(place));
      const examples = Object.entries((object["examples"] ?? {}) as Readonly<Record<string, { value: unknown }>>);
      if (!isDocument) expect(examples, inWords(place)).not.toEqual([]);
      for (const [name, { value }] of examples)
        expect(faultsAt(placeIn(document, place).in("schema"), value), `${inWords(place)} ${name}`).toEqual([]);
    }
  });

  it("gives streams as examples whose events are as it describes them", () => {
    const streams = mediaTypes.filter(({ place }) => place.at(-1) === "text/event-stream");
    expect(streams).toHaveLength(3);
    for (const { place, object } of streams) {
      const [, path = "", method = ""] = place;
      const { stream } = object["examples"] as { readonly stream: { readonly value: string } };
      const headers = new Headers({ "content-type": "text/event-stream" });
      const call = { method: method.toUpperCase(), path: path.replace(/\{\w+\}/, "id"), status: 200, headers };
      expect(stream.value, path).toContain("data: {");
      expect(conformance(document).check({ ...call, text: stream.value }), path).toEqual([]);
    }
  });

  it("tells every code of failure, each at its own status, and those of the platform at every operation", () => {
    const told = new Set<string>();
    for (const { path, method, operation } of operations) {
      const here = new Set<string>();
      for (const status of Object.keys(operation.responses).filter((one) => Number(one) >= 400)) {
        const response = placeIn(document, ["paths", path, method.toLowerCase(), "responses", status]);
        const schema = response.in("content").in("application/problem+json").in("schema").value;
        const { enum: codes } = (schema as { properties: { code: { enum: (keyof typeof ERROR_KINDS)[] } } }).properties
          .code;
        for (const code of codes) {
          expect(ERROR_KINDS[code].status, `${method} ${path}`).toBe(Number(status));
          here.add(code);
          told.add(code);
        }
      }
      for (const code of ["unauthenticated", "forbidden", "internal", "unavailable"]) expect(here).toContain(code);
    }
    expect([...told].sort()).toEqual(Object.keys(ERROR_KINDS).sort());
  });

  it("takes the types that may be sent from the catalogue", () => {
    const { enum: types } = placeIn(document, ["components", "schemas", "EventType"]).value as { enum: string[] };
    expect(types).toEqual(Object.keys(catalogue));
    expect(types).toContain("ORDER_PLACED");
  });

  it("says where the API is, when it is known", () => {
    expect(openApiDocument({ catalogue, serverUrl: "https://bus.example.com" })).toMatchObject({
      servers: [{ url: "https://bus.example.com" }],
    });
  });

  it("has the version of the package", () => {
    const { version } = JSON.parse(readFileSync(projectPath("package.json"), "utf8")) as { version: string };
    expect(document["info"]).toMatchObject({ version });
  });
});
