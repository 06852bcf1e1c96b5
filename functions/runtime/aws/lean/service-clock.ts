/** The time as a service has it: it refuses signatures that are more than five minutes off. */

/** Less than that is not why a signature was refused. */
const TOLERATED_MS = 4 * 60_000;

export class ServiceClock {
  private readonly own: () => number;
  private aheadMs = 0;

  /** @param own this machine's clock, in epoch milliseconds */
  constructor(own: () => number = Date.now) {
    this.own = own;
  }

  /** Epoch milliseconds. */
  now(): number {
    return this.own() + this.aheadMs;
  }

  /** Sets the clock by the `Date` of an answer. Whether it was so far off that signatures are refused. */
  correct(date: string | undefined): boolean {
    const theirs = Date.parse(date ?? "");
    if (Number.isNaN(theirs) || Math.abs(theirs - this.now()) < TOLERATED_MS) return false;
    this.aheadMs = theirs - this.own();
    return true;
  }
}
