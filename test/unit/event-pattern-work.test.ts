/** No filter runs long (goal S9): what matching takes is counted in steps, which are the same on every machine. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  MAX_CHECKING_STEPS,
  MAX_COMPARISONS,
  MAX_FIELDS_TIMES_BRANCHES,
  MAX_STEPS_PER_BYTE,
  type Work,
} from "../../shared/event-pattern/work.ts";
import { checkPattern, type EventPattern, explainMismatch, matchesPattern } from "../../shared/event-pattern.ts";
import { MAX_EVENT_BYTES } from "../../shared/limits.ts";

/** On a machine that may have other work. */
const LONG = { timeout: 60_000 };

type Json = Record<string, unknown>;

const many = <T>(count: number, make: (i: number) => T): T[] => Array.from({ length: count }, (_, i) => make(i));
const sizeOf = (event: object): number => JSON.stringify(event).length;

/** As many as an event can have. */
function fill<T>(make: (i: number) => T): T[] {
  const elements: T[] = [];
  for (let bytes = 100; bytes < MAX_EVENT_BYTES; bytes += JSON.stringify(elements.at(-1)).length + 1)
    elements.push(make(elements.length));
  return elements;
}

/** Two alternatives on each of so many levels: they multiply. */
function ors(depth: number): Json {
  const here = { $or: [{ [`a${depth}`]: [1] }, { [`b${depth}`]: [1] }] };
  return depth === 0 ? here : { ...here, e: ors(depth - 1) };
}
/** Ten alternatives on one field. */
const tens = (field: string): Json[] => many(10, (i) => ({ [field]: [i] }));
const inArrays = (value: unknown, depth: number): unknown => (depth === 0 ? value : [inArrays(value, depth - 1)]);
const inElements = (value: unknown, depth: number): unknown =>
  depth === 0 ? value : { x: 0, d: [inElements(value, depth - 1)] };
const onLevels = (value: Json, depth: number): Json =>
  depth === 0 ? value : { x: [0], d: onLevels(value, depth - 1) };
/** One value under all ways to write a path of keys with dots. */
const spelled = (keys: readonly string[], value: unknown): Json =>
  Object.assign(
    {},
    ...keys.map((_, i) => {
      const key = keys.slice(0, i + 1).join(".");
      const rest = keys.slice(i + 1);
      return { [key]: rest.length === 0 ? value : spelled(rest, value) };
    }),
  );
const threeLetters = (i: number): string => (46_656 + i).toString(36).slice(-3);

const HOSTILE: readonly [what: string, pattern: EventPattern, event: Json][] = [
  [
    "branches on one field of many elements",
    { d: { $or: many(150, (i) => ({ a: [i] })) } },
    { d: fill(() => ({ a: "" })) },
  ],
  [
    "branches on one field of arrays in arrays",
    { d: { $or: many(150, (i) => ({ a: [i] })) } },
    { d: fill(() => [{ a: "" }]) },
  ],
  [
    "branches on a field each of many elements",
    { d: { $or: many(100, (i) => ({ [`${i}`]: [2] })) } },
    { d: fill((i) => ({ [`${i % 100}`]: 1 })) },
  ],
  [
    "a thousand branches, on elements of two fields",
    { d: { $or: tens("a"), x: { $or: tens("b"), x: { $or: tens("c"), z: [1], y: [1], w: [1] } } } },
    { d: fill(() => ({ a: 0, y: 1 })) },
  ],
  [
    "a hundred branches with a field each, on elements of two fields",
    { d: { $or: many(100, (i) => ({ [`${i}`]: [2] })) } },
    { d: fill((i) => ({ [`${i % 50}`]: 1, [`${50 + (i % 50)}`]: 1 })) },
  ],
  ["branches that multiply", { d: ors(8) }, { d: fill((i) => ({ [`${"e.".repeat(7)}${i % 2 ? "a" : "b"}1`]: 1 })) }],
  [
    "branches that multiply, on deep elements",
    { d: ors(8) },
    { d: fill((i) => many(7, () => 0).reduce<object>((inner) => ({ e: inner }), { [`a${i % 8}`]: 1 })) },
  ],
  [
    "many fields in arrays in arrays",
    { d: Object.fromEntries(many(120, (i) => [`${i}`, [i === 119 ? 3 : 2]])) },
    { d: fill(() => inArrays(Object.fromEntries(many(120, (i) => [`${i}`, 2])), 28)) },
  ],
  [
    "many fields in elements of elements",
    onLevels({ $or: many(80, (i) => ({ [`${i}`]: [2] })) }, 14),
    { d: fill(() => inElements(Object.fromEntries(many(80, (i) => [`${i}`, 1])), 13)) },
  ],
  [
    "one path in many spellings",
    { a: { b: { c: { d: { e: { f: { g: { h: many(100, (i) => `v${i}`) } } } } } } } },
    {
      d: 0,
      ...spelled(
        [..."abcdefgh"],
        many(100, (i) => ({ x: i })),
      ),
    },
  ],
  [
    "prefixes of many different texts",
    { a: many(MAX_COMPARISONS, () => ({ prefix: "!" })) },
    { a: fill((i) => threeLetters(i)) },
  ],
  [
    "case of many different texts",
    { a: many(45, (i) => ({ prefix: { "equals-ignore-case": `a${i}` } })) },
    { a: fill((i) => `ax${threeLetters(i)}`) },
  ],
  [
    "addresses",
    { a: many(60, (i) => ({ cidr: `1::${i}/127` })) },
    { a: fill((i) => `::${(i % 65_536).toString(16)}`) },
  ],
  ["numbers", { a: many(50, () => ({ numeric: [">", 1e9] })) }, { a: fill((i) => i) }],
  ["plain values", { a: many(240, (i) => `v${i}`) }, { a: fill((i) => i) }],
  ["excluded values", { a: [{ "anything-but": many(240, (i) => i) }] }, { a: fill((i) => i % 240) }],
  [
    "excluded beginnings",
    { a: [{ "anything-but": { prefix: many(MAX_COMPARISONS, (i) => `v${i}`) } }] },
    { a: fill(() => "v0") },
  ],
  ["wildcards on a long text", { a: [{ wildcard: "*aaaaaaaab*" }] }, { a: "a".repeat(190_000) }],
  ["a long piece on a long text", { a: [{ wildcard: `*b${"a".repeat(1_900)}*` }] }, { a: "a".repeat(190_000) }],
  ["wildcards on many texts", { a: [{ wildcard: "*aaaaaab*" }] }, { a: fill((i) => `aaaaaaa${i}`) }],
];

