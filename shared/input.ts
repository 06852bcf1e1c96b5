/** Reading input: what a body, a query or a header must look like, and the error when it does not. */
import * as v from "valibot";
import { BusError, type FieldError, invalidField } from "./errors.ts";
import type { JsonObject, JsonValue } from "./json.ts";
import { MAX_IDEMPOTENCY_KEY_CHARS, MAX_NAME_CHARS, MAX_PAGE_SIZE } from "./limits.ts";

/** A name that the caller chose: an agent type, a conversation, an id. */
export const nameField = v.pipe(
  v.string("a string was expected"),
  v.minLength(1, "at least one character was expected"),
  v.maxLength(MAX_NAME_CHARS, `at most ${MAX_NAME_CHARS} characters were expected`),
);

/** A JSON object. Its contents are checked by whoever knows them. */
export const objectField = v.custom<JsonObject>(
  (value) => typeof value === "object" && value !== null && !Array.isArray(value),
  "an object was expected",
);

/** A whole number in a query. @param what it counts, for the error */
export const countField = (least: number, most: number, what = "a whole number") => {
  const text = `${what} from ${least} to ${most} was expected`;
  return v.pipe(
    v.string(),
    v.regex(/^\d{1,9}$/, text),
    v.transform(Number),
    v.minValue(least, text),
    v.maxValue(most, text),
  );
};

/** How many a page may have. Marked as pure, so that functions that read no pages start without it. */
export const limitField = /* @__PURE__ */ v.optional(/* @__PURE__ */ countField(1, MAX_PAGE_SIZE));

/**
 * The value as the schema has it. @throws BusError `invalid_request` with a pointer for every fault
 * @param at pointer of the value itself, for what stands inside a larger body
 */
export function readInput<const Schema extends v.GenericSchema>(
  schema: Schema,
  value: unknown,
  at = "",
): v.InferOutput<Schema> {
  // To the library a list is an object too.
  const result = v.safeParse(schema, Array.isArray(value) ? null : value);
  if (result.success) return result.output;
  const errors = result.issues.map((issue) => toFieldError(issue, at));
  throw new BusError(
    "invalid_request",
    errors.map((error) => `${error.pointer || "body"}: ${error.detail}`).join("; "),
    { errors },
  );
}

function toFieldError(issue: v.BaseIssue<unknown>, at: string): FieldError {
  const pointer = at + pointerTo(issue.path?.map((item) => item.key) ?? []);
  if (issue.type === "strict_object" && issue.expected === "never") return { pointer, detail: "this field is unknown" };
  if (issue.received === "undefined") return { pointer, detail: "this field is missing" };
  return { pointer, detail: issue.message };
}

/** The JSON pointer (RFC 6901) of a path. */
export function pointerTo(path: readonly unknown[]): string {
  return path.map((key) => `/${String(key).replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
}

/** The `Idempotency-Key` header, if any. @throws BusError `invalid_request` */
export function readIdempotencyKey(header: string | undefined): string | undefined {
  if (header === undefined) return undefined;
  if (header.length === 0 || header.length > MAX_IDEMPOTENCY_KEY_CHARS)
    throw invalidField("Idempotency-Key", `1 to ${MAX_IDEMPOTENCY_KEY_CHARS} characters were expected`);
  return header;
}

/**
 * The `traceparent` header when it is well-formed (https://www.w3.org/TR/trace-context/); anything else is as if it were not
 * there, as the standard asks. One of a later version is read as far as the first, and passed on as such.
 */
export function readTraceparent(header: string | undefined): string | undefined {
  const parts = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/.exec(header ?? "");
  if (parts === null) return undefined;
  const [, version = "", traceId = "", parentId = "", flags = "", more] = parts;
  if (version === "ff" || /^0+$/.test(traceId) || /^0+$/.test(parentId)) return undefined;
  if (version === "00" && more !== undefined) return undefined;
  return `00-${traceId}-${parentId}-${flags}`;
}

const utf8 = new TextEncoder();

/** Length in UTF-8, as JSON. */
export function utf8Bytes(value: JsonValue | JsonObject | object): number {
  return utf8.encode(JSON.stringify(value)).length;
}
