/**
 * How often an agent may call: a token bucket for each, shared by all instances of all functions, without a write for
 * each call (I10).
 *
 * An instance serves calls on credit and pays for them together, when the credit is used up: one write for some twenty
 * calls. So over any time, whatever the instances:
 *
 *     accepted <= burst + perSecond x time + instances x credit
 *
 * What a bucket was last seen to hold is remembered: while it cannot hold what a call needs, the call is refused without
 * asking, so that a flood does not become a flood of writes. Only what is certainly refused is refused so, for nobody
 * puts tokens back. A store that fails takes nobody down: an instance then goes on with the bucket as it last knew it.
 */
import { BusError } from "../errors.ts";
import { RATE_CREDIT, RATE_RETRY_MS, type Rate } from "../limits.ts";
import type { Logger } from "../ports.ts";
import { type BucketState, isMistaken, takeFrom, type Withdrawal } from "./bucket.ts";
import type { RateStore } from "./store.ts";

export interface RateLimiter {
  /**
   * Takes what a call costs, or what it turns out to cost beyond what was taken before.
   *
   * @param before tokens that the same call has taken already, and would take again
   * @throws BusError `rate_limited`, with the time at which the whole call is served
   */
  take(agentId: string, tokens: number, before?: number): Promise<void>;
}

export interface RateLimiterParts {
  readonly store: RateStore;
  readonly rate: Rate;
  /** Wall clock, epoch milliseconds. */
  readonly now: () => number;
  readonly log: Logger;
}

/** What an instance knows of an agent. */
interface Account {
  /** Tokens that were used and not paid for yet. */
  unpaid: number;
  /** When the bucket is full, as it was last seen. */
  fullAtMs: number;
  /** The bucket is not asked again before this: it has just refused. */
  closedUntilMs: number;
  /** The last time that somebody who was refused was told to come back at. */
  promisedAtMs: number;
  /** The store failed: it is not asked before this. */
  unaskedUntilMs: number;
  /** Those who pay do so one after the other. */
  turn: Promise<unknown>;
}

/** An instance that serves more agents than this forgets those that came first, with what they have not paid. */
const MAX_ACCOUNTS = 10_000;

export function createRateLimiter({ store, rate, now, log }: RateLimiterParts): RateLimiter {
  const msPerToken = 1_000 / rate.perSecond;
  const capacityMs = rate.burst * msPerToken;
  // A tenth at most, so that instances that have not paid yet cannot make a small limit pointless.
  const credit = Math.min(RATE_CREDIT, Math.floor(rate.burst / 10));
  const accounts = new Map<string, Account>();
  let isFailing = false;

  function accountOf(agentId: string): Account {
    const known = accounts.get(agentId);
    if (known !== undefined) return known;
    for (const oldest of accounts.keys()) {
      if (accounts.size < MAX_ACCOUNTS) break;
      accounts.delete(oldest);
    }
    const fresh = { unpaid: 0, fullAtMs: 0, closedUntilMs: 0, promisedAtMs: 0, unaskedUntilMs: 0 };
    const account: Account = { ...fresh, turn: Promise.resolve() };
    accounts.set(agentId, account);
    return account;
  }

  function servedOnCredit(account: Account, tokens: number): boolean {
    if (account.unpaid + tokens > credit) return false;
    account.unpaid += tokens;
    return true;
  }

  /** Pays for what was served on credit and for this call. @throws BusError `rate_limited` */
  async function pay(agentId: string, account: Account, tokens: number, before: number): Promise<void> {
    const nowMs = now();
    const takeMs = (account.unpaid + tokens) * msPerToken;
    forgetMistakes(account, nowMs);
    // The time that is told has to hold although other instances may have emptied the bucket since it was seen.
    if (Math.max(account.closedUntilMs, account.fullAtMs + takeMs - capacityMs) > nowMs)
      throw refusal(account, before + tokens, nowMs + capacityMs);
    const { taken, fullAtMs } = await withdraw(agentId, account, { nowMs, takeMs, capacityMs });
    account.fullAtMs = fullAtMs;
    if (!taken) {
      account.closedUntilMs = nowMs + RATE_RETRY_MS;
      throw refusal(account, before + tokens, fullAtMs);
    }
    account.unpaid = 0;
  }

  /** A clock that was set back must not keep anybody waiting for the time that it had been at. */
  function forgetMistakes(account: Account, nowMs: number): void {
    if (isMistaken(account.fullAtMs, nowMs, capacityMs)) account.fullAtMs = 0;
    if (account.closedUntilMs > nowMs + RATE_RETRY_MS) account.closedUntilMs = 0;
    if (account.unaskedUntilMs > nowMs + RATE_RETRY_MS) account.unaskedUntilMs = 0;
  }

  async function withdraw(agentId: string, account: Account, withdrawal: Withdrawal): Promise<BucketState> {
    if (account.unaskedUntilMs <= withdrawal.nowMs) {
      try {
        const state = await store.take(agentId, withdrawal, account.fullAtMs);
        isFailing = false;
        return state;
      } catch (error) {
        if (!isFailing)
          log.warn("calls are limited by each instance alone: the store failed", { error: String(error) });
        isFailing = true;
        account.unaskedUntilMs = withdrawal.nowMs + RATE_RETRY_MS;
      }
    }
    return takeFrom(account.fullAtMs, withdrawal);
  }

  /**
   * When the bucket holds what this call needs, wherever it comes to then: whichever instance serves it first pays what
   * it has served on credit, which may be the whole credit. Those who are refused together are told times one after the
   * other, as it fills up; hardly later than it is full, when many can be served at once. No sooner than any instance
   * asks again.
   *
   * @param fullAtMs when the bucket is full, at the latest
   */
  function refusal(account: Account, tokens: number, fullAtMs: number): BusError {
    const nowMs = now();
    const takeMs = (credit + tokens) * msPerToken;
    const earliestMs = Math.max(nowMs + RATE_RETRY_MS, fullAtMs + takeMs - capacityMs);
    const inTurnMs = Math.min(account.promisedAtMs + tokens * msPerToken, fullAtMs + takeMs);
    account.promisedAtMs = Math.max(earliestMs, inTurnMs);
    const retryAfterMs = Math.max(1, Math.ceil(account.promisedAtMs - nowMs));
    const { perSecond, burst } = rate;
    return new BusError(
      "rate_limited",
      `An agent may make ${perSecond} calls a second, and ${burst} at once; some count for several. This one is served in ${retryAfterMs / 1_000} s.`,
      { retryAfterMs },
    );
  }

  return {
    async take(agentId, wanted, before = 0) {
      // What costs more than the bucket can hold could never be paid for.
      const tokens = Math.min(wanted, rate.burst - credit - before);
      if (tokens <= 0) return;
      const account = accountOf(agentId);
      if (servedOnCredit(account, tokens)) return;
      const paying = account.turn.then(async () => {
        // Whoever came before may have paid for all.
        if (!servedOnCredit(account, tokens)) await pay(agentId, account, tokens, before);
      });
      account.turn = paying.catch(() => undefined);
      await paying;
    },
  };
}
