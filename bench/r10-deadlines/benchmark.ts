/** R10: waits end at their deadline, and are handed over before their function's time is up. */
import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import type { BenchContext, Benchmark, Figure, Outcome, Series } from "../contract.ts";
import { startEmbeddedRun } from "../measure/embedded-run.ts";
import { quantile } from "../measure/statistics.ts";
import { distributionPicture } from "../report/charts.ts";
import { leftAtHandOver } from "./hand-over.ts";
import { besideLoad, endedAfterDeadline } from "./waits.ts";

const WAITS = 100;
const AT_ONCE = 50;
/** Questions beside, at once, as fast as they are answered. */
const LOAD = 8;
const HAND_OVERS = 50;

const MOST_LATE_MS = 250;
const LEAST_LEFT_MS = 2_000;

export const DEADLINES: Benchmark = {
  goal: "R10",
  title: "waits that end at their deadline",
  method:
    `${2 * WAITS} waits that nobody answers, with deadlines of 1 to 3 s, ${AT_ONCE} open at once, over HTTP on the embedded run: ` +
    `${WAITS} on a quiet bus, ${WAITS} while ${LOAD} questions at once are asked and answered beside them. How late is what the ` +
    `asker sees, the way to the bus and back included. Then ${HAND_OVERS} waits that outlive their function, in the Lambda ` +
    "handler itself with a function's time that is played: what was left of it when they were answered with 202.",
  run,
};

async function run({ isQuick, workDir, signal, progress }: BenchContext): Promise<Outcome> {
  const waits = { count: isQuick ? 50 : WAITS, atOnce: AT_ONCE };
  const folder = await mkdtemp(join(workDir, "r10-"));
  try {
    const bus = await startEmbeddedRun(join(folder, "bus"), join(import.meta.dirname, "bus.config.ts"));
    try {
      progress("on a quiet bus");
      const quiet = late("on a quiet bus", await endedAfterDeadline(bus.url, waits, signal));
      progress("with load beside");
      const work = (): Promise<number[]> => endedAfterDeadline(bus.url, waits, signal);
      const loaded = late("with load beside", await besideLoad(bus.url, LOAD, { signal }, work));
      progress("handed over");
      const left: Series = {
        name: "what is left of the function's time",
        unit: "ms",
        values: await leftAtHandOver(isQuick ? 10 : HAND_OVERS),
      };
      return {
        figures: [lateFigure(quiet), lateFigure(loaded), leftFigure(left)],
        pictures: [
          distributionPicture(
            { name: "r10-deadlines", title: "How long after its deadline a wait is told of its end" },
            { x: { name: "time in ms" }, series: [quiet, loaded] },
          ),
        ],
        details: { waits: waits.count, atOnce: AT_ONCE, load: LOAD },
      };
    } finally {
      await bus.close();
    }
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

const late = (name: string, values: readonly number[]): Series => ({ name, unit: "ms", values });

/** One number, which is what is judged: the share of all waits that may be later is the goal's own. */
const only = ({ name, unit, values }: Series, share: number): Series => ({
  name,
  unit,
  values: [quantile(values, share)],
});

const lateFigure = (series: Series): Figure => ({
  title: `told of the deadline, late by, p99, ${series.name}`,
  ours: only(series, 0.99),
  goal: { bound: "at most", value: MOST_LATE_MS },
});

const leftFigure = (series: Series): Figure => ({
  title: "handed over with so much of the function's time left, least",
  ours: only(series, 0),
  goal: { bound: "at least", value: LEAST_LEFT_MS },
});
