/** The best that any schedule of reads can do for given answers, chosen knowing them: how much there is left to gain. */
import { WAIT_READ_COST_MS } from "../../shared/limits.ts";
import { blindGapMs, MOST_STRETCH } from "../../shared/wait-policy/next-read.ts";

/** Reads are placed on a grid: its first steps are this long, in milliseconds, and later ones this share of the time. */
const SHORTEST_STEP_MS = 0.5;
const STEP_SHARE = 0.004;

export type LongestGap = (elapsedMs: number) => number;

/** The longest gap that the bus allows itself, whatever it knows. */
export const BOUNDED: LongestGap = (elapsedMs) => MOST_STRETCH * blindGapMs(elapsedMs);
export const UNBOUNDED: LongestGap = () => Number.POSITIVE_INFINITY;

/**
 * J of the best schedule, in milliseconds, by dynamic programming from the last read back to the first: what it costs from a read
 * on is the least, over all places of the next one, of that read for everybody who still waits, the delay of those whose
 * answers have come by then, and what it costs from there on.
 */
export function bestScheduleCost(answersMs: readonly number[], longestGap: LongestGap): number {
  const ascending = answersMs.toSorted((a, b) => a - b);
  const grid = gridUntil(ascending.at(-1) as number);
  const { come, sumMs } = answeredBy(grid, ascending);
  const last = grid.length - 1;
  const costFrom = new Float64Array(grid.length).fill(Number.POSITIVE_INFINITY);
  costFrom[last] = 0;
  for (let here = last - 1; here >= 0; here--) {
    const waiting = ascending.length - at(come, here);
    const untilMs = at(grid, here) + longestGap(at(grid, here));
    for (let next = here + 1; next <= last && (at(grid, next) <= untilMs || next === here + 1); next++) {
      const delayMs = at(grid, next) * (at(come, next) - at(come, here)) - (at(sumMs, next) - at(sumMs, here));
      const cost = WAIT_READ_COST_MS * waiting + delayMs + at(costFrom, next);
      if (cost < at(costFrom, here)) costFrom[here] = cost;
    }
  }
  return at(costFrom, 0) / ascending.length;
}

function gridUntil(lastMs: number): readonly number[] {
  const grid = [0];
  for (let atMs = 0; atMs < lastMs; grid.push(atMs)) atMs += Math.max(SHORTEST_STEP_MS, STEP_SHARE * atMs);
  return grid;
}

/** How many answers have come by each place of the grid, and the sum of their times. */
function answeredBy(grid: readonly number[], ascending: readonly number[]) {
  const come: number[] = [];
  const sumMs: number[] = [];
  let answered = 0;
  let sum = 0;
  for (const atMs of grid) {
    for (; answered < ascending.length && at(ascending, answered) <= atMs; answered++) sum += at(ascending, answered);
    come.push(answered);
    sumMs.push(sum);
  }
  return { come, sumMs };
}

/** An element that is there. */
const at = (values: ArrayLike<number>, place: number): number => values[place] as number;
