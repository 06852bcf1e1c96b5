/** P1: what a cold start of `emit` costs, with its first call. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { BenchContext, Benchmark, Figure, Outcome, Series } from "../contract.ts";
import { inTurn } from "../measure/in-turn.ts";
import type { Report } from "../played-lambda/child.ts";
import { emitCall } from "../played-lambda/emit-call.ts";
import { buildPlayedLambda, startEnvironment } from "../played-lambda/environment.ts";
import { distributionPicture } from "../report/charts.ts";
import { startStandIn } from "../stand-in/start.ts";
import { type Bundle, buildSubjects, SUBJECT_NAMES, type SubjectName } from "../subjects/bundles.ts";

const ROUNDS = 21;
const QUICK_ROUNDS = 3;
const SUBJECTS = Object.keys(SUBJECT_NAMES) as SubjectName[];

/** The Node that the functions run on, where `npm run aws:local` has brought it. */
const LAMBDAS_NODE = join(import.meta.dirname, "../../.local/node24/node_modules/.bin/node");

type Starts = Record<SubjectName, Report[]>;

export const START: Benchmark = {
  goal: "P1",
  title: "start and first call of emit",
  method:
    "A process that has loaded nothing loads the bundle as Lambda does and makes one call, against a stand-in for DynamoDB and " +
    "EventBridge over HTTPS on loopback. Counted is CPU time (user and system) from just before the bundle is loaded until the " +
    "function is done with its first call; six kinds of bundle in turn, medians of pairs.",
  run,
};

async function run(context: BenchContext): Promise<Outcome> {
  const bundles = await buildSubjects(context.workDir);
  const here = await measure(context, bundles, process.execPath);
  const cost = (name: SubjectName): Series => series(name, here[name].map(totalCpuMs), "CPU ms");
  const lambdasNode = existsSync(LAMBDAS_NODE) ? await measure(context, bundles, LAMBDAS_NODE) : null;
  return {
    figures: [
      {
        title: "start and first call of emit",
        ours: cost("lean"),
        beside: cost("bare"),
        goal: { bound: "at most", value: 0.9, further: 0.36 },
      },
      {
        title: "start and first call of emit, with the SDK",
        ours: cost("sdk"),
        beside: cost("bare"),
        goal: { bound: "at most", value: 0.9 },
        note: "the other choice in bus.config.ts; the chain of credential providers is left out",
      },
      {
        title: "the lean clients of it alone",
        ours: cost("bareLean"),
        beside: cost("bare"),
        note: "the same three calls by the bus's own clients: what the first figure has beyond it is what checks, hashes, charges and recognises",
      },
      { title: "the floor of it", ours: cost("floor"), beside: cost("bare") },
      { title: "a first try without thinking of it", ours: cost("firstTry"), beside: cost("bare") },
      ...phases(here),
      ...(lambdasNode === null ? [] : onLambdasNode(lambdasNode)),
      {
        title: "size of the bundle",
        ours: size("lean", bundles),
        beside: size("bare", bundles),
        goal: { bound: "at most", value: 0.65, further: 0.06 },
      },
      { title: "size of the bundle, with the SDK", ours: size("sdk", bundles), beside: size("bare", bundles) },
      { title: "size of the lean clients alone", ours: size("bareLean", bundles), beside: size("bare", bundles) },
    ],
    pictures: [
      distributionPicture(
        { name: "p1-start", title: "Start and first call of emit" },
        { x: { name: "CPU time in ms" }, series: SUBJECTS.map(cost) },
      ),
    ],
  };
}

async function measure(context: BenchContext, bundles: Record<SubjectName, Bundle>, node: string): Promise<Starts> {
  const file = await buildPlayedLambda(context.workDir);
  const standIn = await startStandIn(context.workDir);
  const rounds = context.isQuick ? QUICK_ROUNDS : ROUNDS;
  const start = (name: SubjectName) => async (): Promise<Report> => {
    context.signal.throwIfAborted();
    const environment = startEnvironment(file, bundles[name].file, standIn.environment, node);
    try {
      return await environment.start(emitCall(1));
    } finally {
      await environment.close();
    }
  };
  try {
    return await inTurn<SubjectName, Report>(
      Object.fromEntries(SUBJECTS.map((name) => [name, start(name)])) as Record<SubjectName, () => Promise<Report>>,
      {
        rounds,
        onRound: (round) => context.progress(`starts of ${SUBJECTS.length} bundles, ${round + 1} of ${rounds}`),
      },
    );
  } finally {
    await standIn.close();
  }
}

/** The two parts of it: what Lambda does before there is a call, and the first call. */
function phases(starts: Starts): Figure[] {
  const part = (name: SubjectName, of: (report: Report) => number): Series =>
    series(name, starts[name].map(of), "CPU ms");
  return [
    { title: "start alone", ours: part("lean", startCpuMs), beside: part("bare", startCpuMs) },
    { title: "first call alone", ours: part("lean", callsCpuMs), beside: part("bare", callsCpuMs) },
  ];
}

const onLambdasNode = (starts: Starts): Figure[] =>
  (["lean", "sdk"] as const).map((name) => ({
    title: `start and first call of emit${name === "sdk" ? ", with the SDK" : ""}, on Node 24`,
    ours: series(name, starts[name].map(totalCpuMs), "CPU ms"),
    beside: series("bare", starts.bare.map(totalCpuMs), "CPU ms"),
  }));

const startCpuMs = (report: Report): number => report.startCpuMs;
const callsCpuMs = (report: Report): number => report.callsCpuMs;
const totalCpuMs = (report: Report): number => report.startCpuMs + report.callsCpuMs;

const series = (name: SubjectName, values: readonly number[], unit: string): Series => ({
  name: SUBJECT_NAMES[name],
  unit,
  values,
});

const size = (name: SubjectName, bundles: Record<SubjectName, Bundle>): Series =>
  series(name, [bundles[name].bytes], "bytes");
