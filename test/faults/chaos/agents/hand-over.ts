/** Writes down that a deployed subscriber got an event: one line each, which a kill of the process cannot take back. */
import { appendFileSync } from "node:fs";

/** Names the file in the environment of the bus. */
export const HAND_OVERS_FILE = "CHAOS_HAND_OVERS";

export function noteHandOver(subscriber: string, eventId: string): void {
  appendFileSync(process.env[HAND_OVERS_FILE] ?? "/dev/null", `${JSON.stringify([subscriber, eventId])}\n`);
}
