/** `npm run bench`: the bus beside what it is judged against. Exit code 1 when a benchmark could not be carried out. */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { BENCHMARKS } from "./benchmarks.ts";
import type { Benchmark, Picture } from "./contract.ts";
import { type Options, readOptions, usage } from "./options.ts";
import { withMeasured } from "./report/performance-page.ts";
import { mergeResults, type Result, readResults, resultOf, writeResults } from "./report/results.ts";
import { rowOf, textTable } from "./report/table.ts";

// Nobody deploys with the Node that measures; the SDK's note about its version would stand between the figures.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= "true";

const ROOT = join(import.meta.dirname, "..");
const RESULTS = join(ROOT, "bench/results.json");
const PAGE = join(ROOT, "docs/performance.md");
const PICTURES = join(ROOT, "docs/performance");
const WORK = join(ROOT, ".local/bench");

interface Measured {
  readonly result: Result;
  readonly pictures: readonly Picture[];
}

async function main(): Promise<number> {
  let options: Options;
  try {
    options = readOptions(process.argv.slice(2), BENCHMARKS);
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${usage(BENCHMARKS)}`);
    return 1;
  }
  if (options.isHelp) {
    console.log(usage(BENCHMARKS));
    return 0;
  }
  const stop = new AbortController();
  process.once("SIGINT", () => stop.abort());
  const measured: Measured[] = [];
  const failed: string[] = [];
  for (const benchmark of options.chosen) {
    if (stop.signal.aborted) break;
    try {
      measured.push(await carryOut(benchmark, options.isQuick, stop.signal));
    } catch (error) {
      failed.push(benchmark.goal);
      console.error(`${benchmark.goal} could not be carried out: ${(error as Error).stack ?? error}`);
    }
  }
  print(measured.map(({ result }) => result));
  if (!options.isQuick && !stop.signal.aborted) await keep(measured);
  if (failed.length > 0) console.error(`\nNot carried out: ${failed.join(", ")}.`);
  return failed.length > 0 || stop.signal.aborted ? 1 : 0;
}

async function carryOut(benchmark: Benchmark, isQuick: boolean, signal: AbortSignal): Promise<Measured> {
  const begun = performance.now();
  console.error(`${benchmark.goal}: ${benchmark.title}`);
  await mkdir(WORK, { recursive: true });
  const outcome = await benchmark.run({
    isQuick,
    signal,
    workDir: WORK,
    progress: (text) => console.error(`  ${text}`),
  });
  console.error(`  done in ${((performance.now() - begun) / 1_000).toFixed(0)} s`);
  return { result: resultOf(benchmark, outcome, new Date()), pictures: outcome.pictures ?? [] };
}

function print(results: readonly Result[]): void {
  if (results.length === 0) return;
  const rows = results.flatMap(({ goal, figures }) => figures.map((figure) => rowOf(goal, figure)));
  console.log(`\n${textTable(rows)}`);
  for (const { omissions } of results)
    for (const { what, why } of omissions) console.log(`Not compared: ${what}. ${why}`);
}

async function keep(measured: readonly Measured[]): Promise<void> {
  if (measured.length === 0) return;
  const earlier = await readResults(RESULTS);
  const fresh = measured.map(({ result }) => result);
  const results = mergeResults(
    earlier,
    fresh,
    BENCHMARKS.map(({ goal }) => goal),
  );
  await writeResults(RESULTS, results);
  await mkdir(PICTURES, { recursive: true });
  for (const { name, svg } of measured.flatMap(({ pictures }) => pictures))
    await writeFile(join(PICTURES, `${name}.svg`), `${svg}\n`);
  await writeFile(PAGE, withMeasured(await readFile(PAGE, "utf8"), results));
  console.log("\nWritten: bench/results.json, docs/performance.md and its pictures.");
}

process.exitCode = await main();
