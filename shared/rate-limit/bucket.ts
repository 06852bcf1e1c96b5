/**
 * A token bucket as one number: the instant at which it will be full again if nobody takes anything more. What is taken
 * moves it on by the time that refilling takes; an empty bucket is a whole refill away from full.
 *
 * One number is changed by one atomic write, whoever else writes at that moment, and nobody has to refill anything. (This
 * is the generic cell rate algorithm: ITU-T I.371, annex A.)
 */

/** Some tokens out of a bucket, all or none; tokens are counted in the time that refilling them takes. */
export interface Withdrawal {
  /** The time of whoever takes, in epoch milliseconds. */
  readonly nowMs: number;
  /** What is taken. */
  readonly takeMs: number;
  /** What a full bucket holds. */
  readonly capacityMs: number;
}

/** What became of it, and the bucket as it now is, taken from or not. */
export interface BucketState {
  readonly taken: boolean;
  /** Epoch milliseconds, on the clock of whoever took. */
  readonly fullAtMs: number;
}

/** Clocks of machines of one bus differ by less than this. */
const MAX_CLOCK_SKEW_MS = 1_000;

/**
 * Takes from a bucket. @param fullAtMs when it is full; null for one that nobody has taken from yet
 *
 * Whoever's clock is ahead by some milliseconds finds that much more in the bucket, once. A bucket that is further from
 * full than an empty one was written by a clock that was wrong: it is empty as of now, so that a mistake passes by itself.
 */
export function takeFrom(fullAtMs: number | null, { nowMs, takeMs, capacityMs }: Withdrawal): BucketState {
  const standing = isMistaken(fullAtMs, nowMs, capacityMs) ? nowMs + capacityMs : (fullAtMs ?? nowMs);
  const next = Math.max(standing, nowMs) + takeMs;
  return next <= nowMs + capacityMs ? { taken: true, fullAtMs: next } : { taken: false, fullAtMs: standing };
}

/** Whether no clock that is right can have written this. */
export function isMistaken(fullAtMs: number | null, nowMs: number, capacityMs: number): boolean {
  return fullAtMs !== null && fullAtMs > nowMs + capacityMs + MAX_CLOCK_SKEW_MS;
}
