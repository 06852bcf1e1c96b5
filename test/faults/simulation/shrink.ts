/** Makes a failing run small: fewer operations, then fewer faults, as long as the same invariant is still broken. */
import type { InvariantName } from "../checker.ts";
import type { SimulationOptions } from "./options.ts";
import { type SimulationResult, simulate } from "./simulate.ts";

/** Runs that one shrinking makes at most: half a minute or so. */
const MAX_RUNS = 400;

export interface Shrunk {
  readonly options: SimulationOptions;
  readonly result: SimulationResult;
  /** How many runs it took. */
  readonly runs: number;
}

/** @param options a run that breaks the invariant */
export async function shrink(options: SimulationOptions, invariant: InvariantName): Promise<Shrunk> {
  let runs = 0;
  let smallest = options;
  let result = await simulate(options);
  const fails = async (candidate: SimulationOptions): Promise<boolean> => {
    if (++runs > MAX_RUNS) return false;
    const outcome = await simulate(candidate);
    if (!outcome.violations.some((one) => one.invariant === invariant)) return false;
    smallest = candidate;
    result = outcome;
    return true;
  };
  for (let before = Number.POSITIVE_INFINITY; sizeOf(result) < before; ) {
    before = sizeOf(result);
    const operations = result.plan.map(({ number }) => number);
    await fewest(operations, (kept) => fails({ ...smallest, onlyOperations: new Set(kept) }));
    const faults = [...new Set(result.faults.map(({ id }) => id))];
    await fewest(faults, (kept) => fails({ ...smallest, onlyFaults: new Set(kept) }));
  }
  return { options: { ...smallest, isTraced: true }, result: await simulate({ ...smallest, isTraced: true }), runs };
}

const sizeOf = ({ plan, faults }: SimulationResult): number => plan.length + faults.length;

/** Leaves out as much as can be left out: halves, then quarters, down to one by one. */
async function fewest<T>(items: readonly T[], stillFails: (kept: readonly T[]) => Promise<boolean>): Promise<void> {
  let kept = items;
  for (
    let size = Math.ceil(items.length / 2);
    size >= 1 && kept.length > 0;
    size = size === 1 ? 0 : Math.ceil(size / 2)
  ) {
    for (let at = 0; at < kept.length; ) {
      const fewer = [...kept.slice(0, at), ...kept.slice(at + size)];
      if (await stillFails(fewer)) kept = fewer;
      else at += size;
    }
  }
}
