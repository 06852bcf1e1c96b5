/**
 * The end of a run: faults stop, the reconciler runs each minute, whoever can be served is served; then nothing may be
 * left undone (R5).
 */
import type { Violation } from "../checker.ts";
import { START } from "./machines.ts";
import { reconcileOnce } from "./reconciling.ts";
import { AGENTS, SLOTS } from "./setting.ts";
import type { World } from "./world.ts";

const MINUTE_MS = 60_000;
/** What is published or ended late was so because of a wrong clock, or because faults had only just ended. */
const PUBLISHED_WITHIN_MS = 90_000;
/** Rounds of looking after what is due; a webhook may have eight more attempts before it, in 27 hours. */
const MAX_ROUNDS = 60;
const MAX_POLLS = 50;

export async function becomeQuiet(world: World): Promise<Violation[]> {
  const { scheduler, fates, surroundings, answering, machines, weather } = world;
  fates.isOver = true;
  surroundings.isCalm = true;
  answering.isCalm = true;
  for (const machine of machines) machine.setClock();
  const calmAtMs = scheduler.nowMs;
  const problems: Violation[] = [];

  // R5: what was accepted is published within 90 s, with a reconciler that begins each minute.
  for (const atMs of [30_000, PUBLISHED_WITHIN_MS]) await minutePasses(world, calmAtMs + atMs);
  if (weather.clockErrorMs > 0) await severalMinutesPass(world, weather.clockErrorMs + 2 * MINUTE_MS);
  problems.push(...unpublished(world));
  // R5: what is past its deadline and its grace is ended by the second sweep; the longest wait is 9 s.
  for (let i = 0; i < 2; i++) await minutePasses(world, scheduler.nowMs + MINUTE_MS);
  problems.push(...unended(world));
  await openAll(world);
  await serveAll(world);
  for (const agent of AGENTS) {
    let isDone = false;
    void world.looking.redriveAll(agent).then(() => {
      isDone = true;
    });
    await scheduler.passUntil(scheduler.nowMs + MINUTE_MS, () => !isDone);
  }
  await serveAll(world);
  await readAll(world);
  return problems;
}

/** A run of the reconciler, in calm; lets time pass until an instant. */
async function minutePasses(world: World, untilMs: number): Promise<void> {
  if (world.reconciles) reconcileOnce(world);
  await world.scheduler.passUntil(untilMs);
}

async function severalMinutesPass(world: World, ms: number): Promise<void> {
  const untilMs = world.scheduler.nowMs + ms;
  while (world.scheduler.nowMs < untilMs) await minutePasses(world, world.scheduler.nowMs + MINUTE_MS);
}

function unpublished({ database }: World): Violation[] {
  return database
    .everything()
    .events.filter(({ published }) => !published)
    .map(({ event }) => ({ invariant: "I1", what: `event ${event.id} is unpublished 90 s after the last fault` }));
}

function unended({ database }: World): Violation[] {
  return database
    .everything()
    .requests.filter(({ state }) => state === "PENDING")
    .map(({ eventId }) => ({ invariant: "I6", what: `request ${eventId} is open after two sweeps without faults` }));
}

/** Whatever was disabled is active again: what waits in its queue can be taken. */
async function openAll({ database, scheduler, looking }: World): Promise<void> {
  for (const { owner, subscriptionId, status } of database.everything().subscriptions) {
    if (status !== "disabled") continue;
    let isDone = false;
    void looking.activate(owner, subscriptionId).then(() => {
      isDone = true;
    });
    await scheduler.passUntil(scheduler.nowMs + MINUTE_MS, () => !isDone);
  }
}

/** Queues are polled until they are empty, and time passes until every delivery has ended. */
async function serveAll(world: World): Promise<void> {
  const { scheduler, database } = world;
  for (let round = 0; round < MAX_ROUNDS; round++) {
    await pollAll(world);
    const pending = database.everything().deliveries.filter(({ state }) => state === "PENDING");
    const isIdle = world.surroundings.dispatchQueue.size + world.surroundings.letters.size === 0;
    if (pending.length === 0 && isIdle) return;
    const dueAt = pending.map(({ tendAt, nextAttemptAt }) => Date.parse(tendAt ?? nextAttemptAt));
    const nowMs = START + scheduler.nowMs;
    const nextMs = dueAt.length === 0 ? MINUTE_MS : Math.max(5_000, Math.min(...dueAt) - nowMs + 1_000);
    await minutePasses(world, scheduler.nowMs + nextMs);
    await minutePasses(world, scheduler.nowMs + MINUTE_MS);
  }
}

async function pollAll(world: World): Promise<void> {
  const { scheduler, answering } = world;
  let polling = 0;
  for (const slot of SLOTS) {
    if (slot.kind !== "queue") continue;
    polling++;
    void (async () => {
      for (let i = 0; i < MAX_POLLS; i++) if ((await answering.empty(slot)) === 0) break;
      polling--;
    })();
  }
  await scheduler.passUntil(scheduler.nowMs + MINUTE_MS, () => polling > 0);
}

/** Everybody reads the whole history once more, both ways. */
async function readAll({ scheduler, looking }: World): Promise<void> {
  let reading = 0;
  for (const order of ["asc", "desc"] as const) {
    reading++;
    void looking.read(AGENTS[0], `the last, ${order}`, { order, limit: order === "asc" ? 1_000 : 37 }).then(() => {
      reading--;
    });
  }
  await scheduler.passUntil(scheduler.nowMs + MINUTE_MS, () => reading > 0);
}
