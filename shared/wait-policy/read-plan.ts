/**
 * When to read, as answer times suggest it: worked out once when they change, and then looked up.
 *
 * Reads that follow one another at a rate r cost kappa r for each unit of time, and an answer that comes is then 1/(2r) late
 * on average. With h the hazard rate (how likely the answer is to come now, given that it has not come yet), kappa r + h/(2r)
 * is least at r = sqrt(h / 2 kappa). The next read is therefore where the integral of r over time has grown by one.
 */
import { WAIT_READ_COST_MS } from "../limits.ts";
import { ANSWER_TIME_BINS, type AnswerTimes, answersIn, BIN_WIDTH, binStartMs } from "./answer-times.ts";

/** Steps in which a bin is worked out: neighbouring bins are smoothed into one curve. */
const STEPS_PER_BIN = 4;
const STEPS = ANSWER_TIME_BINS * STEPS_PER_BIN;
const STEP_WIDTH = BIN_WIDTH / STEPS_PER_BIN;

/** However much is known, so large a share of answers may come at any time (on a logarithmic scale). */
const LEAST_DOUBT = 0.01;

/** What one answer tells reaches so far on the logarithmic scale: Silverman's rule for answers that spread by 0.4. */
const SMOOTHING = 0.43;

export interface ReadPlan {
  /** How many answers it rests on. */
  readonly answers: number;
  /** At the beginning of each step: the time in milliseconds, and how many reads are due by then. Both ascend. */
  readonly timesMs: Float64Array;
  readonly readsDue: Float64Array;
}

/** The plan that follows from answer times; null when there are none. */
export function planReads(times: AnswerTimes): ReadPlan | null {
  const answers = answersIn(times);
  if (answers === 0) return null;
  const shares = answerShares(times, answers);
  const timesMs = Float64Array.from({ length: STEPS + 1 }, (_, step) => binStartMs(step / STEPS_PER_BIN));
  const readsDue = new Float64Array(STEPS + 1);
  let open = 1;
  for (let step = 0; step < STEPS; step++) {
    const share = at(shares, step);
    const lengthMs = at(timesMs, step + 1) - at(timesMs, step);
    // In the last step everything that is left comes, so half of it is open in its middle.
    const hazard = share / lengthMs / (open - share / 2);
    readsDue[step + 1] = at(readsDue, step) + Math.sqrt(hazard / (2 * WAIT_READ_COST_MS)) * lengthMs;
    open = Math.max(0, open - share);
  }
  return { answers, timesMs, readsDue };
}

/** When the next read is due after one at `elapsedMs`; infinite when none is. */
export function plannedReadMs({ timesMs, readsDue }: ReadPlan, elapsedMs: number): number {
  return lookUp(readsDue, timesMs, lookUp(timesMs, readsDue, elapsedMs) + 1);
}

/** Which share of all answers comes in each step; together they are one. */
function answerShares(times: AnswerTimes, answers: number): Float64Array {
  const doubt = Math.max(LEAST_DOUBT, 1 / (1 + answers));
  const shares = new Float64Array(STEPS).fill(doubt / STEPS);
  const weights = bellCurve(SMOOTHING * answers ** -0.2);
  const reach = (weights.length - 1) / 2;
  for (const [bin, count] of times) {
    const share = ((1 - doubt) * count) / answers / STEPS_PER_BIN;
    for (let step = bin * STEPS_PER_BIN; step < (bin + 1) * STEPS_PER_BIN; step++)
      weights.forEach((weight, i) => {
        const place = Math.min(STEPS - 1, Math.max(0, step + i - reach));
        shares[place] = at(shares, place) + share * weight;
      });
  }
  return shares;
}

/** Weights around a step, which together are one. @param deviation on the logarithmic scale */
function bellCurve(deviation: number): readonly number[] {
  const reach = Math.ceil((3 * deviation) / STEP_WIDTH);
  const curve = Array.from({ length: 2 * reach + 1 }, (_, i) =>
    Math.exp(-0.5 * (((i - reach) * STEP_WIDTH) / deviation) ** 2),
  );
  const sum = curve.reduce((total, weight) => total + weight, 0);
  return curve.map((weight) => weight / sum);
}

/** The value between `ys` where `x` stands between ascending `xs`; infinite beyond the last, `ys[0]` before the first. */
function lookUp(xs: Float64Array, ys: Float64Array, x: number): number {
  if (x <= at(xs, 0)) return at(ys, 0);
  let above = xs.length - 1;
  if (x > at(xs, above)) return Number.POSITIVE_INFINITY;
  for (let below = 0; above - below > 1; ) {
    const middle = (below + above) >>> 1;
    if (at(xs, middle) < x) below = middle;
    else above = middle;
  }
  const part = (x - at(xs, above - 1)) / (at(xs, above) - at(xs, above - 1));
  return at(ys, above - 1) + part * (at(ys, above) - at(ys, above - 1));
}

/** An element that is there. */
const at = (values: Float64Array, place: number): number => values[place] as number;