/** Small patterns and values, of which many fit each other. */
const keys = fc.constantFrom("a", "b", "c", "a.b", "b.c");
const value = fc.oneof(fc.integer({ min: 0, max: 3 }), fc.constantFrom("x", "xy", null, true));
const alternative = fc.oneof(
  value,
  fc.constantFrom<unknown>({ exists: false }, { prefix: "x" }, { "anything-but": { prefix: ["x", "z", "y"] } }),
  fc.constantFrom<unknown>({ numeric: [">", 2] }, { wildcard: "*y" }, { "anything-but": ["x", "y"] }),
);
const { pattern } = fc.letrec<{ pattern: unknown; field: unknown }>((tie) => ({
  pattern: fc
    .tuple(
      fc.dictionary(keys, tie("field"), { minKeys: 1, maxKeys: 3, noNullPrototype: true }),
      fc.option(fc.tuple(tie("pattern"), tie("pattern")), { nil: undefined, maxDepth: 2 }),
    )
    .map(([fields, $or]) => (Array.isArray($or) ? { ...fields, $or } : fields)),
  field: fc.oneof({ maxDepth: 3 }, fc.array(alternative, { minLength: 1, maxLength: 4 }), tie("pattern")),
}));
const { event } = fc.letrec<{ event: unknown }>((tie) => ({
  event: fc.oneof(
    { maxDepth: 4 },
    value,
    fc.array(tie("event"), { maxLength: 4 }),
    fc.dictionary(keys, tie("event"), { maxKeys: 4, noNullPrototype: true }),
  ),
}));

describe("no filter runs long: its steps are bounded by the event's size (S9)", () => {
  it.each(HOSTILE)("%s", (_what, pattern, event) => {
    expect(checkPattern(pattern)).toEqual([]);
    expect(sizeOf(event)).toBeLessThan(MAX_EVENT_BYTES + 4_096);
    const work: Work = { steps: 0 };
    expect(matchesPattern(pattern, event, work)).toBe(false);
    expect(work.steps).toBeLessThanOrEqual(MAX_STEPS_PER_BYTE * sizeOf(event));
    expect(explainMismatch(pattern, event)).not.toBeNull();
  });

  it("whatever filter is accepted, and whatever the event", LONG, () => {
    fc.assert(
      fc.property(pattern, fc.array(event, { minLength: 10, maxLength: 30 }), (given, elements) => {
        const filter = { d: given } as EventPattern;
        fc.pre(checkPattern(filter).length === 0);
        const sent = { d: elements };
        const work: Work = { steps: 0 };
        matchesPattern(filter, sent, work);
        // What the filter itself takes, whatever the event, is a fraction of the longest event's.
        const fixed = MAX_FIELDS_TIMES_BRANCHES / 4;
        expect(work.steps).toBeLessThanOrEqual(fixed + MAX_STEPS_PER_BYTE * sizeOf(sent));
      }),
      { numRuns: 200, seed: 9 },
    );
  });
});

