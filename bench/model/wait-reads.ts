/** When a wait reads its record, as the bus has it read. */
import { answerTimesOf } from "../../shared/wait-policy/answer-times.ts";
import { next } from "../../shared/wait-policy/next-read.ts";
import { planReads } from "../../shared/wait-policy/read-plan.ts";
import { readsUntil, type WaitPolicy } from "../p4-wait/simulate.ts";

/** @param answersMs what is known of the type: how long its answers have taken so far; none when nothing is */
export function busPolicy(answersMs: readonly number[] = []): WaitPolicy {
  const plan = planReads(answerTimesOf(answersMs));
  return (elapsedMs) => next(elapsedMs, plan);
}

const NOTHING_KNOWN = busPolicy();

/** The reads of a wait whose answer comes after so long, and when the last of them sees it. Reading takes no time. */
export function readsUntilAnswer(
  answerMs: number,
  policy: WaitPolicy = NOTHING_KNOWN,
): { readonly reads: number; readonly seenAtMs: number } {
  const reads = readsUntil(policy, answerMs);
  return { reads: reads.length, seenAtMs: reads.at(-1) as number };
}

/** The reads of a wait that ends without an answer: at its end it writes instead. */
export const readsWithin = (timeoutMs: number, policy: WaitPolicy = NOTHING_KNOWN): number =>
  readsUntil(policy, timeoutMs).length - 1;
