/** Texts that break programs: the Big List of Naughty Strings, and what it does not have. */
import naughty from "big-list-of-naughty-strings";

/** For this bus: its own keys, lines of its streams and logs, and what its parsers have to tell apart. */
const OF_THE_BUS: readonly string[] = [
  "\u0000",
  "a\u0000b",
  "\u2028\u2029",
  "line\nline",
  "id: 1\n\ndata: {}\n\n",
  "\r\n\r\nevent: done\r\n",
  "\r",
  "\u001b[31mred\u001b[0m",
  "#",
  "E#META",
  "a#b#c",
  "$or",
  "$or.$and",
  "a.b.c",
  "constructor",
  "prototype",
  "toString",
  "__defineGetter__",
  "hasOwnProperty",
  "{{}}",
  "%",
  "%2F",
  "%00",
  "%zz",
  "..%2f..%2f",
  ".",
  "..",
  "/",
  "//evil.example",
  "\\",
  "~0~1",
  "\u{1F600}".repeat(50),
  "e\u0301",
  "\u00e9",
  "\uFEFF",
  "\uFFFD",
  "\uFFFE\uFFFF",
  "\u{10FFFF}",
  "\u200f\u202e",
  "x".repeat(200),
  "x".repeat(201),
  "ä".repeat(200),
];

/** Each once. */
export const HOSTILE_TEXTS: readonly string[] = [...new Set([...naughty, ...OF_THE_BUS])];

/** Whether a text may stand in a header at all. */
export const canBeHeader = (text: string): boolean => !/[^\P{Cc}\t]/u.test(text);

/** The text in a header, its bytes in UTF-8, as `curl` sends it. */
export const inHeader = (text: string): string => Buffer.from(text).toString("latin1");
