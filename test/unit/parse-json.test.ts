import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BusError, type FieldError } from "../../shared/errors.ts";
import { MAX_JSON_DEPTH } from "../../shared/limits.ts";
import { parseJson } from "../../shared/parse-json.ts";
import { exactNumbers } from "../support/json-corpus.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const parse = (text: string) => parseJson(bytes(text));

function refusal(input: string | Uint8Array): FieldError {
  try {
    parseJson(typeof input === "string" ? bytes(input) : input);
  } catch (error) {
    if (!(error instanceof BusError)) throw error;
    expect(error.code).toBe("invalid_json");
    expect(error.errors).toHaveLength(1);
    return error.errors[0] as FieldError;
  }
  throw new Error(`accepted: ${String(input).slice(0, 80)}`);
}

describe("what JSON is accepted", () => {
  it.each([
    ["null"],
    [" true "],
    ['"text"'],
    ["[]"],
    ["{}"],
    ["[[], {}, [{}]]"],
    ['{"": 1, " ": 2}'],
    ['{"a": {"a": {"a": 1}}, "b": [{"a": 1}, {"a": 2}]}'],
    ['"\\u0061\\n\\"\\\\\\/"'],
    ['"\\ud83d\\ude00 \u{1F600}"'],
    ['{"\\"": 1, "\\\\": 2}'],
    ['["\\\\", "\\\\\\"", "a,b:{[1e400]}"]'],
    ['{"constructor": 1, "toString": 2, "hasOwnProperty": 3}'],
    ['"\\u0000\\uFFFF"'],
    ['{"proto": {"__proto": 1, "_proto_": 2}}'],
    ['["__proto__"]'],
  ])("%s comes back as JSON.parse has it", (text) => {
    expect(parse(text)).toEqual(JSON.parse(text));
  });

  it("comes back deep-equal, whatever value was written", () => {
    fc.assert(
      fc.property(fc.jsonValue({ noUnicodeString: false }), (value) => {
        const text = JSON.stringify(value);
        fc.pre(!text.includes('"__proto__":'));
        expect(parse(text)).toEqual(JSON.parse(text));
      }),
      { numRuns: 500 },
    );
  });

  it("comes back deep-equal with white space anywhere it may stand", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom(" ", "\t", "\n  "), (value, space) => {
        const text = JSON.stringify(value, null, space);
        fc.pre(!text.includes('"__proto__":'));
        expect(parse(` ${text}\r\n`)).toEqual(JSON.parse(text));
      }),
    );
  });
});

describe("what is not JSON is refused", () => {
  it.each([
    ["", /nothing/],
    [" \n\t", /nothing/],
    ["\uFEFF{}", /byte order mark/],
    ["{", /JSON/],
    ["}", /JSON/],
    ["]]]", /JSON/],
    ["[1,]", /JSON/],
    ["[1 2]", /JSON/],
    ['{"a" 1}', /JSON/],
    ["{a: 1}", /JSON/],
    ["{'a': 1}", /JSON/],
    ["[01]", /JSON/],
    ["[+1]", /JSON/],
    ["[1e]", /JSON/],
    ["[--1]", /JSON/],
    ["[.5]", /JSON/],
    ["[NaN]", /JSON/],
    ["[Infinity]", /JSON/],
    ["// comment\n1", /JSON/],
    ['"open', /JSON/],
    ['"open\\', /JSON/],
    ['"tab\there"', /JSON/],
    ['"\\x41"', /JSON/],
    ['"\\u00"', /JSON/],
    ['{"\\q": 1}', /JSON/],
    ["[1] [2]", /JSON/],
    ["\u00a01", /JSON/],
  ])("%j", (text, detail) => {
    const error = refusal(text);
    expect(error.pointer).toBe("");
    expect(error.detail).toMatch(detail);
  });

  it("says where the text breaks off, without quoting it", () => {
    expect(refusal('{"password": "secret", !}').detail).toMatch(/character 23$/);
  });

  it.each([
    ["an overlong encoding", [0x22, 0xc0, 0xaf, 0x22]],
    ["a lone continuation byte", [0x22, 0x80, 0x22]],
    ["a truncated character", [0x22, 0xe2, 0x82]],
    ["an encoded surrogate", [0x22, 0xed, 0xa0, 0x80, 0x22]],
    ["UTF-16", [0xff, 0xfe, 0x5b, 0x00, 0x5d, 0x00]],
    ["Latin 1", [0x22, 0xe9, 0x22]],
  ])("%s is not UTF-8 [emit-1]", (_what, codes) => {
    expect(refusal(Uint8Array.from(codes))).toEqual({ pointer: "", detail: "expected text in UTF-8" });
  });
});

