/** Why an event does not fit a pattern: the first field that is at fault. */
import type { Branch, Leaf } from "./compile.ts";
import type { Scope } from "./event-fields.ts";
import { fittingBranches } from "./match.ts";
import { ask } from "./question.ts";
import type { Scalar } from "./value-test.ts";

/** What is shown of what was found. */
const MAX_FOUND = 10;
const MAX_FOUND_CHARS = 200;

/** The first field of a pattern that an event does not fit. */
export interface Mismatch {
  /** JSON pointer into the event, as in `/data/target`. The elements of arrays, which a pattern looks into, are no part of it. */
  readonly field: string;
  /** The values found there, 10 at most, strings cut at 200 characters; none when the field is absent. */
  readonly found: readonly unknown[];
  /** The alternatives of the pattern, as written. */
  readonly expected: readonly unknown[];
  /** The same in a sentence. */
  readonly detail: string;
}

/**
 * Explains by the branch that gets furthest, with most fields that the event satisfies; by the first of several.
 *
 * @param branches those of the pattern, of which the event fits none
 * @param fields of the event: those of the branches, at least
 */
export function explain(branches: readonly Branch[], fields: Scope, event: object): Mismatch {
  const satisfied = satisfiedAlone([...new Set(branches.flat())], fields);
  const branch = furthest(branches, satisfied);
  const alone = branch.find((leaf) => !satisfied.has(leaf));
  const leaf = alone ?? failingBesideOthers(branch, fields);
  const found = findValues(leaf.path, fields, new Set());
  const state = found.length > 0 ? `is ${listed(found)}` : stateWithoutValue(leaf.keys, event);
  const alternatives = `${leaf.alternatives.length > 1 ? "one of " : ""}${listed(leaf.alternatives)}`;
  const field = leaf.keys.map((key) => `/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
  return {
    field,
    found,
    expected: leaf.alternatives,
    detail: `${field} ${state}; expected ${alternatives}${alone === undefined ? BESIDE_OTHERS : ""}`,
  };
}

const BESIDE_OTHERS =
  ", in the same element of a list as the pattern's other fields: no one element satisfies all of them";

/** The fields that the event satisfies when nothing else is asked for. */
function satisfiedAlone(leaves: readonly Leaf[], fields: Scope): Set<Leaf> {
  const fitting = fittingBranches(ask(leaves.map((leaf) => [leaf])), fields, { steps: 0 });
  return new Set(leaves.filter((leaf, i) => fitting.has(i) || isDecidedBesideOthers(leaf, fields)));
}

/** Whether a field is absent from an element of a list depends on which element the others are found in. */
function isDecidedBesideOthers(leaf: Leaf, { arrayOf }: Scope): boolean {
  return leaf.mayBeAbsent && arrayOf.has(leaf.path);
}

function furthest(branches: readonly Branch[], satisfied: ReadonlySet<Leaf>): Branch {
  const counts = branches.map((branch) => branch.filter((leaf) => satisfied.has(leaf)).length);
  return branches[counts.indexOf(Math.max(...counts))] as Branch;
}

/** The first field that cannot be satisfied once those before it are. Those that may be absent come last. */
function failingBesideOthers(branch: Branch, fields: Scope): Leaf {
  const ordered = [...branch.filter((leaf) => !leaf.mayBeAbsent), ...branch.filter((leaf) => leaf.mayBeAbsent)];
  const fitting = fittingBranches(ask(ordered.map((_, i) => ordered.slice(0, i + 1))), fields, { steps: 0 });
  return ordered.find((_, i) => !fitting.has(i)) as Leaf;
}

/** The first different values of a field, in whatever elements of lists they stand. @param found those so far */
function findValues(path: string, { values, arrays }: Scope, found: Set<Scalar>): Scalar[] {
  for (const value of values.get(path) ?? [])
    if (found.size < MAX_FOUND) found.add(typeof value === "string" ? value.slice(0, MAX_FOUND_CHARS) : value);
  for (const { elements, paths } of arrays)
    if (paths.has(path)) for (const element of elements) if (found.size < MAX_FOUND) findValues(path, element, found);
  return [...found];
}

/** What can be said of a field that has no value to a pattern, which sees neither objects nor lists. */
function stateWithoutValue(keys: readonly string[], event: object): string {
  let at: unknown = event;
  for (const key of keys) at = new Map<string, unknown>(Object.entries(at ?? {})).get(key);
  if (typeof at !== "object" || at === null) return "is absent";
  return Array.isArray(at) ? "is a list without values" : "is an object, not a value";
}

function listed(values: readonly unknown[]): string {
  return values.map((value) => JSON.stringify(value)).join(", ");
}
