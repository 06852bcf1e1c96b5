/**
 * One simulated run: agents, machines and faults from one seed, until all is quiet; then the verdict.
 *
 * The same seed and options give the same run, to the last call: time is virtual, chance is drawn from the seed, and the
 * order of everything is decided by the scheduler.
 */

import { allows } from "../../../shared/agents/policy.ts";
import { checkRun, type Violation } from "../checker.ts";
import type { FinalState, RunFacts } from "../final-state.ts";
import type { Call } from "../history.ts";
import { finalState } from "./final-state-of-run.ts";
import { leftAfterRetention } from "./forgotten.ts";
import type { SimulationOptions, TraceLine } from "./options.ts";
import { drawPlan, type OperationKind, type PlannedOperation } from "./plan.ts";
import { becomeQuiet } from "./quiet.ts";
import { hashText, type Random } from "./random.ts";
import { keepReconciling } from "./reconciling.ts";
import { agentOf, BUS } from "./setting.ts";
import type { Fault, Weather } from "./weather.ts";
import { buildWorld, INDEX_LAG_MS, type World } from "./world.ts";

/** What is under way when the last operation has begun may go on for so long under faults. */
const LAST_FAULTS_MS = 5_000;

export interface SimulationResult {
  readonly violations: readonly Violation[];
  readonly calls: readonly Call[];
  readonly state: FinalState;
  readonly faults: readonly Fault[];
  readonly weather: Weather;
  readonly plan: readonly PlannedOperation[];
  /** When faults stopped, in milliseconds of the run. */
  readonly calmAtMs: number;
  /** How many things happened, one after the other. */
  readonly moments: number;
  /** Of all calls and the final state: the same for the same run. */
  readonly fingerprint: string;
  readonly trace: readonly TraceLine[];
}

export async function simulate(options: SimulationOptions): Promise<SimulationResult> {
  const { seed, operations, onlyOperations } = options;
  const trace: TraceLine[] = [];
  const world = buildWorld(options, trace);
  const plan = drawPlan(seed, operations).filter(({ number }) => onlyOperations?.has(number) !== false);
  const lastMs = plan.at(-1)?.atMs ?? 0;
  for (const operation of plan) world.scheduler.after(operation.atMs, () => void perform(world, operation));
  if (world.reconciles) keepReconciling(world, lastMs);
  await world.scheduler.passUntil(lastMs + LAST_FAULTS_MS);
  const calmAtMs = world.scheduler.nowMs;
  const problems = await becomeQuiet(world);
  const state = await finalState(world);
  const { calls } = world.clients.parts.history;
  const isFaultless = world.fates.fallen.length === 0 && world.weather.clockErrorMs === 0;
  const violations = [
    ...checkRun(calls, state, {
      deployed: (BUS.subscribers ?? []).map(({ name, on }) => ({
        name,
        eventTypes: typeof on === "string" ? [on] : on,
      })),
      historyLagMs: INDEX_LAG_MS + world.weather.clockErrorMs,
      isFaultless,
      ...(world.weather.hasPolicies ? { agentOf, mayRead: mayReadBy(state) } : {}),
    }),
    ...problems,
    ...(await leftAfterRetention(world)),
    ...world.clients.surprises.map((what): Violation => ({ invariant: "I11", what })),
  ];
  return {
    violations,
    calls,
    state,
    faults: world.fates.fallen,
    weather: world.weather,
    plan,
    calmAtMs,
    moments: world.scheduler.moments,
    get fingerprint() {
      return hashText(JSON.stringify([calls, state])).toString(16);
    },
    trace,
  };
}

type Act = (operation: PlannedOperation, random: Random) => Promise<void>;

async function perform(world: World, operation: PlannedOperation): Promise<void> {
  const { publishing, answering, looking, clients } = world;
  const acts: Readonly<Record<OperationKind, Act>> = {
    emit: (...args) => publishing.emit(...args),
    emitBatch: (...args) => publishing.emitBatch(...args),
    ask: (...args) => publishing.ask(...args),
    repeat: (...args) => publishing.repeat(...args),
    resume: (one) => publishing.resume(one),
    cancel: (one) => publishing.cancel(one),
    respond: (...args) => answering.respond(...args),
    poll: (...args) => answering.poll(...args),
    list: (...args) => looking.list(...args),
    show: (one) => looking.show(one),
    subscribe: (...args) => looking.subscribe(...args),
    changeSubscription: (...args) => looking.changeSubscription(...args),
    unsubscribe: (...args) => looking.unsubscribe(...args),
    redrive: (one) => looking.redrive(one),
    trespass: (...args) => looking.trespass(...args),
  };
  await acts[operation.kind](operation, clients.random(`operation ${operation.number}`));
}

/** Whether an agent may see an event in history: as the policies say it, and not as the domain finds out. */
function mayReadBy({ events }: FinalState): NonNullable<RunFacts["mayRead"]> {
  const sources = new Map(events.map(({ event }) => [event.id, event.source]));
  return (id, { source, type, correlation_id }) => {
    const { policy } = agentOf(id);
    const isOpen = policy.conversations === "any" || sources.get(correlation_id) === id;
    return source === id || (isOpen && allows(policy, "read", type));
  };
}
