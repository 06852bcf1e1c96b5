/** Delivering as it is, and the ways of breaking it that the explorer must find out. */
export const BROKEN_VARIANTS = [
  "forget the event before its delivery is recorded",
  "dispatch over what is recorded",
  "delete the record once it is done",
  "take without a condition",
  "acknowledge without a fence",
  "give back without a fence",
  "an acknowledgement cannot be repeated",
  "dead without a reason",
  "no reconciler",
  "reconciler reads then writes",
  "redrive without a condition",
] as const;

export type Variant = "as it is" | (typeof BROKEN_VARIANTS)[number];
