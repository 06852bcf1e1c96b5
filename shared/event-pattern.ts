/**
 * EventBridge event patterns on events, with EventBridge's own semantics, so that a filter means the same in the
 * embedded run, in a run-time subscription and in a deployed rule.
 *
 * The operators are those of https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html;
 * where the guide is silent (arrays of objects, dots in keys, the order in which absence is decided) or behind (the
 * range of numbers), this does what https://github.com/aws/event-ruler, the engine behind EventBridge, does.
 *
 * Nothing in a pattern can make matching slow (goal S9): there are no regular expressions, wildcards are matched in one
 * pass, and the pattern's size, its wildcards, the branches that its `$or`s multiply to and the steps that an event takes
 * (event-pattern/work.ts) are bounded.
 */
import type { FieldError } from "./errors.ts";
import { type Branch, compilePattern } from "./event-pattern/compile.ts";
import { readFields, type Step, stepsTo } from "./event-pattern/event-fields.ts";
import { explain, type Mismatch } from "./event-pattern/explain.ts";
import { fittingBranches } from "./event-pattern/match.ts";
import { ask, type Question } from "./event-pattern/question.ts";
import { findTooComplex } from "./event-pattern/wildcard-uses.ts";
import { findTooMuchWork, type Work } from "./event-pattern/work.ts";

export type { Mismatch } from "./event-pattern/explain.ts";

/**
 * A pattern: an object whose leaves are arrays of alternatives. Every field must match (and), one alternative is enough
 * (or). Example: `{ data: { language: ["de", { prefix: "en-" }], pages: [{ numeric: [">", 0, "<=", 5] }] } }`.
 */
export type EventPattern = { readonly [field: string]: unknown };

/**
 * The faults of a pattern, each with its JSON pointer into the pattern; none when EventBridge would take it.
 *
 * Two things are for others to judge: EventBridge counts 2,048 characters of the whole rule, of which a filter is a
 * part; and it refuses numbers of more digits than a double keeps, which are gone once JSON is parsed.
 *
 * @param work counts the steps that it takes to look through its wildcards
 */
export function checkPattern(pattern: EventPattern, work: Work = { steps: 0 }): FieldError[] {
  const { faults, branches } = compilePattern(pattern);
  if (faults.length > 0) return [...faults];
  const tooMuchWork = findTooMuchWork(branches);
  if (tooMuchWork !== null) return [tooMuchWork];
  const tooComplex = findTooComplex(branches, work);
  if (tooComplex === null) return [];
  return [
    { pointer: tooComplex.pointer, detail: "expected fewer stars in wildcards, or less that repeats after a star" },
  ];
}

/**
 * Whether an event fits a pattern that `checkPattern` found no fault with.
 *
 * @param work counts what it takes: at most `MAX_STEPS_PER_BYTE` for each byte of the event's JSON
 * @throws Error for a pattern with faults
 */
export function matchesPattern(pattern: EventPattern, event: object, work: Work = { steps: 0 }): boolean {
  const { steps, question } = ready(pattern);
  return !fittingBranches(question, readFields(event, steps, work), work).isEmpty();
}

/**
 * The first field that an event does not fit, in the order in which the pattern is written; null when the event fits.
 * Of a pattern with `$or`, the combination that gets furthest is looked at.
 *
 * @throws Error for a pattern with faults
 */
export function explainMismatch(pattern: EventPattern, event: object): Mismatch | null {
  const { branches, steps, question } = ready(pattern);
  const work: Work = { steps: 0 };
  const fields = readFields(event, steps, work);
  return fittingBranches(question, fields, work).isEmpty() ? explain(branches, fields, event) : null;
}

/** What matching needs of a pattern. */
interface ReadyPattern {
  readonly branches: readonly Branch[];
  readonly steps: Step;
  readonly question: Question;
}

/** Patterns are configuration: compiled once, kept as long as they are. */
const known = new WeakMap<EventPattern, ReadyPattern>();

function ready(pattern: EventPattern): ReadyPattern {
  const before = known.get(pattern);
  if (before !== undefined) return before;
  const { branches, faults } = compilePattern(pattern);
  const [fault] = faults;
  if (fault !== undefined) throw new Error(`The event pattern is not valid: ${fault.pointer}: ${fault.detail}`);
  const question = ask(branches);
  const now = { branches, question, steps: stepsTo(question.fields.map(({ path }) => path)) };
  known.set(pattern, now);
  return now;
}
