/** P3: what an emit asks of AWS, and what of it its caller waits for. */
import type { BenchContext, Benchmark, Outcome, Series } from "../contract.ts";
import { emitCall } from "../played-lambda/emit-call.ts";
import { buildPlayedLambda, type PlayedEnvironment, startEnvironment } from "../played-lambda/environment.ts";
import type { SeenCall } from "../stand-in/server.ts";
import { type StandIn, startStandIn } from "../stand-in/start.ts";
import { buildSubjects, SUBJECT_NAMES } from "../subjects/bundles.ts";

const EMITS = 400;
const QUICK_EMITS = 60;

const RECORD = "DynamoDB_20120810.PutItem";
const PUBLISH = "AWSEvents.PutEvents";
const UPDATE = "DynamoDB_20120810.UpdateItem";

/** The calls of one emit, on the two sides of its answer. */
interface OneEmit {
  readonly before: readonly string[];
  readonly after: readonly string[];
}

export const CALLS: Benchmark = {
  goal: "P3",
  title: "calls per emit",
  method:
    "The deployed bundle of emit, called as by a Function URL that streams, by one agent and one call after the other, against the " +
    "stand-in over HTTPS, which counts what comes before the whole answer has left the function and what comes after it.",
  run,
};

async function run(context: BenchContext): Promise<Outcome> {
  const bundles = await buildSubjects(context.workDir);
  const file = await buildPlayedLambda(context.workDir);
  const standIn = await startStandIn(context.workDir);
  const environment = startEnvironment(file, bundles.lean.file, standIn.environment);
  try {
    await environment.start(emitCall(1));
    await standIn.seen();
    const emits = await countEach(context, environment, standIn);
    return {
      figures: [
        figure("events recorded before the answer", emits, ({ before }) => countOf(before, RECORD), 1),
        figure("events published before the answer", emits, ({ before }) => countOf(before, PUBLISH), 1),
        figure("updates after the answer", emits, ({ after }) => countOf(after, UPDATE), 1),
        figure("other calls after the answer", emits, ({ after }) => after.length - countOf(after, UPDATE), 0),
        {
          title: "calls per emit, all in all",
          ours: series([
            emits.reduce((sum, { before, after }) => sum + before.length + after.length, 0) / emits.length,
          ]),
          note: "one emit in twenty pays for the calls of its agent with an update of the agent's bucket, before anything else",
        },
      ],
      details: { emits: emits.length, ...sequences(emits) },
    };
  } finally {
    await environment.close();
    await standIn.close();
  }
}

async function countEach(
  { isQuick, progress, signal }: BenchContext,
  environment: PlayedEnvironment,
  standIn: StandIn,
): Promise<OneEmit[]> {
  const wanted = isQuick ? QUICK_EMITS : EMITS;
  const emits: OneEmit[] = [];
  progress(`${wanted} emits, one after the other`);
  while (emits.length < wanted) {
    signal.throwIfAborted();
    const { answeredAtMs } = await environment.calls(1, 1, emitCall(1));
    const seen = await standIn.seen();
    const targets = (isBefore: boolean): string[] =>
      seen.filter(({ atMs }: SeenCall) => atMs < answeredAtMs === isBefore).map(({ target }) => target);
    emits.push({ before: targets(true), after: targets(false) });
  }
  return emits;
}

const countOf = (targets: readonly string[], target: string): number =>
  targets.filter((other) => other === target).length;

const series = (values: readonly number[]): Series => ({ name: SUBJECT_NAMES.lean, unit: "calls", values });

const figure = (title: string, emits: readonly OneEmit[], count: (emit: OneEmit) => number, most: number) =>
  ({ title, ours: series(emits.map(count)), goal: { bound: "at most", value: most } }) as const;

/** How often which calls were made in which order; `|` is the answer. */
function sequences(emits: readonly OneEmit[]): { sequences: Record<string, number> } {
  const found: Record<string, number> = {};
  for (const { before, after } of emits) {
    const sequence = [...before, "|", ...after].map((target) => target.replace(/^.*\./, "")).join(" ");
    found[sequence] = (found[sequence] ?? 0) + 1;
  }
  return { sequences: found };
}