describe("keys", () => {
  it.each([
    ['{"a": 1, "a": 1}', "/a"],
    ['{"a": 1, "b": {"x": [0, {"k": 1, "k": 2}]}}', "/b/x/1/k"],
    ['{"\\u0061": 1, "a": 2}', "/a"],
    ['{"a\\/b": 1, "a/b": 2}', "/a~1b"],
    ['{"~": 1, "\\u007e": 2}', "/~0"],
    ['{"": 1, "": 2}', "/"],
    ['{"é": 1, "\\u00e9": 2}', "/é"],
  ])("one that stands twice is refused: %s [emit-1]", (text, pointer) => {
    expect(refusal(text)).toEqual({ pointer, detail: expect.stringContaining("once") });
  });

  it("one that stands twice is found among many [emit-1]", () => {
    const members = Array.from({ length: 50 }, (_, i) => `"k${i}": ${i}`);
    expect(Object.keys(parse(`{${members.join()}}`) as object)).toHaveLength(50);
    for (const twice of [0, 7, 8, 9, 49])
      expect(refusal(`{${members.join()}, "k${twice}": 1}`).pointer).toBe(`/k${twice}`);
  });

  it("the same key in the next object is another key", () => {
    expect(parse('[{"a": 1}, {"a": 1}, {"b": {"a": 1}, "a": 2}]')).toHaveLength(3);
  });

  it.each([['{"__proto__": 1}'], ['{"\\u005f_proto__": {"admin": true}}']])(
    "__proto__ is refused: %s [emit-1]",
    (text) => {
      expect(refusal(text)).toEqual({ pointer: "/__proto__", detail: expect.stringContaining("another key") });
    },
  );
});

describe("nesting", () => {
  const nested = (depth: number) => `${"[".repeat(depth)}${"]".repeat(depth)}`;

  it("is accepted up to the limit and refused one level deeper [emit-1]", () => {
    expect(parse(nested(MAX_JSON_DEPTH))).toEqual(JSON.parse(nested(MAX_JSON_DEPTH)));
    expect(refusal(nested(MAX_JSON_DEPTH + 1))).toEqual({
      pointer: "/0".repeat(MAX_JSON_DEPTH),
      detail: `expected at most ${MAX_JSON_DEPTH} levels of nesting`,
    });
  });

  it("counts objects and arrays alike, and levels rather than containers", () => {
    const objects = `${'{"k":'.repeat(MAX_JSON_DEPTH)}1${"}".repeat(MAX_JSON_DEPTH)}`;
    expect(parse(objects)).toEqual(JSON.parse(objects));
    expect(refusal(`[${objects}]`).pointer).toBe(`/0${"/k".repeat(MAX_JSON_DEPTH - 1)}`);
    expect(parse(`[${Array(1_000).fill("[[]]").join()}]`)).toHaveLength(1_000);
  });
});

describe("strings", () => {
  it.each([
    ['["\\ud800"]', "/0"],
    ['{"a": "x\\udc00y"}', "/a"],
    ['["ok", "\\ude00\\ud83d"]', "/1"],
    ['"\\uD800\\n"', ""],
    ['{"a": {"\\ud800": 1}}', "/a/\uFFFD"],
  ])("half of a surrogate pair is refused: %s", (text, pointer) => {
    expect(refusal(text)).toEqual({ pointer, detail: expect.stringContaining("surrogate") });
  });
});

