/** Waits that nobody answers, over real HTTP, each held until its deadline. */
import { setTimeout as sleep } from "node:timers/promises";
import type { BenchContext } from "../contract.ts";

/** Deadlines lie between these, in milliseconds after the question. */
const SHORTEST_MS = 1_000;
const LONGEST_MS = 3_000;

/** New waits begin so far apart that the deadlines are spread, too. */
const GAP_MS = 15;

export interface Waits {
  readonly count: number;
  /** So many are open at once at the most. */
  readonly atOnce: number;
}

/**
 * Opens them all. @returns how long after its deadline each was told of its end, in milliseconds. The deadline is taken to be
 * the time-out after the question was sent, so the way to the bus counts, too.
 * @throws Error when one ended otherwise than by its deadline
 */
export async function endedAfterDeadline(
  url: string,
  { count, atOnce }: Waits,
  signal: AbortSignal,
): Promise<number[]> {
  const lateMs: number[] = [];
  let next = 0;
  const open = async (): Promise<void> => {
    for (let i = next++; i < count; i = next++) {
      // Evenly over the whole range, and no two neighbours alike.
      const timeoutMs = SHORTEST_MS + Math.round(((i * 0.618034) % 1) * (LONGEST_MS - SHORTEST_MS));
      lateMs.push(await oneWait(url, timeoutMs, signal));
    }
  };
  const opened: Promise<void>[] = [];
  for (let i = 0; i < atOnce; i++) {
    opened.push(open());
    await sleep(GAP_MS, undefined, { signal });
  }
  await Promise.all(opened);
  return lateMs;
}

async function oneWait(url: string, timeoutMs: number, signal: AbortSignal): Promise<number> {
  const askedAt = performance.now();
  const outcome = await ask(
    url,
    { type: "BENCH_SILENT", data: {}, timeout: timeoutMs / 1_000, require_subscribers: false },
    signal,
  );
  if (outcome.status !== "timed_out") throw new Error(`A wait that nobody answers ended as ${outcome.status}.`);
  return performance.now() - askedAt - timeoutMs;
}

/** Asks what is answered, over and over, so many questions at once, until the work beside is done. @returns its result */
export async function besideLoad<T>(
  url: string,
  atOnce: number,
  context: Pick<BenchContext, "signal">,
  work: () => Promise<T>,
): Promise<T> {
  let isOver = false;
  const load = async (): Promise<void> => {
    while (!isOver) await ask(url, { type: "BENCH_LOAD", data: { target: "billing" }, timeout: 30 }, context.signal);
  };
  const loads = Array.from({ length: atOnce }, load);
  try {
    return await work();
  } finally {
    isOver = true;
    await Promise.allSettled(loads);
  }
}

async function ask(url: string, question: object, signal: AbortSignal): Promise<{ readonly status: string }> {
  const response = await fetch(`${url}/requests`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(question),
    // A signal of its own: of one that thousands of calls listen to, fetch lets go late.
    signal: AbortSignal.any([signal]),
  });
  return (await response.json()) as { status: string };
}
