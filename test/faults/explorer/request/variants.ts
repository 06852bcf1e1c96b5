/** The protocol as it is, and the ways of breaking it that the explorer must find out. */
export const BROKEN_VARIANTS = [
  "publish first",
  "request record after publish",
  "acknowledge early",
  "time out without a condition",
  "time out blindly",
  "answer blindly",
  "let a clock decide",
  "drop late answers",
  "no relay",
  "relay marks before it publishes",
  "no sweeper",
  "sweeper reads then writes",
  "record without a condition",
  "keep one's own token",
  "count before storing",
  "cancel without a condition",
  "take a lost acknowledgement for a failure",
] as const;

/** One that breaks nothing and never comes to rest. */
export const RESTLESS_VARIANT = "relay never marks";

export type Variant = "as it is" | (typeof BROKEN_VARIANTS)[number] | typeof RESTLESS_VARIANT;
