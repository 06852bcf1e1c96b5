/** Waiting that can be called off. */
import { unreachable } from "./errors.ts";

export interface LinkedAbort {
  readonly signal: AbortSignal;
  abort(reason?: unknown): void;
  /** Takes the time limit off. */
  disarm(): void;
  /** Lets go of the parent and the timer. To be called when the work has ended. */
  release(): void;
}

/**
 * A signal that aborts with its parent, after a time (as `unreachable`), or when told to. Unlike `AbortSignal.any` it
 * leaves nothing behind on a parent that lives long.
 */
export function linkAbort(parent?: AbortSignal, timeoutMs?: number): LinkedAbort {
  const controller = new AbortController();
  const onAbort = (): void => controller.abort(parent?.reason);
  if (parent?.aborted) onAbort();
  parent?.addEventListener("abort", onAbort, { once: true });
  const timer =
    timeoutMs === undefined || timeoutMs === Number.POSITIVE_INFINITY
      ? undefined
      : setTimeout(() => controller.abort(unreachable(`No answer within ${Math.round(timeoutMs)} ms.`)), timeoutMs);
  return {
    signal: controller.signal,
    abort: (reason) => controller.abort(reason),
    disarm: () => clearTimeout(timer),
    release() {
      clearTimeout(timer);
      parent?.removeEventListener("abort", onAbort);
    },
  };
}

/** The longest that a timer takes, in milliseconds; a longer time would be over at once. */
export const MAX_TIMER_MS = 2 ** 31 - 1;

/** Waits, for 24 days at most. @throws the signal's reason when it aborts */
export function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const onAbort = (): void => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(
      () => {
        signal?.removeEventListener("abort", onAbort);
        resolve();
      },
      Math.min(ms, MAX_TIMER_MS),
    );
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}
