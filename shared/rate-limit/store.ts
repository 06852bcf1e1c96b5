/** What the rate limit needs from outside: the buckets, one for each agent, shared by all who serve it. */
import type { BucketState, Withdrawal } from "./bucket.ts";

export interface RateStore {
  /**
   * Takes from an agent's bucket as `takeFrom` does, in a way that nobody comes in between. A write whose
   * acknowledgement was lost may be made twice, and then has taken twice.
   *
   * @param seenFullAtMs when the bucket was full, as it was last seen; 0 when it never was: a hint what to try first
   * @throws BusError `unavailable` soon, when it is not known what became of it
   */
  take(agentId: string, withdrawal: Withdrawal, seenFullAtMs: number): Promise<BucketState>;
}
