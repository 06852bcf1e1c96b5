/**
 * The chaos run: agents of every kind use the embedded run over HTTP while a proxy does to its store what networks and
 * services do, and the process is killed under them. Then all faults stop; when all is quiet, what was told is compared
 * with what is recorded.
 *
 * The seed decides faults and load. It does not decide how the processes' work interleaves: a run with the same seed is
 * alike, not the same.
 */
import { setMaxListeners } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { checkRun, type Violation } from "../checker.ts";
import type { FinalState, HandOver, RunFacts } from "../final-state.ts";
import { CallHistory } from "../history.ts";
import { type FaultProxy, startFaultProxy } from "../proxy/fault-proxy.ts";
import { seeded } from "../proxy/seeded.ts";
import { askQuestions } from "./askers.ts";
import { breakingFetch } from "./broken-sockets.ts";
import config from "./bus.config.ts";
import { type BusUnderTest, startBus } from "./bus-under-test.ts";
import { type Disturbances, disturb } from "./disturbances.ts";
import { beginLoops, callBadEndpoints, emitNotes, race } from "./emitters.ts";
import { doneByDeployed, finalStateOf } from "./final-state-of-run.ts";
import { moreViolations } from "./more-violations.ts";
import { type Quiet, untilQuiet } from "./quiet.ts";
import { lookAtRequests, readHistory, readOnce } from "./readers.ts";
import { startReceivers } from "./receivers.ts";
import { RecordedAgent } from "./recorded-agent.ts";
import { answerLive } from "./responders.ts";
import type { Scene } from "./scene.ts";
import { churn, type Subscriptions, subscribeAll, subscriptionOf } from "./subscribers.ts";
import { blow } from "./weather.ts";

export interface ChaosOptions {
  readonly seed: number;
  /** How much there is to do; of a round, where there are several. */
  readonly emits: number;
  readonly waits: number;
  /** Begin nothing more of the load after so long, done or not: what there is to do may be too much for a slow machine. */
  readonly mostLoadSeconds?: number;
  /** Go on with further rounds for at least so long. Default: one round. */
  readonly minutes?: number;
  /** Agents of each kind that are at it at once. */
  readonly lanes?: number;
  /** Without any, to see what is there all the same. Default true. */
  readonly faults?: boolean;
  readonly print?: (line: string) => void;
}

export interface ChaosResult {
  readonly seed: number;
  readonly violations: readonly Violation[];
  readonly state: FinalState;
  readonly history: CallHistory;
  readonly proxy: FaultProxy["tally"];
  readonly disturbances: Disturbances;
  readonly kills: number;
  readonly storeRestarts: number;
  readonly brokenSockets: number;
  readonly quiet: Quiet;
  /** What was dead when all was quiet, and what was left of it once its endpoints were mended and it was sent again. */
  readonly dead: number;
  readonly redriven: number;
  /** Every time that a deployed subscriber was done with an event. */
  readonly done: readonly HandOver[];
  readonly loadSeconds: number;
  readonly seconds: number;
}

const RECONCILE_EVERY_MS = 1_500;
/** Of the clients' calls, so many lose their socket. */
const SOCKETS_BREAK = 0.05;

const FACTS: RunFacts = {
  deployed: config.subscribers.map(({ name, on }) => ({ name, eventTypes: on })),
  historyLagMs: 0,
  isFaultless: false,
};

export async function runChaos(options: ChaosOptions): Promise<ChaosResult> {
  const { seed, print = () => {} } = options;
  const proxy = await startFaultProxy({ seed });
  const bus = await startBus({ proxy, reconcileEveryMs: RECONCILE_EVERY_MS, print: (line) => print(`  bus: ${line}`) });
  const over = new AbortController();
  // Everybody who waits for anything listens to it.
  setMaxListeners(0, over.signal);
  const handOvers: HandOver[] = [];
  const subscriptions: Subscriptions = new Map();
  const receivers = await startReceivers((behaviour, eventId) => {
    handOvers.push({ subscriptionId: subscriptions.get(behaviour) ?? behaviour, eventId });
  });
  try {
    const startedAt = performance.now();
    const random = seeded(seed);
    const sockets = breakingFetch(random.fork("sockets"));
    const history = new CallHistory(() => performance.now());
    const agent = new RecordedAgent(bus.url, history, sockets.fetch);
    const progress = { done: 0, total: options.emits + options.waits };
    const { mostLoadSeconds = Number.POSITIVE_INFINITY } = options;
    const scene: Scene = {
      agent,
      random: random.fork("agents"),
      progress,
      progressOf: () =>
        Math.max(progress.done / progress.total, (performance.now() - startedAt) / 1_000 / mostLoadSeconds),
      isTimeUp: () => performance.now() > startedAt + mostLoadSeconds * 1_000,
      handOvers,
      over: over.signal,
    };
    const standing = await subscribeAll(scene, receivers, subscriptions);
    const background = [...standing, ...["ann", "ben", "cat"].map((name) => answerLive(scene, name))];
    await streamsAreOpen(scene);
    const disturbances = await underFaults(options, { scene, proxy, bus, sockets, history });
    const loadSeconds = seconds(startedAt);
    print(`the load is done and the faults have stopped, after ${loadSeconds} s`);

    const queues = ["archive", "poller"].map((name) => subscriptionOf(subscriptions, name));
    receivers.hurry();
    const quiet = await untilQuiet(bus, { queues, print });
    const dead = await deadIn(bus, history, handOvers);
    receivers.mend();
    const redriven = await redriveAll(scene, subscriptions);
    await untilQuiet(bus, { queues, print });
    await readOnce(scene, "at the end", "asc");
    await readOnce(scene, "at the end, backwards", "desc");
    over.abort();
    await Promise.all(background);

    const state = await finalStateOf(bus, history, handOvers);
    return {
      seed,
      violations: [...checkRun(history.calls, state, FACTS), ...moreViolations(history.calls, state)],
      state,
      history,
      proxy: proxy.tally,
      disturbances,
      kills: bus.kills,
      storeRestarts: bus.storeRestarts,
      brokenSockets: sockets.broken,
      quiet,
      dead,
      redriven,
      done: doneByDeployed(bus),
      loadSeconds,
      seconds: seconds(startedAt),
    };
  } finally {
    over.abort();
    await bus.close();
    await receivers.close();
    await proxy.close();
  }
}

