/** What everybody in a chaos run works with. */
import { setTimeout as sleep } from "node:timers/promises";
import type { HandOver } from "../final-state.ts";
import type { CallOutcome } from "../history.ts";
import type { Seeded } from "../proxy/seeded.ts";
import type { RecordedAgent } from "./recorded-agent.ts";

export interface Scene {
  readonly agent: RecordedAgent;
  readonly random: Seeded;
  /** How much of the load is done. */
  readonly progress: { done: number; readonly total: number };
  /** 0 to 1 and over, by what is done of the load or by the time that there is for it. */
  progressOf(): number;
  /** Whether nothing more of the load is to be begun. */
  isTimeUp(): boolean;
  /** Every event that a subscriber outside the bus got, as often as it got it. */
  readonly handOvers: HandOver[];
  /** Aborts when all is over, also for those who only wait for what comes. */
  readonly over: AbortSignal;
}

const SHORTEST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 1_500;

/** Makes a call again until it is known what came of it, or all is over. The call has to be safe to repeat. */
export async function persist<Answer>(
  { random, over }: Pick<Scene, "random" | "over">,
  call: () => Promise<CallOutcome<Answer>>,
): Promise<CallOutcome<Answer>> {
  for (let tries = 0; ; tries++) {
    const outcome = await call();
    if (outcome.kind !== "unknown" || over.aborted) return outcome;
    await rest({ over }, random.between(SHORTEST_PAUSE_MS, Math.min(LONGEST_PAUSE_MS, 100 * 2 ** tries)));
  }
}

/** Time passes, unless all is over. */
export async function rest({ over }: Pick<Scene, "over">, ms: number): Promise<void> {
  await sleep(ms, undefined, { signal: over }).catch(() => undefined);
}

/** So many at a time, until all are done or the time is up. */
export async function inParallel(
  { isTimeUp }: Pick<Scene, "isTimeUp">,
  count: number,
  lanes: number,
  work: (n: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < count && !isTimeUp()) await work(next++);
  };
  await Promise.all(Array.from({ length: Math.min(lanes, count) }, lane));
}
