/** What the command is told. */
import { parseArgs } from "node:util";

export interface Arguments {
  readonly seed: number;
  readonly operations: number;
  readonly seeds: number;
  readonly onlyOperations?: ReadonlySet<number>;
  readonly onlyFaults?: ReadonlySet<string>;
  readonly everything: boolean;
}

export const USAGE = `Runs the bus in simulation, under faults that follow from a seed, and judges what came of it.

  npm run sim -- --seed 7                one run of 100 operations: its timeline and its verdict
  npm run sim -- --seed 7 --ops 30       the same with 30 operations
  npm run sim -- --seed 1 --seeds 5000   many runs; the first that fails is made small and told

  --seed N        the seed, a whole number from 0 on
  --ops M         operations that agents begin, 5 to 10000 (100)
  --seeds K       how many runs, with seeds from N on (1)
  --only a,b      only these operations of the plan; "none" for none
  --faults a,b    only these faults; "none" for none
  --all           in the timeline also every call between machines
  --help          this text

A seed always gives the same run. The exit code is 1 when an invariant is violated.`;

/** @throws Error whose message says what is wrong with them */
export function readArguments(args: readonly string[]): Arguments | "help" {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seed: { type: "string" },
      ops: { type: "string", default: "100" },
      seeds: { type: "string", default: "1" },
      only: { type: "string" },
      faults: { type: "string" },
      all: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return "help";
  if (values.seed === undefined) throw new Error("--seed is missing.");
  const { only, faults } = values;
  return {
    seed: wholeNumber("--seed", values.seed, 0, 0xffff_ffff),
    operations: wholeNumber("--ops", values.ops, 5, 10_000),
    seeds: wholeNumber("--seeds", values.seeds, 1, 100_000_000),
    ...(only === undefined
      ? {}
      : { onlyOperations: new Set(listOf(only).map((one) => wholeNumber("--only", one, 0, 10_000))) }),
    ...(faults === undefined ? {} : { onlyFaults: new Set(listOf(faults)) }),
    everything: values.all,
  };
}

function wholeNumber(name: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < least || value > most)
    throw new Error(`${name}: a whole number from ${least} to ${most} was expected, and not "${text}".`);
  return value;
}

const listOf = (text: string): string[] => (text === "none" ? [] : text.split(","));
