import { describe, expect, test } from "vitest";
import type { Benchmark } from "../../../bench/contract.ts";
import { readOptions, usage } from "../../../bench/options.ts";

const benchmark = (goal: Benchmark["goal"]): Benchmark => ({
  goal,
  title: `title of ${goal}`,
  method: "",
  run: async () => ({ figures: [] }),
});
const ALL = [benchmark("P1"), benchmark("P4"), benchmark("R10")];
const goals = (args: string[]) => readOptions(args, ALL).chosen.map(({ goal }) => goal);

describe("npm run bench", () => {
  test("runs all, or those that are named, in the order of the goals", () => {
    expect(goals([])).toEqual(["P1", "P4", "R10"]);
    expect(goals(["r10", "P1"])).toEqual(["P1", "R10"]);
  });

  test("says which there are when one is named that there is not", () => {
    expect(() => readOptions(["P9"], ALL)).toThrow("There is no benchmark P9; there are P1, P4, R10.");
  });

  test("refuses an option that it does not know", () => {
    expect(() => readOptions(["--fast"], ALL)).toThrow("--fast");
  });

  test("lists them in its help", () => {
    expect(readOptions(["--help"], ALL).isHelp).toBe(true);
    expect(usage(ALL)).toContain("P4   title of P4");
  });
});
