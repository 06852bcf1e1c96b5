/** One more try, after a pause of random length, as long as most calls do well. */
import { setTimeout as sleep } from "node:timers/promises";
import { type Again, brokenOff, CallFailure } from "./call-failure.ts";

/** The longest pause, in milliseconds. Each is a random share of it, so that those who failed together come back apart. */
const LONGEST_PAUSE_MS: Readonly<Record<Exclude<Again, "never">, number>> = { now: 0, soon: 50, later: 500 };

/**
 * What is set aside for retries. It is spent by failures and comes back with what does well, so that a service that fails
 * each call is asked once a call in the end. Sizes as in the SDK's standard mode:
 * https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html
 */
export class RetryBudget {
  static readonly SIZE = 500;
  static readonly COST = 5;
  private left = RetryBudget.SIZE;

  /** Whether there is enough for another try; if so, it is spent. */
  pay(cost: number): boolean {
    if (this.left < cost) return false;
    this.left -= cost;
    return true;
  }

  /** A call did well: what its retry cost comes back, or a little. */
  regain(cost: number): void {
    this.left = Math.min(RetryBudget.SIZE, this.left + Math.max(cost, 1));
  }
}

export interface Retrying {
  readonly budget: RetryBudget;
  readonly signal?: AbortSignal | undefined;
  /** At least 0, less than 1. */
  readonly random?: () => number;
}

/**
 * At most two tries (I10): a fault of what is called is never multiplied.
 * @throws what the last try threw
 */
export async function tryTwice<T>(
  attempt: () => Promise<T>,
  { budget, signal, random = Math.random }: Retrying,
): Promise<T> {
  let cost = 0;
  try {
    const result = await attempt();
    budget.regain(cost);
    return result;
  } catch (error) {
    const again = error instanceof CallFailure ? error.again : "never";
    if (again === "never") throw error;
    // What was mended, and was no fault of the service, costs nothing.
    cost = again === "now" ? 0 : RetryBudget.COST;
    if (!budget.pay(cost)) throw error;
    if (again !== "now") await pause(random() * LONGEST_PAUSE_MS[again], signal);
  }
  const result = await attempt();
  budget.regain(cost);
  return result;
}

/** @throws CallFailure `AbortError` */
async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  await sleep(ms, undefined, signal === undefined ? {} : { signal }).catch(() => {
    throw brokenOff();
  });
}
