import fc from "fast-check";
import { expect, it } from "vitest";
import { checkPattern, type EventPattern, matchesPattern } from "../../shared/event-pattern.ts";

/**
 * EventBridge's own way of matching, slowly: every field of the event is a name, a value and the elements of arrays it
 * lies in; the fields of a branch are gone through in the order of their names, and each takes, in turn, every value
 * that lies in no other element of an array than those taken before it.
 */
interface Field {
  readonly name: string;
  readonly value: unknown;
  readonly elements: ReadonlyMap<unknown[], number>;
}

function fieldsOf(value: unknown, name: string, elements: ReadonlyMap<unknown[], number>): Field[] {
  if (Array.isArray(value))
    return value.flatMap((element, i) =>
      fieldsOf(element, name, typeof element === "object" ? new Map([...elements, [value, i]]) : elements),
    );
  if (typeof value !== "object" || value === null) return [{ name, value, elements }];
  return Object.entries(value).flatMap(([key, member]) =>
    fieldsOf(member, name === "" ? key : `${name}.${key}`, elements),
  );
}

type Wanted = ReadonlyMap<string, readonly unknown[]>;

function branchesOf(pattern: object, prefix: string, before: readonly Wanted[]): readonly Wanted[] {
  let branches = before;
  for (const [key, inner] of Object.entries(pattern) as [string, unknown][]) {
    const name = prefix === "" ? key : `${prefix}.${key}`;
    if (key === "$or") branches = (inner as object[]).flatMap((branch) => branchesOf(branch, prefix, branches));
    else if (Array.isArray(inner)) branches = branches.map((wanted) => new Map([...wanted, [name, inner]]));
    else branches = branchesOf(inner as object, name, branches);
  }
  return branches;
}

function takes(
  fields: readonly Field[],
  wanted: readonly [string, readonly unknown[]][],
  taken: ReadonlyMap<unknown[], number>,
): boolean {
  const [next, ...others] = wanted;
  if (next === undefined) return true;
  const [name, alternatives] = next;
  const reachable = fields.filter(
    (field) =>
      field.name === name && [...field.elements].every(([array, index]) => (taken.get(array) ?? index) === index),
  );
  const mayBeAbsent = alternatives.some((alternative) => JSON.stringify(alternative) === '{"exists":false}');
  if (mayBeAbsent && reachable.length === 0 && takes(fields, others, taken)) return true;
  return reachable
    .filter((field) => alternatives.some((one) => one === field.value || JSON.stringify(one) === '{"exists":true}'))
    .some((field) => takes(fields, others, new Map([...taken, ...field.elements])));
}

function matchesSlowly(pattern: EventPattern, event: object): boolean {
  const fields = fieldsOf(event, "", new Map());
  return branchesOf(pattern, "", [new Map()]).some((wanted) =>
    takes(
      fields,
      [...wanted].sort(([a], [b]) => (a < b ? -1 : 1)),
      new Map(),
    ),
  );
}

const key = fc.constantFrom("a", "b", "c");
const leaf = fc.array(
  fc.oneof(fc.constantFrom<unknown>(1, 2), fc.constantFrom<unknown>({ exists: false }, { exists: true })),
  {
    minLength: 1,
    maxLength: 2,
  },
);
const object = <T>(member: fc.Arbitrary<T>) => fc.dictionary(key, member, { noNullPrototype: true, maxKeys: 3 });

/** An array holds values, or objects, or arrays: of one that mixes them, EventBridge says nothing. */
const eventOf = (depth: number): fc.Arbitrary<object> => {
  const value = fc.oneof(fc.constantFrom<unknown>(1, 2), fc.array(fc.constantFrom(1, 2), { maxLength: 2 }));
  if (depth === 0) return object(value);
  const inner = eventOf(depth - 1);
  const elements = fc.array(inner, { maxLength: 3 });
  return object(fc.oneof(value, inner, elements, elements, fc.array(elements, { maxLength: 2 })));
};

const patternOf = (depth: number): fc.Arbitrary<EventPattern> => {
  const fields = fc.dictionary(key, leaf, { minKeys: 1, maxKeys: 3, noNullPrototype: true });
  if (depth === 0) return fields;
  const inner = patternOf(depth - 1);
  const deeper = fc.dictionary(key, fc.oneof(leaf, inner), { minKeys: 1, maxKeys: 3, noNullPrototype: true });
  return fc.oneof(
    fields,
    deeper,
    deeper,
    fc.tuple(deeper, inner, inner).map(([rest, one, other]) => ({ ...rest, $or: [one, other] })),
  );
};

it("takes and refuses the same events as EventBridge's own way of going through fields and arrays", () => {
  const verdicts = { true: 0, false: 0 };
  fc.assert(
    fc.property(patternOf(2), fc.array(eventOf(2), { minLength: 5, maxLength: 5 }), (somePattern, events) => {
      fc.pre(checkPattern(somePattern).length === 0);
      for (const someEvent of events) {
        const verdict = matchesPattern(somePattern, someEvent);
        verdicts[`${verdict}`]++;
        expect(verdict).toBe(matchesSlowly(somePattern, someEvent));
      }
    }),
    { numRuns: 3_000 },
  );
  // The comparison is worth something only if both happen often.
  expect(Math.min(verdicts.true, verdicts.false)).toBeGreaterThan(1_000);
});
