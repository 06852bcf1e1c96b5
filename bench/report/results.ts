/** `bench/results.json`: what was measured last of each benchmark, where and when. */
import { readFile, writeFile } from "node:fs/promises";
import { cpus, totalmem } from "node:os";
import type { Benchmark, GoalId, Omission, Outcome, Picture } from "../contract.ts";
import { type Judged, judge } from "./judge.ts";

/** Where it was measured. */
export interface Machine {
  readonly node: string;
  readonly platform: string;
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGb: number;
}

export interface Result {
  readonly goal: GoalId;
  readonly title: string;
  readonly method: string;
  /** ISO 8601. */
  readonly measuredAt: string;
  readonly machine: Machine;
  readonly figures: readonly Judged[];
  readonly omissions: readonly Omission[];
  readonly pictures: readonly Pick<Picture, "name" | "title">[];
  readonly details: Readonly<Record<string, unknown>>;
}

export function resultOf({ goal, title, method }: Benchmark, outcome: Outcome, now: Date): Result {
  return {
    goal,
    title,
    method,
    measuredAt: now.toISOString(),
    machine: thisMachine(),
    figures: outcome.figures.map(judge),
    omissions: outcome.omissions ?? [],
    pictures: (outcome.pictures ?? []).map((picture) => ({ name: picture.name, title: picture.title })),
    details: outcome.details ?? {},
  };
}

/** The results that a file has; none when there is no file. */
export async function readResults(file: string): Promise<Result[]> {
  try {
    return JSON.parse(await readFile(file, "utf8")) as Result[];
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}

/** In the order of the goals; a benchmark that was not run keeps its earlier result. */
export function mergeResults(earlier: readonly Result[], fresh: readonly Result[], order: readonly GoalId[]): Result[] {
  const latest = new Map([...earlier, ...fresh].map((result) => [result.goal, result]));
  return order.flatMap((goal) => latest.get(goal) ?? []);
}

export const writeResults = (file: string, results: readonly Result[]): Promise<void> =>
  writeFile(file, `${numbersOnOneLine(JSON.stringify(results, rounded, 1))}\n`);

/** A list of numbers is for programs; one a line it would bury what people look for. */
const numbersOnOneLine = (json: string): string =>
  json.replace(/\[[\d\s.,e+-]+\]/g, (list) => list.replace(/\s+/g, " "));

/** Six digits: more of a time is noise. */
const rounded = (_key: string, value: unknown): unknown =>
  typeof value === "number" && !Number.isInteger(value) ? Number(value.toPrecision(6)) : value;

function thisMachine(): Machine {
  return {
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    cpu: cpus()[0]?.model ?? "unknown",
    cores: cpus().length,
    memoryGb: Math.round(totalmem() / 2 ** 30),
  };
}
