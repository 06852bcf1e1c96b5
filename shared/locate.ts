/**
 * Telling faults where their sender finds them: an event may be sent in several forms, and each has its own names and
 * places for what the bus calls `/type` or `/data`.
 */
import { BusError } from "./errors.ts";

/** From a pointer into the bus's own form of an event to the place of the same thing in what was sent. */
export type Locate = (pointer: string) => string;

/** The same failure, its faults told at other places. */
export function relocated(error: BusError, locate: Locate): BusError {
  const errors = error.errors.map(({ pointer, detail }) => ({ pointer: locate(pointer), detail }));
  const { code, message, retryable, members, cause } = error;
  // A failure of this code says nothing but its faults.
  const isListOfFaults = code === "invalid_request" && errors.length > 0;
  const text = errors.map(({ pointer, detail }) => `${pointer || "body"}: ${detail}`).join("; ");
  return new BusError(code, isListOfFaults ? text : message, { errors, retryable, members, cause });
}
