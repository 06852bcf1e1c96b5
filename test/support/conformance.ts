/** Whether calls and answers are what the OpenAPI document says: what it does not know is a fault. */
import { Ajv2020 } from "ajv/dist/2020.js";
import formats from "ajv-formats";
import config from "../../bus.config.ts";
import { openApiDocument } from "../../shared/openapi/document.ts";
import { problemReferences } from "../../shared/openapi/errors.ts";
import { findOperation, type OpenApi, type Place, placeIn, type ResponseObject } from "./openapi-places.ts";

/** A call that was made, and how it was answered. */
export interface Call {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly requestHeaders?: Readonly<Record<string, string>>;
  /** As text, or what was sent as JSON. */
  readonly requestBody?: unknown;
  readonly status: number;
  readonly headers: Headers;
  /** Empty for a stream that was not read to its end. */
  readonly text: string;
}

export interface Conformance {
  /** The faults of a call, each in a sentence; none when it is as the document says. */
  check(call: Call): string[];
}

/** What a path or a method that is not served is answered with. */
const NOT_SERVED = problemReferences(["not_found", "payload_too_large"]);

/** @param document an OpenAPI 3.1 document */
export function conformance(document: object): Conformance {
  const api = { ...document, "x-not-served": NOT_SERVED } as unknown as OpenApi;
  const faultsAt = validatorOf(api);
  return {
    check(call) {
      const found = findOperation(api, call.method, pathOf(call));
      const what = `${call.method} ${pathOf(call)}`;
      const responses = found?.in("responses") ?? placeIn(api, ["x-not-served"]);
      const response = responses.in(String(call.status));
      const faults =
        response.value === undefined
          ? [`${call.status} is not documented`]
          : faultsOfResponse(call, response, faultsAt);
      const asked = found !== null && call.status < 300 ? faultsOfRequest(call, found, faultsAt) : [];
      return [...faults, ...asked].map((fault) => `${what} (${call.status}): ${fault}`);
    },
  };
}

let ofThisProject: Conformance | undefined;

/** The faults of a call to a bus with this project's `bus.config.ts`. */
export function faultsOf(call: Call): string[] {
  ofThisProject ??= conformance(openApiDocument({ catalogue: config.catalogue }));
  return ofThisProject.check(call);
}

/** What is wrong with a value, by the schema at a place of the document. @throws Error when the schema is none */
export type FaultsAt = (schema: Place, value: unknown) => string[];

export function validatorOf(api: OpenApi): FaultsAt {
  const ajv = newAjv();
  // The document around the schemas says nothing about a value.
  ajv.addVocabulary(Object.keys(api));
  ajv.addSchema(api, "api.json");
  return (schema, value) => {
    const validate = ajv.getSchema(`api.json${schema.reference}`);
    if (validate === undefined) throw new Error(`There is no schema at ${schema.reference}.`);
    if (validate(value) === true) return [];
    return (validate.errors ?? []).map(({ instancePath, message, params }) => {
      const extra = params["additionalProperty"] ?? params["allowedValue"] ?? params["allowedValues"];
      return `${instancePath || "the whole"} ${message}${extra === undefined ? "" : ` (${JSON.stringify(extra)})`}`;
    });
  };
}

/** Strict: a schema that says what is no keyword, or what has no effect, is refused. */
export function newAjv(): Ajv2020 {
  const ajv = new Ajv2020({ strict: true, strictRequired: false, allowUnionTypes: true, allErrors: true });
  formats.default(ajv);
  return ajv;
}

function faultsOfResponse(call: Call, at: Place, faultsAt: FaultsAt): string[] {
  const response = at.value as ResponseObject;
  const missing = Object.entries(response.headers ?? {}).flatMap(([name, { required = false }]) =>
    required && !call.headers.has(name) ? [`the header ${name} is missing`] : [],
  );
  return [...missing, ...faultsOfBody(call, at, response, faultsAt)];
}

