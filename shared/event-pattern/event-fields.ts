/**
 * The fields of an event that a pattern names, as EventBridge sees them.
 *
 * Arrays vanish from paths: a field inside an array of objects is a field of the array's own path, and an array of
 * values offers each of them. What lies in different elements of an array is kept apart all the same.
 */
import type { Scalar } from "./value-test.ts";

/**
 * The part of an event that lies in the same elements of the same arrays: the event itself without its arrays'
 * elements, or an element without those of its own arrays.
 */
export interface Scope {
  /** By path; several when they stand in an array of values. */
  readonly values: Map<string, Scalar[]>;
  readonly arrays: ElementArray[];
}

/** An array of objects or arrays. */
export interface ElementArray {
  /** Those that hold a field. */
  readonly elements: readonly Scope[];
  /** Of all their fields. */
  readonly paths: ReadonlySet<string>;
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

/** In time linear in the event's size. @param event a value that came from JSON */
export function readFields(event: object, steps: Step): Scope {
  const scope: Scope = { values: new Map(), arrays: [] };
  collect(event, steps, scope);
  return scope;
}

/** Puts the fields of a value into a scope, and those in its arrays into scopes within. */
function collect(value: unknown, step: Step, scope: Scope): void {
  if (Array.isArray(value)) collectElements(value, step, scope);
  else if (typeof value === "object" && value !== null)
    for (const [key, member] of Object.entries(value)) {
      const next = follow(step, key);
      if (next !== undefined) collect(member, next, scope);
    }
  else if (step.path !== undefined && value !== undefined) {
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
    const inner = readFields(element, step);
    if (inner.values.size > 0 || inner.arrays.length > 0) elements.push(inner);
    for (const path of inner.values.keys()) paths.add(path);
    for (const further of inner.arrays) for (const path of further.paths) paths.add(path);
  }
  if (elements.length > 0) scope.arrays.push({ elements, paths });
}

/** A key with dots leads as far as the keys between them would. */
function follow(step: Step, key: string): Step | undefined {
  if (!key.includes(".")) return step.next.get(key);
  let at: Step | undefined = step;
  for (const part of key.split(".")) at = at?.next.get(part);
  return at;
}
