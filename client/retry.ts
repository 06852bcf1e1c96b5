/** When to try again, and how long to wait before it. */
import { sleep } from "./abort.ts";
import { AgentEventBusError } from "./errors.ts";

export interface RetryPolicy {
  /** How often a call is made at most, the first time included. */
  readonly tries: number;
  /** The first pause is drawn from 0 to this; each further one from twice as much. */
  readonly baseMs: number;
  /** No pause is drawn from more than this. */
  readonly capMs: number;
}

/** Five tries span a few seconds: the restart of a process, a burst of throttling. What lasts longer is an outage. */
export const DEFAULT_RETRY: RetryPolicy = { tries: 5, baseMs: 200, capMs: 5_000 };

/** A longer `Retry-After` is the caller's to honour: it is in the error. */
export const MAX_RETRY_AFTER_MS = 30_000;

/**
 * The pause after a number of failures in a row: full jitter, so that clients that failed together do not come back
 * together (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/); never before `Retry-After`.
 */
export function pauseMs(policy: RetryPolicy, failures: number, retryAfterMs = 0): number {
  const ceiling = Math.min(policy.capMs, policy.baseMs * 2 ** Math.min(failures - 1, 30));
  return retryAfterMs + Math.random() * (retryAfterMs > 0 ? policy.baseMs : ceiling);
}

/** Whether the same call may succeed later. */
export const isRetryable = (error: unknown): error is AgentEventBusError =>
  error instanceof AgentEventBusError && error.retryable;

/** What a connection fails with that never came about: in Node's words, and its `fetch`'s. Browsers do not say. */
const NOT_CONNECTED: readonly unknown[] = [
  "ECONNREFUSED",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENOTFOUND",
  "EAI_AGAIN",
  "UND_ERR_CONNECT_TIMEOUT",
];

/** Whether a call that failed certainly had no effect: it was never sent, or turned away before it was looked at. */
export function hadNoEffect(error: unknown): error is AgentEventBusError {
  if (!isRetryable(error)) return false;
  if (error.status === 429 || error.code === "overloaded") return true;
  for (let cause = error.cause; cause instanceof Error; cause = cause.cause)
    if ("code" in cause && NOT_CONNECTED.includes(cause.code)) return true;
  return false;
}

/**
 * Makes a call until it succeeds, fails for good, or the tries are used up.
 * @param isSafe which failures are followed by a further try; all that are retryable, for a call that can be repeated
 */
export async function withRetries<T>(
  policy: RetryPolicy,
  signal: AbortSignal | undefined,
  call: () => Promise<T>,
  isSafe: (error: unknown) => error is AgentEventBusError = isRetryable,
): Promise<T> {
  for (let failures = 1; ; failures++) {
    try {
      return await call();
    } catch (error) {
      if (!isSafe(error) || failures >= policy.tries || (error.retryAfterMs ?? 0) > MAX_RETRY_AFTER_MS) throw error;
      await sleep(pauseMs(policy, failures, error.retryAfterMs), signal);
    }
  }
}
