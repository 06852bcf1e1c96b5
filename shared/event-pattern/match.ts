/**
 * Which branches of a pattern an event fits.
 *
 * All fields that a match takes from one array must come from the same element. Absence is decided in the order of the
 * paths, as in EventBridge: once an earlier field was found in an element of an array, a field is absent when it is
 * absent from that element; before that, when it is absent from all of them.
 */
import { BranchSet } from "./branch-set.ts";
import type { ElementArray, Scope } from "./event-fields.ts";
import { getOrSet } from "./get-or-set.ts";
import { type Field, type Question, unsatisfied } from "./question.ts";
import type { Scalar } from "./value-test.ts";
import type { Work } from "./work.ts";

/** @param event its fields: those that the question is about, at least */
export function fittingBranches({ branches, fields }: Question, event: Scope, work: Work): BranchSet {
  const all = BranchSet.all(branches);
  const sought = fields.map((field) => ({ field, by: field.by, unlessPresent: field.by.without(field.mayBeAbsent) }));
  return fittingScope(event, inGroups(sought), all, work);
}

/** A field and the branches that look for it. */
interface Want {
  readonly field: Field;
  readonly by: BranchSet;
}

interface Sought extends Want {
  /** Those of the branches that its absence rules out. */
  readonly unlessPresent: BranchSet;
}

/**
 * Fields that can be found absent together. There may be a hundred of them, and tens of thousands of elements that have
 * one each.
 */
interface Group {
  readonly members: readonly Sought[];
  readonly paths: ReadonlySet<string>;
  /** The branches that the absence of all members rules out. */
  readonly unlessPresent: BranchSet;
}

const GROUP_SIZE = 16;

function inGroups(sought: readonly Sought[]): Group[] {
  const groups: Group[] = [];
  for (let first = 0; first < sought.length; first += GROUP_SIZE) {
    const members = sought.slice(first, first + GROUP_SIZE);
    const paths = new Set(members.map(({ field }) => field.path));
    const unlessPresent = (members[0] as Sought).unlessPresent.copy();
    for (const member of members) unlessPresent.addAll(member.unlessPresent);
    groups.push({ members, paths, unlessPresent });
  }
  return groups;
}

/** A field, and the branches that the absence of all other fields rules out. */
interface Alone {
  readonly member: Sought;
  readonly others: BranchSet;
}

/** From so many elements on it pays to look for those with a single field in another way: most have one. */
const MANY_ELEMENTS = 16;

/** Each field on its own, by its path. */
function eachAlone(sought: readonly Sought[], none: BranchSet): Map<string, Alone> {
  const others = sought.map(() => none.copy());
  for (const order of [[...sought.keys()], [...sought.keys()].reverse()]) {
    const sofar = none.copy();
    for (const i of order) {
      (others[i] as BranchSet).addAll(sofar);
      sofar.addAll((sought[i] as Sought).unlessPresent);
    }
  }
  return new Map(sought.map((member, i) => [member.field.path, { member, others: others[i] as BranchSet }]));
}

/** Those of the candidates that fit an element with a single value; null when it has more, or another one. */
function fittingAlone(
  { values, arrays }: Scope,
  alone: ReadonlyMap<string, Alone>,
  candidates: BranchSet,
  work: Work,
): BranchSet | null {
  if (values.size !== 1 || arrays.length > 0) return null;
  const [[path, found]] = values as unknown as [[string, readonly Scalar[]]];
  const sought = alone.get(path);
  if (sought === undefined) return null;
  work.steps += 3 * candidates.words;
  const fitting = candidates.without(sought.others);
  if (!fitting.isEmpty()) fitting.removeAll(unsatisfied(sought.member.field, found, sought.member.by, work));
  return fitting;
}

/** Those of the candidates that fit a scope. */
function fittingScope(scope: Scope, groups: readonly Group[], candidates: BranchSet, work: Work): BranchSet {
  const fitting = candidates.copy();
  const inArrays = new Map<ElementArray, Want[]>();
  for (const { members, paths, unlessPresent } of groups) {
    work.steps += fitting.words + scope.values.size + scope.arrayOf.size;
    if (hasAny(scope, paths)) for (const member of members) decide(scope, member, fitting, inArrays, work);
    else fitting.removeAll(unlessPresent);
    if (fitting.isEmpty()) return fitting;
  }
  for (const [array, wants] of inArrays) fitting.removeAll(fittingNoElement(array, wants, fitting, work));
  return fitting;
}

function hasAny({ values, arrayOf }: Scope, paths: ReadonlySet<string>): boolean {
  for (const path of values.keys()) if (paths.has(path)) return true;
  for (const path of arrayOf.keys()) if (paths.has(path)) return true;
  return false;
}

/** Takes from the fitting branches those that a field rules out, or leaves it to an array to decide. */
function decide(
  scope: Scope,
  sought: Sought,
  fitting: BranchSet,
  inArrays: Map<ElementArray, Want[]>,
  work: Work,
): void {
  work.steps += fitting.words;
  const { field, unlessPresent } = sought;
  const values = scope.values.get(field.path);
  const by = values === undefined ? sought.by : unsatisfied(field, values, sought.by, work);
  if (by.isEmpty()) return;
  const array = scope.arrayOf.get(field.path);
  if (array === undefined) fitting.removeAll(values === undefined ? unlessPresent : by);
  else getOrSet(inArrays, array, () => []).push({ field, by });
}

const NOT_ALONE: ReadonlyMap<string, Alone> = new Map();

/** Those of the candidates that fit no element of an array. */
function fittingNoElement(
  { elements }: ElementArray,
  wants: readonly Want[],
  candidates: BranchSet,
  work: Work,
): BranchSet {
  const left = candidates.copy();
  const sought = inOneElement(wants, candidates.empty());
  const groups = inGroups(sought);
  const alone = elements.length < MANY_ELEMENTS ? NOT_ALONE : eachAlone(sought, candidates.empty());
  for (const element of elements) {
    left.removeAll(fittingAlone(element, alone, left, work) ?? fittingScope(element, groups, left, work));
    if (left.isEmpty()) break;
  }
  return left;
}

/**
 * The first field that a branch wants of an array is somewhere in it, so it is not absent: it has to be found. What
 * follows is sought beside it.
 *
 * @param found the branches that have found a field, none at first
 */
function inOneElement(wants: readonly Want[], found: BranchSet): Sought[] {
  return wants.map(({ field, by }) => {
    const unlessPresent = by.without(field.mayBeAbsent);
    unlessPresent.addAll(by.without(found));
    found.addAll(by);
    return { field, by, unlessPresent };
  });
}
