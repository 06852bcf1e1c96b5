/** Agents' buckets in memory, and a failure to be switched on. */
import { type BucketState, takeFrom, type Withdrawal } from "../../shared/rate-limit/bucket.ts";
import type { RateStore } from "../../shared/rate-limit/store.ts";

export class MemoryRateStore implements RateStore {
  /** How often it was asked. */
  calls = 0;
  /** How often it had too little. */
  refusals = 0;
  /** While set, it fails with it. */
  failure: Error | null = null;
  private readonly fullAt = new Map<string, number>();

  async take(agentId: string, withdrawal: Withdrawal): Promise<BucketState> {
    this.calls++;
    if (this.failure !== null) throw this.failure;
    const state = takeFrom(this.fullAt.get(agentId) ?? null, withdrawal);
    this.fullAt.set(agentId, state.fullAtMs);
    if (!state.taken) this.refusals++;
    return state;
  }
}
