/**
 * Writes down that a deployed subscriber got an event, that it was done with it, and that it dropped it because nobody
 * waited any more: one line each, which a kill of the process cannot take back.
 */
import { appendFileSync } from "node:fs";
import type { Logger } from "../../../../shared/ports.ts";

/** Names the file in the environment of the bus. */
export const HAND_OVERS_FILE = "CHAOS_HAND_OVERS";

export const noteHandOver = (subscriber: string, eventId: string): void => note(subscriber, eventId, "got");

export const noteDone = (subscriber: string, eventId: string): void => note(subscriber, eventId, "done");

/** The log of a subscriber, of which only that is written down. */
export const log: Logger = {
  info(message, fields = {}) {
    if (message === "dropped: past its deadline") note(String(fields.subscriber), String(fields.event_id), "dropped");
  },
  warn: () => {},
  error: () => {},
};

function note(subscriber: string, eventId: string, what: "got" | "done" | "dropped"): void {
  appendFileSync(process.env[HAND_OVERS_FILE] ?? "/dev/null", `${JSON.stringify([subscriber, eventId, what])}\n`);
}
