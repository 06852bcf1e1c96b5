import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { logLine } from "../../shared/log-line.ts";
import { HOSTILE_TEXTS } from "../support/hostile-texts.ts";

const RECORD = { level: "info", message: "said", time: "2026-06-01T12:00:00.000Z" };

/** All that some reader takes for the end of a line (Unicode, section 5.8; Python's `splitlines`), and what terminals obey. */
const HARMFUL = /[\p{Cc}\u2028\u2029]/u;

/** The record, which has to be one line of JSON. */
function written(fields: object): Record<string, unknown> {
  const line = logLine(RECORD, fields);
  expect(line).not.toMatch(HARMFUL);
  return JSON.parse(line) as Record<string, unknown>;
}

const cyclic: Record<string, unknown> = { name: "cyclic" };
cyclic["self"] = cyclic;
cyclic["list"] = [cyclic, { cyclic }];

const revoked = Proxy.revocable({}, {});
revoked.revoke();

describe("a log record is one line of JSON", () => {
  it("whatever texts it has, which come back as they were", () => {
    for (const text of HOSTILE_TEXTS)
      expect(written({ text, list: [text] })).toEqual({ ...RECORD, text, list: [text] });
  });

  it("whatever names, values and messages it has", () => {
    const value = fc.anything({
      withBigInt: true,
      withDate: true,
      withMap: true,
      withNullPrototype: true,
      withObjectString: true,
      withSet: true,
      withSparseArray: true,
      withTypedArray: true,
      maxDepth: 4,
    });
    const text = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.constantFrom("\n", "\u2028", "\u0085", "\ud800", "\u001b[2J"),
    );
    fc.assert(
      fc.property(text, fc.dictionary(text, value), (message, fields) => {
        const line = logLine({ ...RECORD, message }, fields);
        expect(line).not.toMatch(HARMFUL);
        expect(JSON.parse(line)).toMatchObject({ level: "info", time: RECORD.time });
      }),
      { numRuns: 300, seed: 10 },
    );
  });

  it.each<[string, unknown, unknown]>([
    ["what refers to itself", cyclic, { name: "cyclic", self: "(itself)", list: ["(itself)", { cyclic: "(itself)" }] }],
    ["a large integer", 2n ** 64n, "18446744073709551616"],
    ["an error", new TypeError("no\nway"), "TypeError: no\nway"],
    [
      "what fails when it is read",
      {
        ok: 1,
        get no(): never {
          throw new Error("no");
        },
      },
      { ok: 1, no: "(unreadable)" },
    ],
    [
      "what fails when it is written",
      {
        toJSON: () => {
          throw new Error("no");
        },
      },
      {},
    ],
    ["a proxy that is gone", revoked.proxy, "(unreadable)"],
    ["a date that is none", new Date(Number.NaN), "Invalid Date"],
    ["a function", () => 1, undefined],
    ["no number", Number.NaN, null],
    ["a map", new Map([["a", 1]]), {}],
  ])("with %s", (_what, value, shown) => {
    expect(written({ value })["value"]).toEqual(shown);
  });

  it("that stays short and shallow", () => {
    let deep: object = {};
    for (let level = 0; level < 100_000; level++) deep = { deep };
    expect(JSON.stringify(written({ deep })).length).toBeLessThan(300);
    expect(logLine(RECORD, { text: "x".repeat(1_000_000), list: Array(1_000_000).fill(1) }).length).toBeLessThan(
      10_000,
    );
  });

  it("that cannot pass for another", () => {
    expect(written({ level: "error", message: "forged", time: "never", agent: "a" })).toEqual({
      ...RECORD,
      agent: "a",
    });
    expect(Object.keys(written({ agent: "a", level: "error" }))).toEqual(["level", "message", "time", "agent"]);
  });
});
