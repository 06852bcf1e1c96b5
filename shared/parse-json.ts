/**
 * JSON from outside, read without losing anything.
 *
 * `JSON.parse` makes the value; a scan over the same text, beside it, refuses what `JSON.parse` would change in silence
 * or what would hurt later: duplicate keys, numbers that a double cannot hold, lone surrogates, `__proto__`, and nesting
 * so deep that recursion over the value would overflow. The scan is one pass, without recursion, and comes first.
 */
import { BusError } from "./errors.ts";
import type { JsonValue } from "./json.ts";
import { survivesAsDouble } from "./json-number.ts";
import { MAX_JSON_DEPTH } from "./limits.ts";

/** Fatal: bytes that are not UTF-8 are refused, not replaced. `ignoreBOM` keeps a byte order mark in the text, where it is no JSON. */
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * The value of a JSON text in UTF-8.
 *
 * @throws BusError `invalid_json`, with the JSON pointer (RFC 6901) of the culprit; the pointer of the whole text, `""`,
 * when it is not UTF-8 or not JSON
 */
export function parseJson(bytes: Uint8Array): JsonValue {
  const text = decode(bytes);
  new JsonScan(text).run();
  try {
    return JSON.parse(text) as JsonValue;
  } catch (cause) {
    throw invalidJson("", notJson(text, cause), cause);
  }
}

function decode(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch (cause) {
    throw invalidJson("", "expected text in UTF-8", cause);
  }
}

function notJson(text: string, cause: unknown): string {
  if (text.trim() === "") return "expected JSON, got nothing";
  if (text.startsWith("\uFEFF")) return "expected JSON without a byte order mark";
  // The engine's message quotes the input; only the position is passed on.
  const position = /at position (\d+)/.exec(String(cause))?.[1];
  return position === undefined ? "expected JSON" : `expected JSON; it breaks off at character ${position}`;
}

function invalidJson(pointer: string, detail: string, cause?: unknown): BusError {
  const where = pointer === "" ? "The body" : pointer;
  return new BusError("invalid_json", `${where}: ${detail}`, { errors: [{ pointer, detail }], cause });
}

/** An object or array that is open at the current position. */
interface Frame {
  readonly isObject: boolean;
  /** Of the current element; arrays only. */
  index: number;
  /** Of the current member; objects only. */
  key: string | null;
  /** The next string is a key. */
  expectsKey: boolean;
  readonly keys: SeenKeys;
}

/**
 * Keys of one object. Most objects are small: a list is cheaper than a set until it is not, and a list searched beyond
 * this length would make the scan quadratic.
 */
const SMALL_OBJECT = 8;

class SeenKeys {
  private readonly few: string[] = [];
  private many: Set<string> | null = null;

  /** False if the key was there already. */
  add(key: string): boolean {
    if (this.many === null ? this.few.includes(key) : this.many.has(key)) return false;
    if (this.many !== null) this.many.add(key);
    else if (this.few.push(key) > SMALL_OBJECT) this.many = new Set(this.few);
    return true;
  }
}

const QUOTE = 0x22;
const MINUS = 0x2d;
const COMMA = 0x2c;
const DIGIT_0 = 0x30;
const DIGIT_9 = 0x39;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/**
 * One pass over a text that is JSON, or else will be refused by `JSON.parse` afterwards: the scan checks no grammar and
 * only has to end, in linear time, on anything.
 */
class JsonScan {
  private readonly text: string;
  private readonly open: Frame[] = [];
  private position = 0;
  /** Of the first backslash at or after `position`, or the text's length: strings without one are skipped in one go. */
  private nextBackslash = -1;

  constructor(text: string) {
    this.text = text;
  }

  /** @throws BusError `invalid_json` */
  run(): void {
    const { text, open } = this;
    while (this.position < text.length) {
      const code = text.charCodeAt(this.position);
      if (code === QUOTE) this.scanString();
      else if (code === MINUS || (code >= DIGIT_0 && code <= DIGIT_9)) this.scanNumber();
      else {
        if (code === OPEN_OBJECT || code === OPEN_ARRAY) this.push(code === OPEN_OBJECT);
        else if (code === CLOSE_OBJECT || code === CLOSE_ARRAY) open.pop();
        else if (code === COMMA) this.nextMember();
        this.position++;
      }
    }
  }

  private push(isObject: boolean): void {
    if (this.open.length === MAX_JSON_DEPTH) this.refuse(`expected at most ${MAX_JSON_DEPTH} levels of nesting`);
    this.open.push({ isObject, index: 0, key: null, expectsKey: isObject, keys: new SeenKeys() });
  }

  private nextMember(): void {
    const frame = this.open.at(-1);
    if (frame === undefined) return;
    if (frame.isObject) frame.expectsKey = true;
    else frame.index++;
  }

  private scanString(): void {
    const start = this.position;
    const { end, isPlain } = this.findStringEnd(start + 1);
    this.position = end + 1;
    const content = isPlain ? this.text.slice(start + 1, end) : this.decodeString(start, end);
    const frame = this.open.at(-1);
    if (frame?.expectsKey === true) this.takeKey(frame, content);
    if (!isPlain && !content.isWellFormed()) this.refuse("expected whole characters, got half of a surrogate pair");
  }

  /** The closing quote of the string whose content begins at `start`, or the text's end. */
  private findStringEnd(start: number): { end: number; isPlain: boolean } {
    const { text } = this;
    let end = start;
    let isPlain = true;
    for (;;) {
      const quote = text.indexOf('"', end);
      if (quote === -1) return { end: text.length, isPlain };
      if (this.nextBackslash < end) {
        const backslash = text.indexOf("\\", end);
        this.nextBackslash = backslash === -1 ? text.length : backslash;
      }
      if (quote < this.nextBackslash) return { end: quote, isPlain };
      isPlain = false;
      end = this.nextBackslash + 2;
    }
  }

  private decodeString(start: number, end: number): string {
    try {
      return JSON.parse(this.text.slice(start, end + 1)) as string;
    } catch {
      // A bad escape: the text is no JSON, and JSON.parse will say so.
      return "";
    }
  }

  private takeKey(frame: Frame, key: string): void {
    frame.expectsKey = false;
    frame.key = key;
    if (key === "__proto__") this.refuse("expected another key: this one is not accepted");
    if (!frame.keys.add(key)) this.refuse("expected each key once, got it twice");
  }

  private scanNumber(): void {
    const { text } = this;
    const start = this.position;
    let end = start + 1;
    while (end < text.length && isPartOfNumber(text.charCodeAt(end))) end++;
    this.position = end;
    if (!survivesAsDouble(text.slice(start, end)))
      this.refuse("expected a number that a double holds without loss; send it as a string");
  }

  private refuse(detail: string): never {
    throw invalidJson(this.pointer(), detail);
  }

  /** Of the value, or the key, at the current position. */
  private pointer(): string {
    return this.open
      .filter((frame) => !frame.isObject || frame.key !== null)
      .map((frame) => `/${frame.isObject ? escapePointer(frame.key ?? "") : frame.index}`)
      .join("");
  }
}

/** Digits, signs, the point and the exponent. */
function isPartOfNumber(code: number): boolean {
  return (
    (code >= DIGIT_0 && code <= DIGIT_9) ||
    code === 0x2e ||
    code === 0x65 ||
    code === 0x45 ||
    code === 0x2b ||
    code === MINUS
  );
}

/** A key as a segment of a JSON pointer (RFC 6901, section 3), without halves of surrogate pairs. */
function escapePointer(key: string): string {
  return key.toWellFormed().replaceAll("~", "~0").replaceAll("/", "~1");
}
