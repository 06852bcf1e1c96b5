/**
 * From a pattern to its branches: each `$or` forks, and what remains is, per branch, a list of fields that must all
 * match. Faults are collected on the way.
 */
import type { FieldError } from "../errors.ts";
import { MAX_JSON_DEPTH } from "../limits.ts";
import { type Alternative, OPERATOR_NAMES, readAlternative } from "./alternative.ts";
import type { ValueTest } from "./value-test.ts";
import { countSearches } from "./wildcard.ts";

/** EventBridge's limit on a rule's pattern. https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html */
export const MAX_PATTERN_CHARS = 2_048;

/**
 * Branches that all `$or`s multiply to: each is gone through on its own. With more, an event at its size limit could
 * take over 50 ms (goal S9).
 */
export const MAX_BRANCHES = 256;

/** Pieces that the wildcards of one field look for: each is a pass over the text. Bounded for the same reason. */
export const MAX_SEARCHES = 32;

/** A field that must match. */
export interface Leaf {
  /** Keys from the root, joined by dots: EventBridge does not tell `{"a": {"b": ...}}` and `{"a.b": ...}` apart. */
  readonly path: string;
  /** One alternative at least takes the value. */
  readonly test: ValueTest;
  /** One alternative is that there is no such field. */
  readonly mayBeAbsent: boolean;
}

/** Fields that must all match, sorted by path. */
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
  const drafts = compiler.compileObject(pattern, { path: [], pointer: "", insideOr: false }, [new Map()]);
  const branches = drafts.map((draft) => [...draft.values()].sort((a, b) => (a.path < b.path ? -1 : 1)));
  return { faults: compiler.faults, branches };
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
  readonly path: readonly string[];
  readonly pointer: string;
  readonly insideOr: boolean;
}

type Draft = Map<string, Leaf>;

/** Names that EventBridge keeps for itself inside `$or`: its operators and those it may get. */
const RESERVED_INSIDE_OR = new Set<string>([
  ...OPERATOR_NAMES,
  ...["exactly", "html", "=", "<", "<=", ">", ">=", "regex", "not-wildcard", "not-equals-ignore-case"],
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
    if (place.path.length >= MAX_JSON_DEPTH) {
      this.report(place.pointer, `expected at most ${MAX_JSON_DEPTH} levels`);
      return drafts;
    }
    const members = Object.entries(given);
    if (members.length === 0) this.report(place.pointer, "expected at least one field");
    let grown = drafts;
    for (const [key, value] of members) {
      const pointer = `${place.pointer}/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`;
      if (key === "$or") grown = this.compileOr(value, { ...place, pointer }, grown);
      else grown = this.compileField(value, { ...place, pointer, path: [...place.path, key] }, grown);
    }
    return grown;
  }

  private compileField(given: unknown, place: Place, drafts: readonly Draft[]): readonly Draft[] {
    const key = place.path.at(-1) ?? "";
    if (place.insideOr && RESERVED_INSIDE_OR.has(key))
      this.report(place.pointer, `expected another name: inside $or, EventBridge keeps "${key}" for itself`);
    if (!Array.isArray(given)) {
      if (typeof given === "object" && given !== null) return this.compileObject(given, place, drafts);
      this.report(place.pointer, "expected an array of alternatives, or an object of further fields");
      return drafts;
    }
    if (given.length === 0) this.report(place.pointer, "expected at least one alternative");
    if (countSearches(given) > MAX_SEARCHES)
      this.report(place.pointer, `expected at most ${MAX_SEARCHES} pieces between the stars of all wildcards`);
    const alternatives = given
      .map((alternative, i) => readAlternative(alternative, `${place.pointer}/${i}`, this.report))
      .filter((alternative) => alternative !== null);
    this.addLeaf(leafOf(place.path.join("."), alternatives), place, drafts);
    return drafts;
  }

  private addLeaf(leaf: Leaf, place: Place, drafts: readonly Draft[]): void {
    // EventBridge lets the last of them win without a word, which nobody can mean.
    if (drafts.some((draft) => draft.has(leaf.path)))
      this.report(place.pointer, `expected each field once in a branch: "${leaf.path}" has conditions already`);
    for (const draft of drafts) draft.set(leaf.path, leaf);
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

function leafOf(path: string, alternatives: readonly Alternative[]): Leaf {
  // Looked up, because an event may hold as many values for a field as the pattern holds alternatives, times hundreds.
  const values = new Set(
    alternatives.flatMap((alternative) => (alternative.kind === "value" ? [alternative.value] : [])),
  );
  const tests = alternatives.flatMap((alternative) => (alternative.kind === "test" ? [alternative.test] : []));
  return {
    path,
    test: (value) => values.has(value) || tests.some((test) => test(value)),
    mayBeAbsent: alternatives.some((alternative) => alternative.kind === "absent"),
  };
}