it("a list that says its elements over and over fits what it fits when it says them once", LONG, () => {
  fc.assert(
    fc.property(pattern, fc.array(event, { minLength: 1, maxLength: 4 }), (given, elements) => {
      const filter = { d: given } as EventPattern;
      fc.pre(checkPattern(filter).length === 0);
      const once = matchesPattern(filter, { d: elements });
      expect(matchesPattern(filter, { d: many(20, () => elements).flat() })).toBe(once);
    }),
    { numRuns: 400, seed: 9 },
  );
});

describe("a filter that would be too much work is refused, and says why", () => {
  it.each<[string, EventPattern, EventPattern, string]>([
    [
      "too many operators on one field",
      { a: many(64, () => ({ prefix: "!" })) },
      { a: many(65, () => ({ prefix: "!" })) },
      "/a",
    ],
    [
      "too many in one operator",
      { a: [{ "anything-but": { suffix: many(64, (i) => `v${i}`) } }] },
      { a: [{ "anything-but": { suffix: many(65, (i) => `v${i}`) } }] },
      "/a",
    ],
    [
      "too many on one field, in different branches",
      { $or: many(8, () => ({ a: many(8, () => ({ exists: true })), b: [1] })) },
      { $or: many(9, () => ({ a: many(8, () => ({ exists: true })), b: [1] })) },
      "/$or/8/a",
    ],
    [
      "too many fields in too many combinations",
      { $or: many(100, (i) => ({ [`${i}`]: [2] })) },
      { $or: many(101, (i) => ({ [`${i}`]: [2] })) },
      "",
    ],
  ])("%s", (_what, fine, tooMuch, pointer) => {
    expect(checkPattern(fine)).toEqual([]);
    expect(checkPattern(tooMuch)).toEqual([{ pointer, detail: expect.stringMatching(/^expected (at most|fewer)/) }]);
  });

  it("plain values, and values that are excluded, may be as many as there is room for", () => {
    expect(checkPattern({ a: many(240, (i) => `v${i}`), b: [1] })).toEqual([]);
    expect(checkPattern({ a: [{ "anything-but": many(240, (i) => `v${i}`) }] })).toEqual([]);
  });

  it("but one that was accepted before still matches", () => {
    const pattern = { a: many(100, () => ({ prefix: "!" })) };
    expect(matchesPattern(pattern, { a: "!" })).toBe(true);
  });
});

describe("looking through wildcards ends after so many steps", () => {
  const letters = fc.string({ unit: fc.constantFrom("a", "b", "c"), minLength: 1, maxLength: 300 });
  const wildcard = fc
    .array(letters, { minLength: 1, maxLength: 5 })
    .map((pieces) => ({ wildcard: `*${pieces.join("*")}` }));
  /** One more set of states, with all that leads on: ten, by four tokens, is what they have at most. */
  const LAST_STEPS = 10_000;

  it("in one field, or in many after what was found before", LONG, () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(wildcard, fc.array(fc.nat(8), { minLength: 1 })), { maxLength: 12 }), (given) => {
        const branches = given.map(([z, a], i) => ({ a, [`b${i}`]: a, z: [z] }));
        const work: Work = { steps: 0 };
        checkPattern({ $or: branches }, work);
        checkPattern({ z: given.map(([z]) => z) }, work);
        expect(work.steps).toBeLessThanOrEqual(2 * (MAX_CHECKING_STEPS + LAST_STEPS));
      }),
      { numRuns: 200, seed: 9 },
    );
  });

  it("and what nobody could tell within them is refused", () => {
    // Three wildcards of four pieces, in which little repeats: states multiply without being many at once.
    const piece = (i: number) =>
      many(130, (j) => String.fromCharCode(97 + ((i * 7 + j * j * 3 + (j >> 2)) % 26))).join("");
    const wildcards = [0, 4, 8].map((i) => `*${many(4, (j) => piece(i + j)).join("*")}`);
    const work: Work = { steps: 0 };
    const faults = checkPattern({ a: wildcards.map((one) => ({ wildcard: one })) }, work);
    expect(work.steps).toBeGreaterThan(MAX_CHECKING_STEPS);
    expect(faults).toEqual([{ pointer: "/a", detail: expect.stringContaining("fewer stars") }]);
  });

  it("what people write takes hundreds", () => {
    const work: Work = { steps: 0 };
    const pattern = {
      type: [{ wildcard: "UPGRADE_*" }],
      data: {
        path: [{ wildcard: "arn:aws:events:*:event-bus/*" }, { wildcard: "dir/*.png" }, { wildcard: "lib/*/x" }],
        $or: [{ target: [{ wildcard: "billing-*-eu" }] }, { target: [{ wildcard: "crm-*" }] }],
      },
    };
    expect(checkPattern(pattern, work)).toEqual([]);
    expect(work.steps).toBeLessThan(1_000);
  });
});
