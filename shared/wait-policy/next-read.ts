/** How long a wait leaves its record alone before it looks again. */
import { WAIT_READ_COST_MS } from "../limits.ts";
import { plannedReadMs, type ReadPlan } from "./read-plan.ts";

/**
 * A plan stretches the gap of knowing nothing to so much at most, which is to 3 sqrt(2 kappa t): wrong knowledge then delays by
 * no more than that.
 */
export const MOST_STRETCH = 3 / Math.SQRT2;

/** So many answers bring the stretch half way to its most: few may mislead. */
const HALF_CONVINCED = 5;

/**
 * Pure: the same wait reads at the same instants.
 *
 * @param elapsedMs how long the request has been open
 * @param plan what its type's answer times suggest; null when nothing is known of them
 * @returns milliseconds until the next read, more than 0 and finite
 */
export function next(elapsedMs: number, plan: ReadPlan | null): number {
  const blindMs = blindGapMs(elapsedMs);
  if (plan === null) return blindMs;
  const stretch = 1 + ((MOST_STRETCH - 1) * plan.answers) / (plan.answers + HALF_CONVINCED);
  const plannedMs = plannedReadMs(plan, elapsedMs) - elapsedMs;
  // What an earlier read can gain is less than the gap, so one that is shorter than a read is worth never pays.
  return Math.max(WAIT_READ_COST_MS, Math.min(plannedMs, stretch * blindMs));
}

/**
 * The gap when nothing is known: 2 sqrt(kappa t), and no less than where gap and elapsed time are equal, at 4 kappa.
 *
 * An answer after T then costs 2 sqrt(kappa T), half in reads and half in delay. The best fixed interval, chosen knowing T, costs
 * sqrt(2 kappa T): this is sqrt(2) times as much whatever T is, and no other function of t has a smaller largest ratio.
 */
export function blindGapMs(elapsedMs: number): number {
  return Math.max(4 * WAIT_READ_COST_MS, 2 * Math.sqrt(WAIT_READ_COST_MS * elapsedMs));
}
