import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkPattern, type EventPattern, explainMismatch, matchesPattern } from "../../shared/event-pattern.ts";

const detailOf = (pattern: EventPattern, event: object) => explainMismatch(pattern, event)?.detail;
const fieldOf = (pattern: EventPattern, event: object) => explainMismatch(pattern, event)?.field;

describe("an event that a filter does not take is explained", () => {
  it("by the field, what stands there, and what was expected", () => {
    const pattern = { data: { target: ["billing", { prefix: "invoice-" }] } };
    expect(explainMismatch(pattern, { data: { target: "crm" } })).toEqual({
      field: "/data/target",
      found: ["crm"],
      expected: ["billing", { prefix: "invoice-" }],
      detail: '/data/target is "crm"; expected one of "billing", {"prefix":"invoice-"}',
    });
    expect(explainMismatch(pattern, { data: { target: "invoice-7" } })).toBeNull();
  });

  it("by a field that is absent, or is no value", () => {
    const pattern = { data: { target: ["billing"] } };
    expect(explainMismatch(pattern, { data: {} })).toEqual({
      field: "/data/target",
      found: [],
      expected: ["billing"],
      detail: '/data/target is absent; expected "billing"',
    });
    expect(detailOf(pattern, {})).toContain("is absent");
    expect(detailOf(pattern, { data: { target: {} } })).toContain("is an object, not a value");
    expect(detailOf(pattern, { data: { target: [] } })).toContain("is a list without values");
    expect(detailOf({ data: { toString: ["x"] } }, { data: {} })).toContain("/data/toString is absent");
    expect(detailOf({ a: [{ exists: false }] }, { a: null })).toBe('/a is null; expected {"exists":false}');
  });

  it("by the first field that fails, in the order in which the filter is written", () => {
    const pattern = { z: [1], data: { y: [2], b: [3] }, a: [4] };
    expect(fieldOf(pattern, { z: 0 })).toBe("/z");
    expect(fieldOf(pattern, { z: 1 })).toBe("/data/y");
    expect(fieldOf(pattern, { z: 1, data: { y: 2 }, a: 0 })).toBe("/data/b");
    expect(fieldOf(pattern, { z: 1, data: { y: 2, b: 3 } })).toBe("/a");
    expect(fieldOf(pattern, { z: 1, data: { y: 2, b: 3 }, a: 4 })).toBeUndefined();
  });

  it("by a pointer, whatever is in the names", () => {
    expect(fieldOf({ "a/b": { "~c": ["x"] } }, {})).toBe("/a~1b/~0c");
  });

  it("of $or, by the branch that gets furthest, and the first of several", () => {
    const pattern = {
      $or: [
        { a: [1], b: [1] },
        { c: [1], d: [1], e: [1] },
      ],
      f: [1],
    };
    expect(fieldOf(pattern, { f: 1 })).toBe("/a");
    expect(fieldOf(pattern, { a: 1, f: 1 })).toBe("/b");
    expect(fieldOf(pattern, { c: 1, e: 1, f: 1 })).toBe("/d");
    expect(fieldOf(pattern, { a: 1, b: 1 })).toBe("/f");
    expect(fieldOf(pattern, { a: 1, c: 1, f: 1 })).toBe("/b");
  });

  it("with ten values of a list at most, each once, and 200 characters of a long one", () => {
    const tags = ["x".repeat(300), "x".repeat(300), ...Array.from({ length: 30 }, (_, i) => i % 20)];
    const found = explainMismatch({ tags: ["y"] }, { tags })?.found;
    expect(found).toEqual(["x".repeat(200), 0, 1, 2, 3, 4, 5, 6, 7, 8]);
    expect(explainMismatch({ d: { a: [9] } }, { d: [{ a: 1 }, { b: 2 }, { a: [3, 1] }] })?.found).toEqual([1, 3]);
  });

  it("where fields of a list's elements fit, but not those of one element", () => {
    const orders = {
      orders: [
        { item: "pen", amount: 5 },
        { item: "ink", amount: 1 },
      ],
    };
    expect(explainMismatch({ orders: { item: ["ink"], amount: [{ numeric: [">", 2] }] } }, orders)).toEqual({
      field: "/orders/amount",
      found: [5, 1],
      expected: [{ numeric: [">", 2] }],
      detail:
        '/orders/amount is 5, 1; expected {"numeric":[">",2]}, in the same element of a list as the pattern\'s other ' +
        "fields: no one element satisfies all of them",
    });
    expect(detailOf({ orders: { item: ["ink"], amount: [7] } }, orders)).toBe("/orders/amount is 5, 1; expected 7");
  });

  it("by another field than one that is rightly absent from an element", () => {
    const pattern = { d: { b: [{ exists: false }], c: [1], a: [1] } };
    expect(fieldOf(pattern, { d: [{ a: 1, c: 2 }, { b: 1 }] })).toBe("/d/c");
    expect(fieldOf({ ...pattern, z: [1] }, { d: [{ a: 1, c: 1 }, { b: 1 }] })).toBe("/z");
    expect(fieldOf(pattern, { d: [{ a: 1, b: 1, c: 1 }] })).toBe("/d/b");
  });
});