function faultsOfBody(call: Call, at: Place, response: ResponseObject, faultsAt: FaultsAt): string[] {
  if (response.content === undefined) return call.text === "" ? [] : ["a body is not documented"];
  const mediaType = mediaTypeOf(call.headers.get("content-type"));
  if (response.content[mediaType] === undefined) return [`the media type "${mediaType}" is not documented`];
  if (call.method === "HEAD") return [];
  const content = at.in("content").in(mediaType);
  if (mediaType === "text/event-stream") return faultsOfStream(call.text, content, faultsAt);
  const body = parse(call.text);
  if (body === undefined) return ["the body is no JSON"];
  return [...faultsAt(content.in("schema"), body), ...faultsOfRetrying(call, body)];
}

/** Said in words only, for OpenAPI cannot: whoever may retry is told when. */
function faultsOfRetrying({ headers }: Call, body: unknown): string[] {
  const isRetryable = typeof body === "object" && body !== null && "retryable" in body && body.retryable === true;
  return isRetryable && !headers.has("retry-after") ? ["it is retryable and has no Retry-After"] : [];
}

function faultsOfStream(text: string, content: Place, faultsAt: FaultsAt): string[] {
  const events = content.in("x-events");
  return text.split("\n\n").flatMap((block) => {
    const field = (name: string): string | undefined =>
      block
        .split("\n")
        .find((line) => line.startsWith(`${name}: `))
        ?.slice(name.length + 2);
    const data = field("data");
    if (data === undefined) return [];
    const schema = events.in(field("event") ?? "message");
    if (schema.value === undefined) return [`the event "${field("event")}" is not documented`];
    return faultsAt(schema, parse(data));
  });
}

function faultsOfRequest(call: Call, operation: Place, faultsAt: FaultsAt): string[] {
  return [...faultsOfQuery(call, operation, faultsAt), ...faultsOfRequestBody(call, operation, faultsAt)];
}

function faultsOfQuery(call: Call, operation: Place, faultsAt: FaultsAt): string[] {
  const parameters = (operation.in("parameters").value ?? []) as readonly { name: string; in: string }[];
  const query = new URLSearchParams(call.path.split("?")[1] ?? "");
  return [...query].flatMap(([name, value]) => {
    const index = parameters.findIndex((parameter) => parameter.in === "query" && parameter.name === name);
    if (index < 0) return [`the query parameter "${name}" was taken and is not documented`];
    const schema = operation.in("parameters").in(String(index)).in("schema");
    const type = (schema.value as { type?: string }).type;
    const isNumber = (type === "number" || type === "integer") && value.trim() !== "";
    return faultsAt(schema, isNumber ? Number(value) : value).map((fault) => `the query parameter "${name}": ${fault}`);
  });
}

function faultsOfRequestBody(call: Call, operation: Place, faultsAt: FaultsAt): string[] {
  if (call.requestBody === undefined) return [];
  const headers = new Headers(call.requestHeaders);
  // In binary mode the body is the data of a CloudEvent, of which nothing is known.
  if ([...headers.keys()].some((name) => name.startsWith("ce-"))) return [];
  // Part of the batch was refused, and that part need not be as documented.
  const answer = parse(call.text) as { rejected?: number } | undefined;
  if ((answer?.rejected ?? 0) > 0) return [];
  const content = operation.in("requestBody").in("content");
  const documented = content.in(mediaTypeOf(headers.get("content-type")));
  // Other media types are taken for JSON too, as what `curl -d` says.
  const { value } = documented;
  const schema = (value === undefined ? content.in("application/json") : documented).in("schema");
  if (schema.value === undefined) return ["a body was taken and is not documented"];
  const sent = typeof call.requestBody === "string" ? call.requestBody : JSON.stringify(call.requestBody);
  return faultsAt(schema, parse(sent)).map((fault) => `the request: ${fault}`);
}

const pathOf = ({ path }: Call): string => path.split("?")[0] ?? "";

const mediaTypeOf = (header: string | null): string => (header?.split(";")[0] ?? "").trim().toLowerCase();

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
