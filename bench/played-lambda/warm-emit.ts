/** Warm emits of the bus and of what it is compared with, in turn: what each costs, and how many there are in a second. */
import type { BenchContext, Series } from "../contract.ts";
import { inTurn } from "../measure/in-turn.ts";
import { startStandIn } from "../stand-in/start.ts";
import { buildSubjects, SUBJECT_NAMES, type SubjectName } from "../subjects/bundles.ts";
import type { Report } from "./child.ts";
import { emitCall } from "./emit-call.ts";
import { buildPlayedLambda, startEnvironment } from "./environment.ts";

const AT_ONCE = 32;
/** So many calls a round, after so many that nobody counts: by then what runs often is compiled. */
const CALLS = 1_280;
const WARM_UP_CALLS = 2_000;
const ROUNDS = 15;
const QUICK_ROUNDS = 3;
/** None of them comes near the rate that one agent may have. */
const AGENTS = 100;

export type WarmSubject = "lean" | "sdk" | "bare";
const SUBJECTS: readonly WarmSubject[] = ["lean", "sdk", "bare"];

let measured: Promise<Record<WarmSubject, Report[]>> | null = null;

/** Measured once for all that read it: processor time and wall-clock time are two columns of the same rounds. */
export function measureWarmEmits(context: BenchContext): Promise<Record<WarmSubject, Report[]>> {
  measured ??= measure(context);
  return measured;
}

async function measure(context: BenchContext): Promise<Record<WarmSubject, Report[]>> {
  const bundles = await buildSubjects(context.workDir);
  const file = await buildPlayedLambda(context.workDir);
  const standIn = await startStandIn(context.workDir);
  const call = emitCall(AGENTS);
  const environments = SUBJECTS.map(
    (name) => [name, startEnvironment(file, bundles[name].file, standIn.environment)] as const,
  );
  try {
    for (const [name, environment] of environments) {
      context.progress(`${SUBJECT_NAMES[name]} is warmed up`);
      await environment.start(call);
      await environment.calls(WARM_UP_CALLS, AT_ONCE, call);
    }
    const rounds = context.isQuick ? QUICK_ROUNDS : ROUNDS;
    return await inTurn<WarmSubject, Report>(
      Object.fromEntries(
        environments.map(([name, environment]) => [name, () => environment.calls(CALLS, AT_ONCE, call)]),
      ) as Record<WarmSubject, () => Promise<Report>>,
      { rounds, onRound: (round) => context.progress(`${CALLS} emits each, ${round + 1} of ${rounds}`) },
    );
  } finally {
    for (const [, environment] of environments) await environment.close();
    await standIn.close();
  }
}

/** What of each round counts. */
export const warmSeries = (
  name: SubjectName & WarmSubject,
  reports: readonly Report[],
  unit: "CPU ms" | "emits/s",
): Series => ({
  name: SUBJECT_NAMES[name],
  unit,
  values: reports.map(({ callsCpuMs, callsMs }) =>
    unit === "CPU ms" ? callsCpuMs / CALLS : (CALLS * 1_000) / callsMs,
  ),
});