it("a filter that is not valid explains nothing", () => {
  expect(() => explainMismatch({ a: [] }, {})).toThrow(/not valid: \/a: expected/);
});

describe("an explanation is given exactly when the filter does not take the event", () => {
  const key = fc.constantFrom("a", "b", "c");
  const scalar = fc.constantFrom<unknown>(0, 1, "x", "xy", null, true);
  const alternative = fc.oneof(
    scalar,
    fc.constantFrom<unknown>(
      { exists: true },
      { exists: false },
      { exists: false },
      { prefix: "x" },
      { "anything-but": ["x"] },
      { numeric: [">", 0] },
      { wildcard: "*y" },
    ),
  );
  const dictionary = <T>(member: fc.Arbitrary<T>, minKeys: number) =>
    fc.dictionary(key, member, { minKeys, maxKeys: 3, noNullPrototype: true });
  const leaf = fc.array(alternative, { minLength: 1, maxLength: 3 });
  const patternOf = (depth: number): fc.Arbitrary<object> => {
    const fields = dictionary(depth === 0 ? leaf : fc.oneof(leaf, patternOf(depth - 1)), 1);
    if (depth === 0) return fields;
    const branches = fc.array(patternOf(depth - 1), { minLength: 2, maxLength: 3 });
    return fc.oneof(
      fields,
      fc.tuple(fields, branches).map(([some, $or]) => ({ ...some, $or })),
    );
  };
  const eventOf = (depth: number): fc.Arbitrary<object> => {
    if (depth === 0) return dictionary(scalar, 0);
    const inner = fc.oneof(scalar, eventOf(depth - 1));
    return dictionary(fc.oneof(inner, fc.array(inner, { maxLength: 3 })), 0);
  };

  it("and names a field of the filter, with what is found in the event", () => {
    const verdicts = { true: 0, false: 0 };
    fc.assert(
      fc.property(patternOf(2), fc.array(eventOf(2), { minLength: 4, maxLength: 4 }), (somePattern, events) => {
        const filter = somePattern as EventPattern;
        fc.pre(checkPattern(filter).length === 0);
        for (const someEvent of events) {
          const mismatch = explainMismatch(filter, someEvent);
          const verdict = matchesPattern(filter, someEvent);
          verdicts[`${verdict}`]++;
          expect(mismatch === null).toBe(verdict);
          if (mismatch === null) continue;
          expect(JSON.stringify(filter)).toContain(JSON.stringify(mismatch.expected));
          expect(mismatch.detail.startsWith(`${mismatch.field} is `)).toBe(true);
          for (const value of mismatch.found) expect(JSON.stringify(someEvent)).toContain(JSON.stringify(value));
        }
      }),
      { numRuns: 2_000 },
    );
    expect(Math.min(verdicts.true, verdicts.false)).toBeGreaterThan(300);
  });

  it("to the field that is at fault: with values it expects instead, an event without lists gets further", () => {
    const flat = dictionary(fc.oneof(scalar, dictionary(scalar, 0)), 0);
    const plain = dictionary(fc.oneof(fc.tuple(scalar), dictionary(fc.tuple(scalar), 1)), 1);
    fc.assert(
      fc.property(plain, flat, (somePattern, someEvent) => {
        const filter = somePattern as EventPattern;
        const mended = structuredClone(someEvent) as Record<string, unknown>;
        const fields: string[] = [];
        for (let next = explainMismatch(filter, mended); next !== null; next = explainMismatch(filter, mended)) {
          expect(fields).not.toContain(next.field);
          fields.push(next.field);
          const [, outer = "", inner] = next.field.split("/");
          if (inner === undefined) mended[outer] = next.expected[0];
          else
            mended[outer] = { ...(typeof mended[outer] === "object" ? mended[outer] : {}), [inner]: next.expected[0] };
        }
        expect(matchesPattern(filter, mended)).toBe(true);
      }),
    );
  });
});
