import { describe, expect, it } from "vitest";
import { PLANTED_BUGS } from "./planted-bugs/all.ts";
import { simulate } from "./simulate.ts";

const OPERATIONS = 100;
/** Each is caught by one of so many seeds. */
const MAX_SEEDS = 60;

describe("a bus with a planted bug", () => {
  it.each(PLANTED_BUGS.map((bug) => [bug.name, bug] as const))("is caught when %s", async (_, { breaks, plant }) => {
    const broken = new Set<string>();
    for (let seed = 1; seed <= MAX_SEEDS && !breaks.some((one) => broken.has(one)); seed++)
      for (const { invariant } of (await simulate({ seed, operations: OPERATIONS, ...plant })).violations)
        broken.add(invariant);
    expect([...broken]).toSatisfy((found: string[]) => breaks.some((one) => found.includes(one)));
  });

  it("is not caught where there is none", async () => {
    for (let seed = 1; seed <= MAX_SEEDS; seed++)
      expect((await simulate({ seed, operations: OPERATIONS })).violations, `seed ${seed}`).toEqual([]);
  });
});
