/** What can be said on the command line of `npm run bench`. */
import { parseArgs } from "node:util";
import type { Benchmark, GoalId } from "./contract.ts";

export interface Options {
  /** In the order of the table. */
  readonly chosen: readonly Benchmark[];
  readonly isQuick: boolean;
  readonly isHelp: boolean;
}

/** @throws Error that says what is wrong */
export function readOptions(args: readonly string[], benchmarks: readonly Benchmark[]): Options {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { quick: { type: "boolean", default: false }, help: { type: "boolean", short: "h", default: false } },
  });
  const wanted = positionals.map((name) => name.toUpperCase());
  const known = benchmarks.map(({ goal }) => goal);
  for (const name of wanted)
    if (!known.includes(name as GoalId))
      throw new Error(`There is no benchmark ${name}; there are ${known.join(", ")}.`);
  return {
    chosen: wanted.length === 0 ? benchmarks : benchmarks.filter(({ goal }) => wanted.includes(goal)),
    isQuick: values.quick,
    isHelp: values.help,
  };
}

export function usage(benchmarks: readonly Benchmark[]): string {
  return `Measures the bus beside what it is judged against, in turn, and prints all as one table.

Usage: npm run bench [-- P1 P4 ...] [-- options]

${benchmarks.map(({ goal, title }) => `  ${goal.padEnd(5)}${title}`).join("\n")}

  --quick  few repetitions, to see whether it runs; writes nothing
  --help   this text

Writes bench/results.json, docs/performance.md and its pictures. What a benchmark compares with and this machine does not have
is fetched by the system's package manager into .local/bench; what cannot be had is named. Exit code 1: a benchmark failed
(a goal that is missed is no failure).`;
}
