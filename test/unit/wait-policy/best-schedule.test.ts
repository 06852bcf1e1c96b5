import { describe, expect, test } from "vitest";
import { ALL_ANSWERS, answersOf } from "../../../bench/p4-wait/answers.ts";
import { BOUNDED, bestScheduleCost, UNBOUNDED } from "../../../bench/p4-wait/best-schedule.ts";
import { KNOWING_NOTHING, knowing, USUAL_POLICIES } from "../../../bench/p4-wait/policies.ts";
import { bestFixedInterval, simulateWaits } from "../../../bench/p4-wait/simulate.ts";
import { WAIT_READ_COST_MS } from "../../../shared/limits.ts";

/** Its reads stand on a grid: each may be so much too late, as a share of the cost. */
const GRID = 0.02;

const answers = (name: (typeof ALL_ANSWERS)[number]): readonly number[] => answersOf(name, 500, 1);

describe("the best schedule, to which the bench compares", () => {
  test("reads once where all answers come at one time, and once for each of two times", () => {
    const late = (ms: number): number => Math.max(0.5, 0.004 * ms);
    const one = bestScheduleCost(Array(10).fill(100), UNBOUNDED);
    expect(one).toBeGreaterThanOrEqual(WAIT_READ_COST_MS);
    expect(one).toBeLessThanOrEqual(WAIT_READ_COST_MS + late(100));
    // Who is answered at the first read makes one, all others two.
    const two = bestScheduleCost([...Array(10).fill(100), ...Array(10).fill(500)], UNBOUNDED);
    expect(two).toBeGreaterThanOrEqual(1.5 * WAIT_READ_COST_MS);
    expect(two).toBeLessThanOrEqual(1.5 * WAIT_READ_COST_MS + late(500));
  });

  test.each(ALL_ANSWERS)("costs no more than any other: %s", (name) => {
    const best = bestScheduleCost(answers(name), UNBOUNDED);
    const others = [KNOWING_NOTHING, knowing(name), ...Object.values(USUAL_POLICIES)];
    for (const policy of others) expect(simulateWaits(policy, answers(name)).cost).toBeGreaterThan((1 - GRID) * best);
    expect(bestFixedInterval(answers(name)).cost).toBeGreaterThan((1 - GRID) * best);
  });

  test.each(ALL_ANSWERS)(
    "costs more with gaps no longer than the bus allows itself, and still no more than the bus: %s",
    (name) => {
      const bounded = bestScheduleCost(answers(name), BOUNDED);
      expect(bounded).toBeGreaterThanOrEqual(bestScheduleCost(answers(name), UNBOUNDED));
      expect(simulateWaits(knowing(name), answers(name)).cost).toBeGreaterThan((1 - GRID) * bounded);
    },
  );
});
