import { describe, expect, it } from "vitest";
import { readRetryAfter } from "../../../functions/runtime/webhook/retry-after.ts";

const nowMs = Date.parse("1994-11-06T08:49:00Z");

describe("how long an endpoint asks to be left alone", () => {
  it.each([
    ["0", 0],
    ["120", 120_000],
    [" 5 ", 5_000],
    ["Sun, 06 Nov 1994 08:49:37 GMT", 37_000],
    ["Sunday, 06-Nov-94 08:49:37 GMT", 37_000],
    ["Sun Nov  6 08:49:37 1994", 37_000],
    ["Mon, 07 Nov 1994 08:49:00 GMT", 86_400_000],
  ])("is read from %j", (value, ms) => expect(readRetryAfter(value, nowMs)).toBe(ms));

  it("is no time at all when the date has passed", () => {
    expect(readRetryAfter("Sun, 06 Nov 1994 08:48:00 GMT", nowMs)).toBe(0);
  });

  it("stays a number however large it is", () => {
    expect(readRetryAfter("9".repeat(400), nowMs)).toBe(Number.MAX_SAFE_INTEGER);
  });

  it.each([
    undefined,
    "",
    "soon",
    "-1",
    "1.5",
    "1e3",
    "0x10",
    "Infinity",
    "120, 60",
    "1994-11-06T08:49:37Z",
    "Sun, 06 Nov 1994 08:49:37",
    "Sun, 06 Nov 1994 08:49:37 CET",
    "Sun, 99 Nov 1994 08:49:37 GMT",
    "Sun, 06 Foo 1994 08:49:37 GMT",
    "06 Nov 1994",
  ])("is not told by %j", (value) => expect(readRetryAfter(value, nowMs)).toBeUndefined());
});
