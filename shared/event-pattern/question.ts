/**
 * The branches of a pattern, turned into one question: by field, what each branch wants of it. Branches have most of
 * their fields in common; asked like this, a field is looked at once for all of them.
 */
import { BranchSet } from "./branch-set.ts";
import type { Branch, Leaf } from "./compile.ts";
import { getOrSet } from "./get-or-set.ts";
import type { Scalar, ValueTest } from "./value-test.ts";
import { comparisonsOf, type Work } from "./work.ts";

export interface Question {
  readonly branches: number;
  /** In the order of their paths. */
  readonly fields: readonly Field[];
}

export interface Field {
  readonly path: string;
  /** The branches that want something of it. */
  readonly by: BranchSet;
  /** Those that let it be absent. */
  readonly mayBeAbsent: BranchSet;
  /** Those that a value is enough for. */
  readonly values: ReadonlyMap<Scalar, BranchSet>;
  /** Those that any value which a test takes is enough for. */
  readonly tests: readonly FieldTest[];
}

interface FieldTest {
  readonly anyOf: readonly ValueTest[];
  /** That trying all of them takes. */
  readonly comparisons: number;
  readonly by: BranchSet;
}

export function ask(branches: readonly Branch[]): Question {
  const wantedBy = new Map<Leaf, BranchSet>();
  for (const [number, branch] of branches.entries())
    for (const leaf of branch) getOrSet(wantedBy, leaf, () => BranchSet.none(branches.length)).add(number);
  const byPath = new Map<string, Leaf[]>();
  for (const leaf of wantedBy.keys()) getOrSet(byPath, leaf.path, () => []).push(leaf);
  const fields = [...byPath].map(([path, leaves]) => fieldOf(path, leaves, wantedBy, branches.length));
  return { branches: branches.length, fields: fields.sort((a, b) => (a.path < b.path ? -1 : 1)) };
}

function fieldOf(
  path: string,
  leaves: readonly Leaf[],
  wantedBy: ReadonlyMap<Leaf, BranchSet>,
  branches: number,
): Field {
  const none = () => BranchSet.none(branches);
  const field = {
    path,
    by: none(),
    mayBeAbsent: none(),
    values: new Map<Scalar, BranchSet>(),
    tests: [] as FieldTest[],
  };
  for (const leaf of leaves) {
    const by = wantedBy.get(leaf) ?? none();
    field.by.addAll(by);
    if (leaf.mayBeAbsent) field.mayBeAbsent.addAll(by);
    for (const value of leaf.values) getOrSet(field.values, value, none).addAll(by);
    if (leaf.tests.length > 0) field.tests.push({ anyOf: leaf.tests, comparisons: comparisonsOf(leaf), by });
  }
  return field;
}

/** Those of the branches that no one of a field's values is enough for. */
export function unsatisfied(
  { values, tests }: Field,
  found: readonly Scalar[],
  branches: BranchSet,
  work: Work,
): BranchSet {
  const rest = branches.copy();
  work.steps += found.length;
  // A long list says the same over and over, or is expensive to have.
  const different = found.length > 1 ? [...new Set(found)] : found;
  for (const value of different) {
    const by = values.get(value);
    if (by === undefined) continue;
    work.steps += rest.words;
    rest.removeAll(by);
  }
  for (const test of tests) {
    work.steps += rest.words;
    if (rest.meets(test.by) && isTaken(different, test, work)) rest.removeAll(test.by);
  }
  return rest;
}

function isTaken(found: readonly Scalar[], { anyOf, comparisons }: FieldTest, work: Work): boolean {
  for (const value of found) {
    work.steps += comparisons;
    for (const test of anyOf) if (test(value)) return true;
  }
  return false;
}
