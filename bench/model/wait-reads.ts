/** When a wait reads its record, as the bus has it read when nothing is known of its type's answers. */
import { next } from "../../shared/wait-policy/next-read.ts";
import { readsUntil } from "../p4-wait/simulate.ts";

const readsAtMs = (lastMs: number): readonly number[] => readsUntil((elapsedMs) => next(elapsedMs, null), lastMs);

/** The reads of a wait whose answer comes after so long, and when the last of them sees it. Reading takes no time. */
export function readsUntilAnswer(answerMs: number): { readonly reads: number; readonly seenAtMs: number } {
  const reads = readsAtMs(answerMs);
  return { reads: reads.length, seenAtMs: reads.at(-1) as number };
}

/** The reads of a wait that ends without an answer: at its end it writes instead. */
export const readsWithin = (timeoutMs: number): number => readsAtMs(timeoutMs).length - 1;
