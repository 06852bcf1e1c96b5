/** What is said of a run that failed: how to have it again, and what happened in the smallest run that fails in the same way. */
import type { SimulationOptions } from "./options.ts";
import { shrink } from "./shrink.ts";
import { simulate } from "./simulate.ts";
import { timeline, verdict } from "./timeline.ts";

/** The command that has a run again. */
export function replayCommand({ seed, operations, onlyOperations, onlyFaults }: SimulationOptions): string {
  const only = onlyOperations === undefined ? "" : ` --only ${[...onlyOperations].join(",") || "none"}`;
  const faults = onlyFaults === undefined ? "" : ` --faults ${[...onlyFaults].join(",") || "none"}`;
  return `npm run sim -- --seed ${seed} --ops ${operations}${only}${faults}`;
}

/** @param options of a run that violates an invariant */
export async function failureReport(options: SimulationOptions): Promise<string> {
  const failed = await simulate(options);
  const [first] = failed.violations;
  if (first === undefined)
    return `Seed ${options.seed} does not fail when it is run again: the run is not deterministic.`;
  const { options: smallest, result, runs } = await shrink(options, first.invariant);
  return [
    `Seed ${options.seed} fails:`,
    verdict(failed),
    "",
    `The same run again:   ${replayCommand(options)}`,
    `The smallest of it:   ${replayCommand(smallest)}`,
    `(${result.plan.length} of ${failed.plan.length} operations, ${result.faults.length} of ${failed.faults.length} faults, found in ${runs} runs)`,
    "",
    timeline(result, true),
    "",
    verdict(result),
  ].join("\n");
}
