/**
 * How much there is to do to match a pattern (goal S9), counted in steps, so that it is the same on every machine. A
 * step is the comparison of a value with an alternative, or one word (32 branches) of what is found out for all branches.
 *
 * For every element of a list the fields are gone through for all branches, and for every value the operators of its
 * field: so these two products are limited, and with them what an event can cost: `MAX_STEPS_PER_BYTE`.
 */
import type { FieldError } from "../errors.ts";
import type { Branch, Leaf } from "./compile.ts";

/** What has been done so far. */
export interface Work {
  steps: number;
}

/** Fields times branches: 100 fields in 100 combinations, or 10 in 1,000. */
export const MAX_FIELDS_TIMES_BRANCHES = 10_000;

/** Comparisons that operators of one field make of a value. Plain values are looked up, and do not count. */
export const MAX_COMPARISONS = 64;

/**
 * The most that one byte of an event's JSON costs. An element of a list with two fields takes fourteen of them, as in
 * `{"a":1,"b":1},`; for it, ten fields of 32 words each are gone through, or seven groups and two times sixteen fields of
 * four: some 350 steps at most. One with a single field is told in a few. A value takes three of them, and each different
 * one six; it is compared 64 times at most.
 */
export const MAX_STEPS_PER_BYTE = 32;

/**
 * What it may take to tell whether wildcards are too complex, for a whole pattern: what anybody writes comes to thousands.
 * More is taken for too complex.
 */
export const MAX_CHECKING_STEPS = 50_000;

/** A fault of a pattern that makes too much work; null when it does not. @param branches of a pattern without faults */
export function findTooMuchWork(branches: readonly Branch[]): FieldError | null {
  const leaves = new Set(branches.flat());
  const fields = new Map<string, number>();
  for (const leaf of leaves) {
    const comparisons = (fields.get(leaf.path) ?? 0) + comparisonsOf(leaf);
    if (comparisons > MAX_COMPARISONS)
      return { pointer: leaf.pointer, detail: `expected at most ${MAX_COMPARISONS} operators for one field` };
    fields.set(leaf.path, comparisons);
  }
  if (fields.size * branches.length <= MAX_FIELDS_TIMES_BRANCHES) return null;
  const detail = `expected fewer fields, or fewer combinations of what stands in $or: ${fields.size} fields in ${branches.length} combinations are too much work`;
  return { pointer: "", detail };
}

/** What the operators of a field compare a value with. */
export function comparisonsOf({ alternatives }: Pick<Leaf, "alternatives">): number {
  return alternatives.reduce<number>((sum, alternative) => sum + comparisons(alternative), 0);
}

function comparisons(alternative: unknown): number {
  if (typeof alternative !== "object" || alternative === null) return 0;
  // Of an operator that is applied to a list, each of the list; plain values that are excluded are looked up.
  return Object.values(alternative).reduce<number>((sum, argument) => sum + listed(argument), 0);
}

function listed(argument: unknown): number {
  if (typeof argument !== "object" || argument === null || Array.isArray(argument)) return 1;
  return Math.max(1, ...Object.values(argument).map((list) => (Array.isArray(list) ? list.length : 1)));
}
