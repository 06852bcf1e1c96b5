/** When a wait reads its record, as the bus has it read. */
import { nextGapMs } from "../../shared/wait.ts";

/** The instants of all its reads, in milliseconds from its beginning. Reading takes no time. */
function* readsAtMs(): Generator<number, never> {
  for (let waitedMs = nextGapMs(0); ; waitedMs += nextGapMs(waitedMs)) yield waitedMs;
}

/** The reads of a wait whose answer comes after so long, and when the last of them sees it. */
export function readsUntilAnswer(answerMs: number): { readonly reads: number; readonly seenAtMs: number } {
  let reads = 0;
  for (const seenAtMs of readsAtMs()) {
    reads++;
    if (seenAtMs >= answerMs) return { reads, seenAtMs };
  }
  throw new Error("A wait goes on reading.");
}

/** The reads of a wait that ends without an answer: at its end it writes instead. */
export function readsWithin(timeoutMs: number): number {
  let reads = 0;
  for (const atMs of readsAtMs()) {
    if (atMs >= timeoutMs) break;
    reads++;
  }
  return reads;
}
