/** P6: what a page of history costs with a thousand events in the table, and with a million. */
import type { BenchContext, Benchmark, Figure, Outcome, Picture } from "../contract.ts";
import { inTurn } from "../measure/in-turn.ts";
import { median } from "../measure/statistics.ts";
import { linesPicture } from "../report/charts.ts";
import { ACCESS_PATHS, type AccessPath } from "./access-paths.ts";
import { type HistoryBus, openHistoryBus } from "./bus.ts";
import type { Cost } from "./counting-calls.ts";
import { type PreparedTable, prepareTable } from "./prepared-table.ts";

const SMALL = 1_000;
const SIZES = [SMALL, 10_000, 100_000, 1_000_000] as const;
const QUICK_SIZES = [SMALL, 100_000] as const;

/** Pages whose calls are counted. */
const COUNTED_PAGES = 10;
/** As many pages are read for one figure of time as take so long, in milliseconds: the clock of CPU time is coarse. */
const FIGURE_MS = 30;
const MAX_PAGES = 200;

/** One access path on tables of all sizes. */
interface PathResult {
  readonly path: AccessPath;
  /** By size, a page on average. */
  readonly costs: ReadonlyMap<number, Cost & { readonly shown: number }>;
  readonly cpuMs: ReadonlyMap<number, readonly number[]>;
  readonly wallMs: ReadonlyMap<number, readonly number[]>;
}

export const HISTORY: Benchmark = {
  goal: "P6",
  title: "a page of history, with a thousand events and with a million",
  method:
    "Tables of the embedded store (on LevelDB, in this process) hold 1,000 to 1,000,000 events, with all items and index entries " +
    "that the bus writes for them, each a tenth more that could not be delivered and that waits in a queue. The same pages " +
    "are read from all of them in turn through the domain and its DynamoDB store: CPU time of the whole process, store " +
    "included, and, counted on their way, calls, items read and the read units that DynamoDB's rules make of them. " +
    "DynamoDB itself is not measured; what is counted does not depend on who stores it.",
  run,
};

async function run(context: BenchContext): Promise<Outcome> {
  const sizes: readonly number[] = context.isQuick ? QUICK_SIZES : SIZES;
  const tables = new Map<number, PreparedTable>();
  for (const size of sizes) tables.set(size, await prepareTable(context, size));
  const buses: HistoryBus[] = [];
  try {
    for (const [size, table] of tables) buses.push(await openHistoryBus(table, size));
    const results: PathResult[] = [];
    for (const path of ACCESS_PATHS) {
      context.signal.throwIfAborted();
      context.progress(path.name);
      results.push(await measure(path, buses, context.isQuick ? 5 : 15));
    }
    return outcomeOf(results, sizes, tables);
  } finally {
    await Promise.all(buses.map((bus) => bus.close()));
  }
}

async function measure(path: AccessPath, buses: readonly HistoryBus[], rounds: number): Promise<PathResult> {
  const costs = new Map<number, Cost & { shown: number }>();
  for (const bus of buses) costs.set(bus.count, await costOf(path, bus));
  const pages = await pagesPerFigure(path, buses[0] as HistoryBus);
  let turn = 0;
  const subjects = Object.fromEntries(buses.map((bus) => [bus.count, () => timeOf(path, bus, turn++, pages)]));
  const times = await inTurn(subjects, { rounds, warmUps: 2 });
  const of = (pick: (time: Time) => number) =>
    new Map(buses.map(({ count }) => [count, (times[count] ?? []).map(pick)] as const));
  return { path, costs, cpuMs: of(({ cpuMs }) => cpuMs), wallMs: of(({ wallMs }) => wallMs) };
}

async function costOf(path: AccessPath, { counting }: HistoryBus): Promise<Cost & { shown: number }> {
  // What is read once for all pages, as the key that signs cursors, is no part of a page.
  await path.read(counting, 0);
  counting.takeCost();
  let shown = 0;
  for (let turn = 0; turn < COUNTED_PAGES; turn++) shown += await path.read(counting, turn);
  if (shown === 0) throw new Error(`With ${counting.count} events there is nothing to see for "${path.name}".`);
  const { calls, items, readUnits } = counting.takeCost();
  return {
    shown: shown / COUNTED_PAGES,
    calls: calls / COUNTED_PAGES,
    items: items / COUNTED_PAGES,
    readUnits: readUnits / COUNTED_PAGES,
  };
}

interface Time {
  readonly cpuMs: number;
  readonly wallMs: number;
}

