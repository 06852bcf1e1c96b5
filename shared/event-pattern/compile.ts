/**
 * From a pattern to its branches: each `$or` forks, and what remains is, per branch, a list of fields that must all
 * match. Faults are collected on the way.
 */
import type { FieldError } from "../errors.ts";
import { MAX_JSON_DEPTH } from "../limits.ts";
import { type Alternative, OPERATOR_NAMES, readAlternative } from "./alternative.ts";
import type { Scalar, ValueTest } from "./value-test.ts";

/** EventBridge's limit on a rule's pattern. https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html */
export const MAX_PATTERN_CHARS = 2_048;

/**
 * What all `$or`s multiply to. EventBridge refuses more, too: "Or operator is producing over 1000 rule combinations".
 */
export const MAX_BRANCHES = 1_000;

/** A field that must match: one of its alternatives takes a value of it. */
export interface Leaf {
  /** Keys from the root, joined by dots: EventBridge does not tell `{"a": {"b": ...}}` and `{"a.b": ...}` apart. */
  readonly path: string;
  /** The keys as the pattern has them. */
  readonly keys: readonly string[];
  /** JSON pointer into the pattern. */
  readonly pointer: string;
  /** As written. */
  readonly alternatives: readonly unknown[];
  /** Those that are plain values. */
  readonly values: readonly Scalar[];
  /** Those that are operators. */
  readonly tests: readonly ValueTest[];
  /** One alternative is that there is no such field. */
  readonly mayBeAbsent: boolean;
}

/** Fields that must all match, no two of the same path, in the order in which they are written. */
export type Branch = readonly Leaf[];

export interface CompiledPattern {
  /** When there are any, nothing else is of use. */
  readonly faults: readonly FieldError[];
  /** One is enough. */
  readonly branches: readonly Branch[];
}

/** Compiles a pattern, or anything that is meant to be one. */
export function compilePattern(pattern: unknown): CompiledPattern {
  const size = sizeOf(pattern);
  if (size === null)
    return { faults: [{ pointer: "", detail: "expected an object that JSON can write" }], branches: [] };
  // First of all, since it bounds everything that follows.
  if (size > MAX_PATTERN_CHARS)
    return {
      faults: [{ pointer: "", detail: `expected at most ${MAX_PATTERN_CHARS} characters of JSON, got ${size}` }],
      branches: [],
    };
  const compiler = new Compiler();
  const drafts = compiler.compileObject(pattern, { keys: [], pointer: "", insideOr: false }, [new Map()]);
  return { faults: compiler.faults, branches: drafts.map((draft) => [...draft.values()]) };
}

function sizeOf(pattern: unknown): number | null {
  try {
    return JSON.stringify(pattern)?.length ?? null;
  } catch {
    // It refers to itself, or holds what JSON has no form for.
    return null;
  }
}

/** Where in the pattern the compiler is. */
interface Place {
  readonly keys: readonly string[];
  readonly pointer: string;
  readonly insideOr: boolean;
}

type Draft = Map<string, Leaf>;

/** Names that EventBridge keeps for itself inside `$or`: its operators and those it may get. */
const RESERVED_INSIDE_OR = new Set<string>([
  ...OPERATOR_NAMES,
  ...["=", "<", "<=", ">", ">=", "regex", "not-wildcard", "not-equals-ignore-case"],
  ...["date-after", "date-on-or-after", "date-before", "date-on-or-before", "in-date-range"],
  ...["ip-address-in-range", "ip-address-not-in-range"],
]);

class Compiler {
  readonly faults: FieldError[] = [];
  private hasTooManyBranches = false;

  private readonly report = (pointer: string, detail: string): null => {
    this.faults.push({ pointer, detail });
    return null;
  };

  /** The branches so far, each with the fields of this object added. */
  compileObject(given: unknown, place: Place, drafts: readonly Draft[]): readonly Draft[] {
    if (typeof given !== "object" || given === null || Array.isArray(given)) {
      this.report(place.pointer, "expected an object");
      return drafts;
    }
    if (place.keys.length >= MAX_JSON_DEPTH) {
      this.report(place.pointer, `expected at most ${MAX_JSON_DEPTH} levels`);
      return drafts;
    }
    const members = Object.entries(given);
    if (members.length === 0) this.report(place.pointer, "expected at least one field");
    let grown = drafts;
    for (const [key, value] of members) {
      const pointer = `${place.pointer}/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`;
      if (key === "$or") grown = this.compileOr(value, { ...place, pointer }, grown);
      else grown = this.compileField(value, { ...place, pointer, keys: [...place.keys, key] }, grown);
    }
    return grown;
  }

  private compileField(given: unknown, place: Place, drafts: readonly Draft[]): readonly Draft[] {
    const key = place.keys.at(-1) ?? "";
    if (place.insideOr && RESERVED_INSIDE_OR.has(key))
      this.report(place.pointer, `expected another name: inside $or, EventBridge keeps "${key}" for itself`);
    if (!Array.isArray(given)) {
      if (typeof given === "object" && given !== null) return this.compileObject(given, place, drafts);
      this.report(place.pointer, "expected an array of alternatives, or an object of further fields");
      return drafts;
    }
    if (given.length === 0) this.report(place.pointer, "expected at least one alternative");
    const alternatives = given
      .map((alternative, i) => readAlternative(alternative, `${place.pointer}/${i}`, this.report))
      .filter((alternative) => alternative !== null);
    const leaf = leafOf(place, given, alternatives);
    for (const draft of drafts) {
      // Of two conditions on a field EventBridge keeps the later one.
      draft.delete(leaf.path);
      draft.set(leaf.path, leaf);
    }
    return drafts;
  }

  private compileOr(given: unknown, place: Place, drafts: readonly Draft[]): readonly Draft[] {
    if (!Array.isArray(given) || given.length < 2) {
      this.report(place.pointer, "expected an array of at least two objects");
      return drafts;
    }
    const grown: Draft[] = [];
    for (const [i, branch] of given.entries()) {
      // Once there are too many, the rest is read for its faults only.
      const copies = this.hasTooManyBranches ? [new Map()] : drafts.map((draft) => new Map(draft));
      grown.push(...this.compileObject(branch, { ...place, pointer: `${place.pointer}/${i}`, insideOr: true }, copies));
      if (grown.length > MAX_BRANCHES && !this.hasTooManyBranches) {
        this.hasTooManyBranches = true;
        this.report(place.pointer, `expected at most ${MAX_BRANCHES} combinations of what stands in $or`);
      }
    }
    return this.hasTooManyBranches ? [new Map()] : grown;
  }
}

function leafOf({ keys, pointer }: Place, written: readonly unknown[], alternatives: readonly Alternative[]): Leaf {
  return {
    path: keys.join("."),
    keys,
    pointer,
    alternatives: written,
    values: alternatives.flatMap((alternative) => (alternative.kind === "value" ? [alternative.value] : [])),
    tests: alternatives.flatMap((alternative) => (alternative.kind === "test" ? [alternative.test] : [])),
    mayBeAbsent: alternatives.some((alternative) => alternative.kind === "absent"),
  };
}
