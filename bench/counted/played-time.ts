/** Time that passes only when somebody waits for it, so that how often a wait reads does not hang on the machine. */

export interface PlayedTime {
  /** Epoch milliseconds. */
  now(): number;
  /** Milliseconds since it began. */
  monotonic(): number;
  /**
   * Passes at once; what was to be done meanwhile is done at its time. A pause without a topic only bounds something else:
   * it ends with that (`signal`), and no time passes.
   */
  pause(ms: number, topic: string, signal?: AbortSignal): Promise<void>;
  /** Does something in so many milliseconds, while somebody waits. */
  in(ms: number, work: () => Promise<void>): void;
}

export function playedTime(startMs = Date.now()): PlayedTime {
  let passedMs = 0;
  const planned: { readonly atMs: number; readonly work: () => Promise<void> }[] = [];
  return {
    now: () => startMs + passedMs,
    monotonic: () => passedMs,
    async pause(ms, topic, signal) {
      if (topic === "" && signal !== undefined) return aborted(signal);
      const untilMs = passedMs + Math.max(0, ms);
      for (;;) {
        planned.sort((a, b) => a.atMs - b.atMs);
        const [next] = planned;
        if (next === undefined || next.atMs > untilMs) break;
        planned.shift();
        passedMs = Math.max(passedMs, next.atMs);
        await next.work();
      }
      passedMs = Math.max(passedMs, untilMs);
    },
    in(ms, work) {
      planned.push({ atMs: passedMs + ms, work });
    },
  };
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
