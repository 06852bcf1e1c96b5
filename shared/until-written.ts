/** Writes that hold only if nobody came in between, made again until they do. */
import { BusError } from "./errors.ts";
import { shardOf } from "./keys.ts";
import type { Deps } from "./ports.ts";

/** Of those who write at the same moment all but one start over. */
const MAX_ATTEMPTS = 40;

const LONGEST_PAUSE_MS = 250;

/**
 * Reads and writes until it is written.
 *
 * @param what is being written, for the error
 * @param attempt null when somebody else came in between
 * @throws BusError `unavailable` when others always do
 */
export async function untilWritten<T>(
  deps: Pick<Deps, "pause" | "newToken">,
  what: string,
  attempt: () => Promise<T | null>,
): Promise<T> {
  for (let i = 0; i < MAX_ATTEMPTS; i++) {
    const written = await attempt();
    if (written !== null) return written;
    await deps.pause(fullJitterMs(deps.newToken(), i, LONGEST_PAUSE_MS), "");
  }
  throw new BusError("unavailable", `The ${what} is being changed by others at this moment; retry.`);
}

/** Full jitter, doubling from 5 ms; from a text, so that racers draw different ones and a replay draws the same. */
export function fullJitterMs(text: string, attempt: number, longestMs: number): number {
  return shardOf(text, Math.min(longestMs, 5 * 2 ** attempt));
}