describe("numbers", () => {
  it.each([
    ["0"],
    ["-0"],
    ["0.0"],
    ["0e999"],
    ["-0E+400"],
    ["1.0"],
    ["1E2"],
    ["1e-78"],
    ["0.1"],
    ["0.10"],
    ["1.50e+3"],
    ["100000000000000000000"],
    ["9007199254740992"],
    ["9007199254740994"],
    ["-9007199254740991"],
    ["123456789012345.6"],
    ["0.30000000000000004"],
    ["0.299999999999999988897769753748434595763683319091796875"],
    ["1.7976931348623157e308"],
    ["5e-324"],
    ["2.2250738585072014e-308"],
    ["0.0000000000000000000001"],
    [`1${"0".repeat(300)}`],
    ["1e22"],
    ["0.10000000000000000000"],
  ])("%s is kept", (literal) => {
    expect(parse(`[${literal}]`)).toEqual([Number(literal)]);
  });

  it.each([
    ["1e400"],
    ["-1e400"],
    ["1e309"],
    ["123123e100000"],
    [`1${"0".repeat(400)}`],
    ["1e-400"],
    ["123e-10000000"],
    ["1e-324"],
    ["4e-324"],
    ["9007199254740993"],
    ["-9007199254740993"],
    ["9007199254740993.0"],
    ["12345678901234567890"],
    ["0.1234567890123456789"],
    ["3.141592653589793238462643383279"],
    ["1e99999999999999999999"],
    ["1.00000000000000000001"],
    [`0.${"1".repeat(200)}`],
    ["90071992547409930e-1"],
    ["72057594037927936"],
    ["-9223372036854775808"],
  ])("%s is refused", (literal) => {
    expect(refusal(`{"n": [0, ${literal}]}`)).toEqual({ pointer: "/n/1", detail: expect.stringContaining("double") });
  });

  it("every double is kept, printed with any number of digits that identify it", () => {
    fc.assert(
      fc.property(
        fc.double({ noNaN: true, noDefaultInfinity: true }),
        fc.integer({ min: 16, max: 99 }),
        (double, digits) => {
          // JavaScript prints -0 as 0.
          const printed = double === 0 ? 0 : double;
          expect(parse(JSON.stringify(double))).toBe(printed);
          expect(parse(double.toExponential(digits))).toBe(printed);
        },
      ),
    );
  });

  it("of the integers beyond 2^53, those are kept that come back with the same digits", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 2n ** 53n, max: 2n ** 80n }), fc.nat(15), (integer, zeros) => {
        const literal = `${integer / 10n ** BigInt(zeros)}${"0".repeat(zeros)}`;
        const [printed] = exactNumbers(JSON.stringify(Number(literal)));
        if (exactNumbers(literal)[0] === printed) expect(parse(literal)).toBe(Number(literal));
        else expect(refusal(literal).pointer).toBe("");
      }),
    );
  });
});

describe("hostile texts end in a refusal or a value, and soon", () => {
  const MB = 1024 * 1024;
  // Each is a body at the limit of 5 MB: some 10 to 400 ms when the work is linear; anything quadratic would take minutes, and
  // end as a timed-out test.
  it.each([
    ["open brackets", () => "[".repeat(5 * MB)],
    ["closed brackets", () => "]".repeat(5 * MB)],
    ["open objects", () => '{"a":'.repeat(MB)],
    ["pairs of brackets", () => `[${"[],".repeat(MB)}1]`],
    ["quotes", () => '"'.repeat(5 * MB)],
    ["backslashes", () => "\\".repeat(5 * MB)],
    ["an open string of escapes", () => `"${"\\n".repeat(2 * MB)}`],
    ["a long number", () => "1".repeat(5 * MB)],
    ["a long fraction", () => `0.${"0".repeat(5 * MB)}1`],
    ["a long exponent", () => `1e${"0".repeat(5 * MB)}1`],
    ["minus signs", () => "-".repeat(5 * MB)],
    ["one long key, twice", () => `{"${"k".repeat(2 * MB)}":1,"${"k".repeat(2 * MB)}":1}`],
    ["many keys", () => `{${Array.from({ length: 300_000 }, (_, i) => `"key${i}":1`).join()}}`],
    ["many escaped strings", () => `[${Array(300_000).fill('"a\\u0041"').join()}]`],
    ["many plain strings after one escape at the end", () => `[${Array(400_000).fill('"abc"').join()},"\\n"]`],
  ])("%s", (_what, build) => {
    const text = build();
    try {
      parse(text);
    } catch (error) {
      expect(error).toBeInstanceOf(BusError);
    }
  });
});
