/** What is done to the bus itself while it is under load (N13, N16, N23). */
import { setTimeout as sleep } from "node:timers/promises";
import type { FaultProxy, Moment } from "../proxy/fault-proxy.ts";
import type { Seeded } from "../proxy/seeded.ts";
import type { BusUnderTest } from "./bus-under-test.ts";
import type { Scene } from "./scene.ts";

/** N16: how far off the clock may be. */
const CLOCK_OFF_MS = 5 * 60_000;

export interface Disturbances {
  /** How often the process was killed at a call to its store, before and after it was done. */
  readonly killedAt: { arrived: number; answered: number };
  clockMoves: number;
}

/** In a round of load, evenly over all that there is to do. */
const PER_ROUND = 8;

/** Kills, ends the store and moves the clock, each time when so much more of the load is done, until the signal aborts. */
export async function disturb(
  bus: BusUnderTest,
  proxy: FaultProxy,
  random: Seeded,
  signal: AbortSignal,
  progressOf: Scene["progressOf"],
): Promise<Disturbances> {
  const done: Disturbances = { killedAt: { arrived: 0, answered: 0 }, clockMoves: 0 };
  for (let n = 0; ; n++) {
    const isTime = (): boolean => progressOf() >= (n + 0.5) / PER_ROUND;
    while (!signal.aborted && !isTime()) await sleep(50, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) return done;
    switch (n % 4) {
      case 0:
      case 2:
        done.killedAt[await killAtCall(bus, proxy, random)]++;
        break;
      case 1:
        bus.endStore();
        break;
      case 3:
        // Ahead, and back again: events of one minute are stamped before those of the minute before.
        bus.moveClock(done.clockMoves % 2 === 0 ? CLOCK_OFF_MS : 0);
        done.clockMoves++;
    }
  }
}

/** N13: kill -9 exactly when a call to the store arrives there, or is done and nobody knows. */
async function killAtCall(bus: BusUnderTest, proxy: FaultProxy, random: Seeded): Promise<Moment["phase"]> {
  const phase = random.pick(["arrived", "answered"] as const);
  let left = random.between(1, 40);
  await new Promise<void>((resolve, reject) => {
    // Should nothing call any more, it is killed all the same.
    const late = setTimeout(() => proxy.setHook(kill), 500);
    let isKilled = false;
    async function kill(): Promise<void> {
      if (isKilled) return;
      isKilled = true;
      clearTimeout(late);
      proxy.setHook(undefined);
      const restarted = bus.killAndRestart();
      restarted.then(resolve, reject);
    }
    proxy.setHook((moment) => {
      if (moment.phase === phase && --left <= 0) void kill();
    });
  });
  return phase;
}
