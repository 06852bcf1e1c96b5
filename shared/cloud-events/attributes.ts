/**
 * The attributes of a CloudEvent: their names, their types, and which of them the bus reads.
 *
 * @see https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md, "Context Attributes"
 */
import * as v from "valibot";
import { BusError } from "../errors.ts";
import { nameField, readInput } from "../input.ts";
import type { JsonObject, JsonValue } from "../json.ts";
import { relocated } from "../locate.ts";
import { isJsonMediaType } from "./media-types.ts";
import { isTimestamp } from "./timestamp.ts";
import { isUriReference } from "./uri-reference.ts";

/** Whether CloudEvents allow this text in an attribute: no control characters, noncharacters or halves of characters. */
export const isAttributeText = (text: string): boolean => !/[\p{Cc}\p{Cs}\p{Noncharacter_Code_Point}]/u.test(text);

const allowedText = v.check(isAttributeText, "text without control characters and noncharacters was expected");
const textField = v.pipe(
  v.string("a string was expected"),
  v.minLength(1, "at least one character was expected"),
  allowedText,
);
const optionalName = v.optional(v.pipe(nameField, allowedText));

/** An attribute that the bus does not read. */
const otherField = v.custom<string | number | boolean>(
  (value) =>
    (typeof value === "string" && isAttributeText(value)) || typeof value === "boolean" || isAttributeInteger(value),
  "a string, a boolean or a whole number of 32 bits was expected",
);

function isAttributeInteger(value: unknown): boolean {
  return typeof value === "number" && value === (value | 0);
}

const Attributes = v.objectWithRest(
  {
    specversion: v.literal("1.0", 'the version "1.0" was expected'),
    id: textField,
    source: v.pipe(textField, v.check(isUriReference, "a URI reference (RFC 3986) was expected")),
    type: textField,
    time: v.optional(v.pipe(textField, v.check(isTimestamp, "a date and time of RFC 3339 was expected"))),
    datacontenttype: v.optional(
      v.pipe(textField, v.check(isJsonMediaType, "a media type of JSON, like application/json, was expected")),
    ),
    agenttype: optionalName,
    correlationid: optionalName,
    causationid: optionalName,
    traceparent: v.optional(textField),
  },
  otherField,
);

/** The attributes that the bus knows, checked. */
export type Attributes = v.InferOutput<typeof Attributes>;

/**
 * Checks all attributes of an event; null is the same as absent. @throws BusError `invalid_request`
 *
 * @param placeOf where an attribute stands in what was sent
 */
export function readAttributes(
  given: Readonly<Record<string, JsonValue | undefined>>,
  placeOf: (attribute: string) => string,
): Attributes {
  const misnamed = Object.keys(given).filter((name) => !/^[a-z0-9]+$/.test(name) || name === "data");
  if (misnamed.length > 0)
    throw faultsAt(misnamed.map(placeOf), "a name of lower-case letters and digits, other than data, was expected");
  const present: JsonObject = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== null));
  try {
    return readInput(Attributes, present);
  } catch (error) {
    throw error instanceof BusError ? relocated(error, (pointer) => placeOf(pointer.slice(1))) : error;
  }
}

/** The same fault at several places. */
export function faultsAt(pointers: readonly string[], detail: string): BusError {
  return new BusError("invalid_request", pointers.map((pointer) => `${pointer}: ${detail}`).join("; "), {
    errors: pointers.map((pointer) => ({ pointer, detail })),
  });
}
