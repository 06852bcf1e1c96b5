/**
 * Whether an event fits one branch of a compiled pattern.
 *
 * Arrays vanish from paths: a field inside an array of objects is a field of the array's own path, and an array of
 * values offers each of them. But all fields that a match takes from one array must come from the same element.
 *
 * Absence is decided in the order of the paths, as in EventBridge: once an earlier field was found in an element of an
 * array, a field is absent when it is absent from that element; before that, when it is absent from all of them.
 */

import type { Branch, CompiledPattern, Leaf } from "./compile.ts";
import type { Scalar } from "./value-test.ts";

/**
 * The part of an event that lies in the same elements of the same arrays: the event itself without its arrays'
 * elements, or an element without those of its own arrays. Only fields that the pattern names are kept.
 */
interface Scope {
  /** By path; several when they stand in an array of values. */
  readonly values: Map<string, Scalar[]>;
  readonly arrays: ElementArray[];
  /** Of all fields here and further in. */
  readonly paths: Set<string>;
  /** What was found out for a field: branches have most of their fields in common. */
  readonly verdicts: Map<Leaf, boolean>;
}

/** An array of objects or arrays. */
interface ElementArray {
  /** Those that hold a field. */
  readonly elements: readonly Scope[];
  /** Of all their fields. */
  readonly paths: ReadonlySet<string>;
}

/** @param event a value that came from JSON */
export function matchesEvent(pattern: CompiledPattern, event: object): boolean {
  const scope = newScope();
  collect(event, stepsOf(pattern), scope);
  return pattern.branches.some((branch) => fits(scope, branch, null));
}

/** Whether every field of the branch can be satisfied in a scope; `pin`, if given, by a value. */
function fits(scope: Scope, branch: Branch, pin: Leaf | null): boolean {
  let inArrays: Map<ElementArray, Leaf[]> | undefined;
  for (const leaf of branch) {
    if (hasValue(scope, leaf)) continue;
    const array = scope.arrays.find(({ paths }) => paths.has(leaf.path));
    if (array !== undefined) {
      inArrays ??= new Map();
      inArrays.set(array, [...(inArrays.get(array) ?? []), leaf]);
    } else if (!leaf.mayBeAbsent || leaf === pin || scope.values.has(leaf.path)) return false;
  }
  if (inArrays === undefined) return true;
  // The first field that is somewhere in an array is not absent, so it has to be found; what follows is sought beside it.
  for (const [{ elements }, leaves] of inArrays)
    if (!elements.some((element) => fits(element, leaves, leaves[0] ?? null))) return false;
  return true;
}

function hasValue(scope: Scope, leaf: Leaf): boolean {
  const known = scope.verdicts.get(leaf);
  if (known !== undefined) return known;
  const verdict = scope.values.get(leaf.path)?.some(leaf.test) === true;
  scope.verdicts.set(leaf, verdict);
  return verdict;
}

/** The keys that lead to the fields of a pattern. */
interface Step {
  readonly next: Map<string, Step>;
  /** The path that ends here, if one does. */
  path?: string;
}

/** A compiled pattern is not changed, so neither are its steps. */
const knownSteps = new WeakMap<CompiledPattern, Step>();

function stepsOf(pattern: CompiledPattern): Step {
  const known = knownSteps.get(pattern);
  if (known !== undefined) return known;
  const root: Step = { next: new Map() };
  for (const path of new Set(pattern.branches.flat().map((leaf) => leaf.path))) {
    let step = root;
    for (const key of path.split(".")) {
      const next = step.next.get(key) ?? { next: new Map() };
      step.next.set(key, next);
      step = next;
    }
    step.path = path;
  }
  knownSteps.set(pattern, root);
  return root;
}

/** Puts the fields of a value into a scope, and those in its arrays into scopes within. Linear in the value's size. */
function collect(value: unknown, step: Step, scope: Scope): void {
  if (Array.isArray(value)) collectElements(value, step, scope);
  else if (typeof value === "object" && value !== null)
    for (const [key, member] of Object.entries(value)) {
      const next = follow(step, key);
      if (next !== undefined) collect(member, next, scope);
    }
  else if (step.path !== undefined && value !== undefined) {
    scope.paths.add(step.path);
    const values = scope.values.get(step.path);
    if (values === undefined) scope.values.set(step.path, [value as Scalar]);
    else values.push(value as Scalar);
  }
}

function collectElements(array: readonly unknown[], step: Step, scope: Scope): void {
  const elements: Scope[] = [];
  const paths = new Set<string>();
  for (const element of array) {
    if (typeof element !== "object" || element === null) {
      collect(element, step, scope);
      continue;
    }
    const inner = newScope();
    collect(element, step, inner);
    if (inner.paths.size > 0) elements.push(inner);
    for (const path of inner.paths) paths.add(path);
  }
  if (elements.length > 0) scope.arrays.push({ elements, paths });
  for (const path of paths) scope.paths.add(path);
}

/** A key with dots leads as far as the keys between them would. */
function follow(step: Step, key: string): Step | undefined {
  if (!key.includes(".")) return step.next.get(key);
  let at: Step | undefined = step;
  for (const part of key.split(".")) at = at?.next.get(part);
  return at;
}

function newScope(): Scope {
  return { values: new Map(), arrays: [], paths: new Set(), verdicts: new Map() };
}
