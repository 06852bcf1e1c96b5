/** EventBridge event patterns on events. */
import type { FieldError } from "./errors.ts";

/** A pattern, as https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html has it. */
export type EventPattern = { readonly [field: string]: unknown };

/** The faults of a pattern; none when EventBridge would take it. */
export function checkPattern(_pattern: EventPattern): FieldError[] {
  throw new Error("being written");
}

/** Whether an event fits a pattern that `checkPattern` found no fault with. */
export function matchesPattern(_pattern: EventPattern, _event: object): boolean {
  throw new Error("being written");
}
