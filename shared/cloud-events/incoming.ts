/**
 * From a CloudEvent, in the body or in headers, to what an agent would have sent in the bus's own form.
 *
 * `type` is the event type, `data` the data; `source` and `id`, which identify a CloudEvent, make the idempotency key.
 * Of the other attributes the bus reads `agenttype`, `correlationid`, `causationid` and `traceparent`, and keeps no more.
 */
import { fromBase64 } from "../base64url.ts";
import type { EventInput } from "../draft-event.ts";
import { BusError, invalidField } from "../errors.ts";
import { hashOf } from "../hash.ts";
import { objectField, pointerTo, readInput, readTraceparent } from "../input.ts";
import type { JsonValue } from "../json.ts";
import { MAX_BATCH } from "../limits.ts";
import type { Locate } from "../locate.ts";
import { parseJson } from "../parse-json.ts";
import { type Attributes, faultsAt, readAttributes } from "./attributes.ts";
import { decodeHeaderValue } from "./header-value.ts";
import { isUriReference } from "./uri-reference.ts";

/** A CloudEvent as the bus takes it. */
export interface IncomingEvent {
  readonly input: EventInput;
  /** The same for the same event, in whichever mode it is sent. */
  readonly idempotencyKey: string;
  /** Well-formed; what is not is dropped, as W3C Trace Context asks. */
  readonly traceparent?: string;
  /** Where in the CloudEvent a fault of `input` stands. */
  readonly locate: Locate;
}

/** Where the parts of a CloudEvent stand in the message. */
interface Places {
  attribute(name: string): string;
  /** @param path pointer within the data */
  data(path: string): string;
}

/**
 * An event in structured mode, or an element of a batch. @throws BusError `invalid_request`
 *
 * @param at pointer of the event, for one of a batch
 */
export function fromStructured(value: JsonValue | undefined, at = ""): IncomingEvent {
  const { data, data_base64, ...given } = readInput(objectField, value, at);
  const isEncoded = data_base64 !== undefined && data_base64 !== null;
  const places: Places = {
    attribute: (name) => at + pointerTo([name]),
    data: (path) => (isEncoded ? `${at}/data_base64` : `${at}/data${path}`),
  };
  const attributes = readAttributes(given, places.attribute);
  if (isEncoded && data !== undefined) throw invalidField(places.data(""), "either this or data was expected");
  return incoming(attributes, isEncoded ? decoded(data_base64, places.data("")) : data, places);
}

/**
 * An event in binary mode: attributes in headers, data in the body. @throws BusError `invalid_request`, and what
 * `readBody` throws
 *
 * @param headers names in lower case
 * @param readBody called once the headers say that it is JSON
 */
export function fromBinary(headers: Readonly<Record<string, string>>, readBody: () => JsonValue): IncomingEvent {
  const places: Places = {
    attribute: (name) => (name === "datacontenttype" ? "Content-Type" : `ce-${name}`),
    data: (path) => path,
  };
  const attributes = readAttributes(attributeHeaders(headers), places.attribute);
  return incoming(attributes, readBody(), places);
}

/** The elements of a batch, of which there may be none. @throws BusError `invalid_request` */
export function readBatch(body: JsonValue): readonly JsonValue[] {
  if (Array.isArray(body) && body.length <= MAX_BATCH) return body;
  const detail = `an array of up to ${MAX_BATCH} CloudEvents was expected`;
  throw new BusError("invalid_request", `body: ${detail}`, { errors: [{ pointer: "", detail }] });
}

function incoming(attributes: Attributes, data: JsonValue | undefined, places: Places): IncomingEvent {
  const { id, source, type, agenttype, correlationid, causationid } = attributes;
  const traceparent = readTraceparent(attributes.traceparent);
  return {
    input: {
      type,
      data: readInput(objectField, data, places.data("")),
      ...(agenttype === undefined ? {} : { agent_type: agenttype }),
      ...(correlationid === undefined ? {} : { correlation_id: correlationid }),
      ...(causationid === undefined ? {} : { causation_id: causationid }),
    },
    idempotencyKey: `cloudevent:${hashOf([source, id])}`,
    ...(traceparent === undefined ? {} : { traceparent }),
    locate: locateIn(places),
  };
}

/** The attributes by what the bus calls them. */
const ATTRIBUTES: Readonly<Record<string, string>> = {
  "/type": "type",
  "/agent_type": "agenttype",
  "/correlation_id": "correlationid",
  "/causation_id": "causationid",
  "Idempotency-Key": "id",
};

function locateIn(places: Places): Locate {
  return (pointer) => {
    const attribute = ATTRIBUTES[pointer];
    if (attribute !== undefined) return places.attribute(attribute);
    const path = /^\/data(\/.*|)$/s.exec(pointer)?.[1];
    return path === undefined ? pointer : places.data(path);
  };
}

function attributeHeaders(headers: Readonly<Record<string, string>>): Record<string, string> {
  const given = Object.entries(headers).filter(([name]) => name.startsWith("ce-"));
  if (given.some(([name]) => name === "ce-datacontenttype"))
    throw invalidField("ce-datacontenttype", "Content-Type was expected in its place");
  const attributes = given.map(([name, value]) => [name.slice("ce-".length), readHeader(name, value)] as const);
  const garbled = attributes.filter(([, value]) => value === null).map(([name]) => `ce-${name}`);
  if (garbled.length > 0) throw faultsAt(garbled, "printable ASCII with percent-encoded UTF-8 was expected");
  const contentType = headers["content-type"];
  return {
    ...(Object.fromEntries(attributes) as Record<string, string>),
    ...(contentType === undefined ? {} : { datacontenttype: contentType }),
  };
}

/** Several libraries do not encode what they send, so that the percent signs of a source stand for themselves. */
function readHeader(name: string, value: string): string | null {
  const text = decodeHeaderValue(value);
  const isUnencoded = name === "ce-source" && text !== null && !isUriReference(text) && isUriReference(value);
  return isUnencoded ? value : text;
}

/** Data that was sent as bytes. */
function decoded(encoded: JsonValue, pointer: string): JsonValue {
  const expected = "base64 of a JSON object was expected";
  if (typeof encoded !== "string") throw invalidField(pointer, expected);
  try {
    return parseJson(fromBase64(encoded));
  } catch (error) {
    if (!(error instanceof BusError)) throw invalidField(pointer, expected);
    const faults = error.errors.map((fault) => `${fault.pointer || "the whole"}: ${fault.detail}`);
    throw invalidField(pointer, `${expected}; what it holds has a fault at ${faults.join("; ")}`);
  }
}
