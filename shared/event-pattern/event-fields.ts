/**
 * The fields of an event that a pattern names, as EventBridge sees them.
 *
 * Arrays vanish from paths: a field inside an array of objects is a field of the array's own path, and an array of
 * values offers each of them. What lies in different elements of an array is kept apart all the same.
 */
import { getOrSet } from "./get-or-set.ts";
import type { Scalar } from "./value-test.ts";
import type { Work } from "./work.ts";

/**
 * The part of an event that lies in the same elements of the same arrays: the event itself without its arrays'
 * elements, or an element without those of its own arrays.
 */
export interface Scope {
  /** By path; several when they stand in an array of values. */
  readonly values: Map<string, Scalar[]>;
  readonly arrays: ElementArray[];
  /** The first array with a field in it, by the field's path. */
  arrayOf: ReadonlyMap<string, ElementArray>;
}

/** An array of objects or arrays. */
export interface ElementArray {
  /** Those that hold a field. */
  readonly elements: readonly Scope[];
  /** The paths of all their fields, each with this array: where there is no other array, it is the scope's `arrayOf`. */
  readonly paths: ReadonlyMap<string, ElementArray>;
}

/** The keys that lead to fields: what of an event has to be looked at. */
export interface Step {
  readonly next: Map<string, Step>;
  /** The path that ends here, if one does. */
  path?: string;
}

/** @param paths keys joined by dots */
export function stepsTo(paths: Iterable<string>): Step {
  const root: Step = { next: new Map() };
  for (const path of paths) {
    let step = root;
    for (const key of path.split(".")) {
      const next = step.next.get(key) ?? { next: new Map() };
      step.next.set(key, next);
      step = next;
    }
    step.path = path;
  }
  return root;
}

/** Tens of thousands of elements have none. */
const NO_ARRAYS: ReadonlyMap<string, ElementArray> = new Map();

/** @param event a value that came from JSON */
export function readFields(event: object, steps: Step, work: Work): Scope {
  const scope: Scope = { values: new Map(), arrays: [], arrayOf: NO_ARRAYS };
  collect(event, steps, scope, work);
  return scope;
}

/** Puts the fields of a value into a scope, and those in its arrays into scopes within. */
function collect(value: unknown, step: Step, scope: Scope, work: Work): void {
  work.steps++;
  if (Array.isArray(value)) collectElements(value, step, scope, work);
  else if (typeof value === "object" && value !== null)
    for (const [key, member] of Object.entries(value)) {
      const next = follow(step, key);
      if (next !== undefined) collect(member, next, scope, work);
    }
  else if (step.path !== undefined && value !== undefined) {
    const values = scope.values.get(step.path);
    if (values === undefined) scope.values.set(step.path, [value as Scalar]);
    else values.push(value as Scalar);
  }
}

function collectElements(array: readonly unknown[], step: Step, scope: Scope, work: Work): void {
  const elements: Scope[] = [];
  const paths = new Map<string, ElementArray>();
  const read: ElementArray = { elements, paths };
  for (const element of withoutInnerArrays(array, step)) {
    if (typeof element !== "object" || element === null) {
      collect(element, step, scope, work);
      continue;
    }
    const inner = readFields(element, step, work);
    work.steps += inner.values.size + inner.arrayOf.size;
    if (inner.values.size > 0 || inner.arrays.length > 0) elements.push(inner);
    for (const path of inner.values.keys()) paths.set(path, read);
    for (const path of inner.arrayOf.keys()) paths.set(path, read);
  }
  if (elements.length > 0) addArray(scope, read);
}

function addArray(scope: Scope, array: ElementArray): void {
  scope.arrays.push(array);
  if (scope.arrays.length === 1) {
    scope.arrayOf = array.paths;
    return;
  }
  // From the second array on the scope has a map of its own.
  const own = scope.arrays.length === 2 ? new Map(scope.arrayOf) : (scope.arrayOf as Map<string, ElementArray>);
  for (const path of array.paths.keys()) getOrSet(own, path, () => array);
  scope.arrayOf = own;
}

/** An element that is an array without values stands for the elements of that: nothing is found beside them. */
function* withoutInnerArrays(array: readonly unknown[], step: Step): Generator<unknown, void> {
  for (const element of array) {
    const isFlat = !Array.isArray(element) || (step.path !== undefined && element.some(isValue));
    if (isFlat) yield element;
    else yield* withoutInnerArrays(element, step);
  }
}

const isValue = (element: unknown): boolean => typeof element !== "object" || element === null;

/** A key with dots leads as far as the keys between them would. */
function follow(step: Step, key: string): Step | undefined {
  if (!key.includes(".")) return step.next.get(key);
  let at: Step | undefined = step;
  for (const part of key.split(".")) at = at?.next.get(part);
  return at;
}
