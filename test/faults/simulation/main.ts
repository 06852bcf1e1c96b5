/** `npm run sim`: replays one run, or looks for one that fails. */
import { type Arguments, readArguments, USAGE } from "./arguments.ts";
import { failureReport } from "./report.ts";
import { simulate } from "./simulate.ts";
import { timeline, verdict } from "./timeline.ts";

const PROGRESS_EACH = 500;

process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  let given: Arguments | "help";
  try {
    given = readArguments(args);
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n\n${USAGE}\n`);
    return 2;
  }
  if (given === "help") {
    process.stdout.write(`${USAGE}\n`);
    return 0;
  }
  return given.seeds === 1 ? replay(given) : search(given);
}

async function replay({ everything, seeds: _, ...options }: Arguments): Promise<number> {
  const run = await simulate({ ...options, isTraced: everything });
  const isWhole = options.onlyOperations === undefined && options.onlyFaults === undefined;
  if (run.violations.length > 0 && isWhole) process.stdout.write(`${await failureReport(options)}\n`);
  else process.stdout.write(`${timeline(run, everything)}\n\n${verdict(run)}\n`);
  process.stdout.write(
    `\nSeed ${options.seed}: ${run.plan.length} operations, ${run.calls.length} calls, ${run.faults.length} faults, ` +
      `${run.state.events.length} events, ${run.violations.length} violations, fingerprint ${run.fingerprint}.\n`,
  );
  return run.violations.length === 0 ? 0 : 1;
}

async function search({ seed, seeds, operations }: Arguments): Promise<number> {
  for (let i = 0; i < seeds; i++) {
    const options = { seed: seed + i, operations };
    if ((await simulate(options)).violations.length > 0) {
      process.stdout.write(`${await failureReport(options)}\n`);
      return 1;
    }
    if ((i + 1) % PROGRESS_EACH === 0) process.stdout.write(`${i + 1} runs, no violation\n`);
  }
  process.stdout.write(`${seeds} runs of ${operations} operations each, no invariant is violated.\n`);
  return 0;
}
