/** What who takes from a queue sends. */
import * as v from "valibot";
import { countField, readInput } from "../input.ts";
import { MAX_MESSAGES, MAX_POLL_SECONDS, MAX_REASON_CHARS, MAX_RECEIPTS, MAX_VISIBILITY_SECONDS } from "../limits.ts";
import { visibilityField } from "../subscriptions/input.ts";

const waitText = `seconds from 0 to ${MAX_POLL_SECONDS} were expected`;
const delayText = `seconds from 0 to ${MAX_VISIBILITY_SECONDS} were expected`;
const receiptsText = `1 to ${MAX_RECEIPTS} receipts were expected`;

const PollQuery = v.strictObject({
  wait: v.optional(
    v.pipe(
      v.string(),
      v.regex(/^\d{1,2}(\.\d{1,3})?$/, waitText),
      v.transform(Number),
      v.maxValue(MAX_POLL_SECONDS, waitText),
    ),
    "0",
  ),
  max: v.optional(countField(1, MAX_MESSAGES), String(MAX_MESSAGES)),
  visibility: v.optional(countField(1, MAX_VISIBILITY_SECONDS, "a whole number of seconds")),
});

const receiptsField = v.pipe(
  v.array(
    v.pipe(v.string("a string was expected"), v.regex(/^[^.]+\.[^.]+$/, "the receipt of a message was expected")),
    "an array of receipts was expected",
  ),
  v.minLength(1, receiptsText),
  v.maxLength(MAX_RECEIPTS, receiptsText),
);

const Acknowledgement = v.strictObject({ receipts: receiptsField }, "an object was expected");
const Return = v.strictObject(
  {
    receipts: receiptsField,
    delay: v.optional(
      v.pipe(v.number(delayText), v.minValue(0, delayText), v.maxValue(MAX_VISIBILITY_SECONDS, delayText)),
      0,
    ),
    reason: v.optional(
      v.pipe(
        v.string("a string was expected"),
        v.maxLength(MAX_REASON_CHARS, `at most ${MAX_REASON_CHARS} characters were expected`),
      ),
    ),
  },
  "an object was expected",
);
const Extension = v.strictObject({ receipts: receiptsField, visibility: visibilityField }, "an object was expected");

/** A poll. @throws BusError `invalid_request` */
export function readPoll(query: Record<string, string>): {
  waitMs: number;
  max: number;
  visibilitySeconds: number | undefined;
} {
  const { wait, max, visibility } = readInput(PollQuery, query);
  return { waitMs: wait * 1_000, max, visibilitySeconds: visibility };
}

/** @throws BusError `invalid_request` */
export function readAcknowledgement(body: unknown): { receipts: readonly string[] } {
  return readInput(Acknowledgement, body);
}

/** @throws BusError `invalid_request` */
export function readReturn(body: unknown): {
  receipts: readonly string[];
  delayMs: number;
  reason: string | undefined;
} {
  const { receipts, delay, reason } = readInput(Return, body);
  return { receipts, delayMs: delay * 1_000, reason };
}

/** @throws BusError `invalid_request` */
export function readExtension(body: unknown): { receipts: readonly string[]; visibilityMs: number } {
  const { receipts, visibility } = readInput(Extension, body);
  return { receipts, visibilityMs: visibility * 1_000 };
}