interface Stage {
  readonly scene: Scene;
  readonly proxy: FaultProxy;
  readonly bus: BusUnderTest;
  readonly sockets: ReturnType<typeof breakingFetch>;
  readonly history: CallHistory;
}

/** All the load, with everything that can go wrong; ends when the last fault has ended. */
async function underFaults(options: ChaosOptions, stage: Stage): Promise<Disturbances> {
  const { emits, waits, lanes = 24, faults = true, minutes = 0, print = () => {} } = options;
  const { scene, proxy, bus, sockets, history } = stage;
  const { random } = scene;
  const loadIsOver = new AbortController();
  const { signal } = loadIsOver;
  if (faults) sockets.setRate(SOCKETS_BREAK);
  const weather = faults ? blow(proxy, random.fork("weather"), signal) : Promise.resolve();
  const disturbing = faults
    ? disturb(bus, proxy, random.fork("disturbances"), signal, scene.progressOf)
    : Promise.resolve<Disturbances>({ killedAt: { arrived: 0, answered: 0 }, clockMoves: 0 });
  const onlookers = [
    readHistory(scene, signal, "reader"),
    lookAtRequests(scene, history, signal),
    churn(scene, signal),
  ];
  const endsAt = performance.now() + minutes * 60_000;
  const progress = setInterval(
    () => print(`${history.calls.length} calls, ${proxy.tally.of("calls")} to the store`),
    10_000,
  );
  try {
    for (let round = 0; round === 0 || performance.now() < endsAt; round++) {
      const run = `round ${round}`;
      await Promise.all([
        emitNotes(scene, run, emits, lanes),
        // Who asks does nothing most of the time.
        askQuestions(scene, run, waits, 2 * lanes),
        race(scene, run, 2),
        beginLoops(scene, run, 3),
        callBadEndpoints(scene, run, 2),
      ]);
      print(`${run} is done`);
    }
  } finally {
    clearInterval(progress);
    loadIsOver.abort();
  }
  await Promise.all([weather, ...onlookers]);
  const disturbances = await disturbing;
  sockets.setRate(0);
  await proxy.quiet();
  return disturbances;
}

/** A stream that is not there yet misses what comes before it: that would be no fault. */
async function streamsAreOpen({ agent }: Scene): Promise<void> {
  const wait = { type: "CHAOS_LIVE", data: { marker: "are you there" }, timeoutMs: 10_000 };
  for (let tries = 0; tries < 20; tries++) {
    const outcome = await agent.ask({ ...wait, data: { marker: `are you there ${tries}` }, requireSubscribers: true });
    if (outcome.kind === "ok") return;
    await sleep(100);
  }
  throw new Error("The live streams do not open.");
}

async function deadIn(bus: BusUnderTest, history: CallHistory, handOvers: readonly HandOver[]): Promise<number> {
  const { deliveries } = await finalStateOf(bus, history, handOvers);
  return deliveries.filter(({ state }) => state === "DEAD").length;
}

/** Once their endpoints are mended, all dead deliveries are sent again. */
async function redriveAll({ agent }: Scene, subscriptions: Subscriptions): Promise<number> {
  const gone = subscriptionOf(subscriptions, "gone");
  await agent.changeSubscription(gone, "active");
  const outcome = await agent.redrive();
  return outcome.kind === "ok" ? outcome.answer.redriven : 0;
}

const seconds = (sinceMs: number): number => Math.round((performance.now() - sinceMs) / 100) / 10;
