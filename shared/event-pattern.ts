/**
 * EventBridge event patterns on events, with EventBridge's own semantics, so that a filter means the same in the
 * embedded run, in a run-time subscription and in a deployed rule.
 *
 * The operators are those of https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html;
 * where the guide is silent (arrays of objects, dots in keys, the order in which absence is decided) this does what
 * https://github.com/aws/event-ruler, the engine behind EventBridge, does.
 *
 * Nothing in a pattern can make matching slow (goal S9): there are no regular expressions, a wildcard is matched in one
 * pass, and both the pattern's size and the branches that its `$or`s multiply to are bounded.
 */
import type { FieldError } from "./errors.ts";
import { type CompiledPattern, compilePattern } from "./event-pattern/compile.ts";
import { matchesEvent } from "./event-pattern/match.ts";

/**
 * A pattern: an object whose leaves are arrays of alternatives. Every field must match (and), one alternative is enough
 * (or). Example: `{ data: { language: ["de", { prefix: "en-" }], pages: [{ numeric: [">", 0, "<=", 5] }] } }`.
 */
export type EventPattern = { readonly [field: string]: unknown };

/**
 * The faults of a pattern, each with its JSON pointer into the pattern; none when EventBridge would take it.
 *
 * Two things EventBridge alone can judge: it refuses wildcards that it finds too complex, by a measure it does not
 * publish, and its 2,048 characters count the whole rule, of which a filter is a part.
 */
export function checkPattern(pattern: EventPattern): FieldError[] {
  return [...compilePattern(pattern).faults];
}

/** Patterns are configuration: compiled once, kept as long as they are. */
const compiled = new WeakMap<EventPattern, CompiledPattern>();

/**
 * Whether an event fits a pattern that `checkPattern` found no fault with.
 *
 * @throws Error for a pattern with faults
 */
export function matchesPattern(pattern: EventPattern, event: object): boolean {
  let known = compiled.get(pattern);
  if (known === undefined) {
    known = compilePattern(pattern);
    compiled.set(pattern, known);
  }
  const [fault] = known.faults;
  if (fault !== undefined) throw new Error(`The event pattern is not valid: ${fault.pointer}: ${fault.detail}`);
  return matchesEvent(known, event);
}
