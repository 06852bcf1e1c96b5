/**
 * The branches of a pattern, turned into one question: by field, what each branch wants of it. Branches have most of
 * their fields in common; asked like this, a field is looked at once for all of them.
 */
import { BranchSet } from "./branch-set.ts";
import type { Branch, Leaf } from "./compile.ts";
import { getOrSet } from "./get-or-set.ts";
import type { Scalar, ValueTest } from "./value-test.ts";

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
  readonly tests: readonly { readonly anyOf: readonly ValueTest[]; readonly by: BranchSet }[];
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
    tests: [] as Field["tests"][number][],
  };
  for (const leaf of leaves) {
    const by = wantedBy.get(leaf) ?? none();
    field.by.addAll(by);
    if (leaf.mayBeAbsent) field.mayBeAbsent.addAll(by);
    for (const value of leaf.values) getOrSet(field.values, value, none).addAll(by);
    if (leaf.tests.length > 0) field.tests.push({ anyOf: leaf.tests, by });
  }
  return field;
}

/** Those of the branches that no one of a field's values is enough for. */
export function unsatisfied({ values, tests }: Field, found: readonly Scalar[], branches: BranchSet): BranchSet {
  const rest = branches.copy();
  for (const value of found) {
    const by = values.get(value);
    if (by !== undefined) rest.removeAll(by);
  }
  for (const { anyOf, by } of tests) if (rest.meets(by) && isTaken(found, anyOf)) rest.removeAll(by);
  return rest;
}

function isTaken(found: readonly Scalar[], tests: readonly ValueTest[]): boolean {
  for (const value of found) for (const test of tests) if (test(value)) return true;
  return false;
}
