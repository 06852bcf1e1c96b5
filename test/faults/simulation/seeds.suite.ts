/** Thousands of simulated runs, in blocks: several files of them run side by side. */
import { describe, expect, it } from "vitest";
import { failureReport } from "./report.ts";
import { simulate } from "./simulate.ts";

/** R1: 10,000 seeds with 100 operations each, over four files. */
export const SEEDS_PER_FILE = 2_500;
const SEEDS_PER_TEST = 250;
const OPERATIONS = 100;

/** @param firstSeed of the file's own */
export function seedsHold(firstSeed: number): void {
  describe("a bus under faults, clocks and races of every kind, simulated", () => {
    for (let first = firstSeed; first < firstSeed + SEEDS_PER_FILE; first += SEEDS_PER_TEST)
      it(`keeps what the protocol promises [R1], in runs ${first} to ${first + SEEDS_PER_TEST - 1}`, async () => {
        for (let seed = first; seed < first + SEEDS_PER_TEST; seed++) {
          const { violations } = await simulate({ seed, operations: OPERATIONS });
          if (violations.length > 0) expect.fail(await failureReport({ seed, operations: OPERATIONS }));
          // Between two runs the test runner has its turn.
          await new Promise((resolve) => setImmediate(resolve));
        }
      });
  });
}