async function pagesPerFigure(path: AccessPath, bus: HistoryBus): Promise<number> {
  await timeOf(path, bus, 0, 5);
  const { wallMs } = await timeOf(path, bus, 0, 5);
  return Math.min(MAX_PAGES, Math.ceil(FIGURE_MS / wallMs));
}

/** Of one page, store included: it is in this process. */
async function timeOf(path: AccessPath, bus: HistoryBus, turn: number, pages: number): Promise<Time> {
  const cpuBefore = process.cpuUsage();
  const begun = performance.now();
  for (let i = 0; i < pages; i++) await path.read(bus, turn + i);
  const wallMs = performance.now() - begun;
  const { user, system } = process.cpuUsage(cpuBefore);
  return { cpuMs: (user + system) / 1_000 / pages, wallMs: wallMs / pages };
}

function outcomeOf(
  results: readonly PathResult[],
  sizes: readonly number[],
  tables: ReadonlyMap<number, PreparedTable>,
): Outcome {
  const large = sizes.at(-1) as number;
  return {
    figures: [
      countedFigure(results, large, "calls", "calls"),
      countedFigure(results, large, "items", "items read"),
      countedFigure(results, large, "readUnits", "read units"),
      ...results.map((result) => timeFigure(result, large)),
    ],
    pictures: picturesOf(results, sizes),
    details: {
      tables: Object.fromEntries(
        [...tables].map(([size, { bytesOnDisk, madeInMs }]) => [size, { bytesOnDisk, madeInMs }]),
      ),
      paths: Object.fromEntries(results.map((result) => [result.path.name, detailsOf(result, sizes)])),
    },
  };
}

/** The path whose cost grows most; if none does, the first of all. */
function countedFigure(results: readonly PathResult[], large: number, what: keyof Cost, unit: string): Figure {
  const ratioOf = ({ costs }: PathResult): number => at(costs, large)[what] / at(costs, SMALL)[what];
  const worst = results.reduce((a, b) => (ratioOf(b) > ratioOf(a) ? b : a));
  return {
    title: `${unit} of a page, of ${results.length} access paths the one that grows most: ${worst.path.name}`,
    ours: { name: events(large), unit, values: [at(worst.costs, large)[what]] },
    beside: { name: events(SMALL), unit, values: [at(worst.costs, SMALL)[what]] },
    goal: { bound: "at most", value: 1.2, further: 1 },
    note: "What DynamoDB bills for a page, whatever the store in the test.",
  };
}

function timeFigure({ path, costs, cpuMs }: PathResult, large: number): Figure {
  const { shown, calls, items, readUnits } = at(costs, large);
  return {
    title: path.name,
    ours: { name: events(large), unit: "CPU ms", values: at(cpuMs, large) },
    beside: { name: events(SMALL), unit: "CPU ms", values: at(cpuMs, SMALL) },
    goal: { bound: "at most", value: 1.2 },
    note: `A page shows ${shown}, with ${calls} calls, ${items} items read, ${readUnits} read units.`,
  };
}

/** Lines that can be told apart, in each picture. */
const LINES = 7;

function picturesOf(results: readonly PathResult[], sizes: readonly number[]): Picture[] {
  const pictures = Math.ceil(results.length / LINES);
  return Array.from({ length: pictures }, (_, i) =>
    linesPicture(
      {
        name: `p6-history-${i + 1}`,
        title: `CPU time of a page, against the same with 1,000 events (${i + 1} of ${pictures})`,
      },
      {
        x: { name: "events in the table", isLogarithmic: true },
        y: { name: "CPU time as a multiple" },
        lines: results.slice(i * LINES, (i + 1) * LINES).map(({ path, cpuMs }) => ({
          name: path.name,
          points: sizes.map((size): [number, number] => [size, median(ratios(at(cpuMs, size), at(cpuMs, SMALL)))]),
        })),
      },
    ),
  );
}

const ratios = (ours: readonly number[], beside: readonly number[]): number[] =>
  ours.map((value, i) => value / (beside[i] as number));

const detailsOf = ({ costs, cpuMs, wallMs }: PathResult, sizes: readonly number[]): object =>
  Object.fromEntries(
    sizes.map((size) => [
      size,
      { ...at(costs, size), cpuMs: median(at(cpuMs, size)), wallMs: median(at(wallMs, size)) },
    ]),
  );

const events = (count: number): string => `${count.toLocaleString("en")} events`;

function at<Value>(values: ReadonlyMap<number, Value>, size: number): Value {
  const value = values.get(size);
  if (value === undefined) throw new Error(`Nothing was measured with ${size} events.`);
  return value;
}
