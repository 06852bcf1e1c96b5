/** Waits on a clock that only computes: what a policy costs when answers come as they do. Shared by the bench and the tests. */
import { WAIT_READ_COST_MS } from "../../shared/limits.ts";

/** How long to leave the record alone after so long, in milliseconds. */
export type WaitPolicy = (elapsedMs: number) => number;

export interface WaitCost {
  /** J: kappa times the reads of a wait, plus the delay of its answer, in milliseconds; a mean over the answers. */
  readonly cost: number;
  readonly reads: number;
  readonly delayMs: number;
}

/** Reading takes no time, and nobody gives up. @param answersMs when each answer is there, after its question */
export function simulateWaits(policy: WaitPolicy, answersMs: readonly number[]): WaitCost {
  const readsAtMs = readsUntil(policy, Math.max(...answersMs));
  let reads = 0;
  let delayMs = 0;
  for (const answerMs of answersMs) {
    const read = firstAtOrAfter(readsAtMs, answerMs);
    reads += read + 1;
    delayMs += (readsAtMs[read] as number) - answerMs;
  }
  const count = answersMs.length;
  return {
    cost: (WAIT_READ_COST_MS * reads + delayMs) / count,
    reads: reads / count,
    delayMs: delayMs / count,
  };
}

/** The instants of all reads up to the first at or after `lastMs`. */
export function readsUntil(policy: WaitPolicy, lastMs: number): readonly number[] {
  const readsAtMs: number[] = [];
  for (let elapsedMs = 0; elapsedMs < lastMs || readsAtMs.length === 0; ) {
    elapsedMs += policy(elapsedMs);
    readsAtMs.push(elapsedMs);
  }
  return readsAtMs;
}

export interface FixedInterval {
  readonly intervalMs: number;
  /** J, in milliseconds. */
  readonly cost: number;
}

/** The fixed interval that costs the least for just these answers, to one in a hundred. */
export function bestFixedInterval(answersMs: readonly number[]): {
  readonly intervalMs: number;
  readonly cost: number;
} {
  let best = { intervalMs: 0, cost: Number.POSITIVE_INFINITY };
  for (let intervalMs = WAIT_READ_COST_MS; intervalMs < 10_000; intervalMs *= 1.01) {
    const cost = fixedCost(intervalMs, answersMs);
    if (cost < best.cost) best = { intervalMs, cost };
  }
  return best;
}

function fixedCost(intervalMs: number, answersMs: readonly number[]): number {
  let cost = 0;
  for (const answerMs of answersMs) {
    const reads = Math.max(1, Math.ceil(answerMs / intervalMs));
    cost += WAIT_READ_COST_MS * reads + reads * intervalMs - answerMs;
  }
  return cost / answersMs.length;
}

function firstAtOrAfter(ascending: readonly number[], value: number): number {
  let first = 0;
  for (let end = ascending.length - 1; first < end; ) {
    const middle = (first + end) >>> 1;
    if ((ascending[middle] as number) >= value) end = middle;
    else first = middle + 1;
  }
  return first;
}
