/** What every `RateStore` must do: the same as the arithmetic of the bucket, whoever comes at the same moment. */
import { randomUUID } from "node:crypto";
import { beforeAll, describe, expect, it } from "vitest";
import { takeFrom, type Withdrawal } from "../../shared/rate-limit/bucket.ts";
import type { RateStore } from "../../shared/rate-limit/store.ts";

export interface RateStoreUnderTest {
  readonly name: string;
  open(): Promise<RateStore>;
}

const NOW = Date.parse("2026-06-01T12:00:00.000Z");

/** 100 ms a token, and ten of them. */
const taking = (tokens: number, nowMs = NOW): Withdrawal => ({ nowMs, takeMs: tokens * 100, capacityMs: 1_000 });

/** Runs the contract on a store. */
export function rateStoreContract({ name, open }: RateStoreUnderTest): void {
  describe(`the rate store ${name}`, () => {
    let store: RateStore;
    beforeAll(async () => {
      store = await open();
    });

    it("does what the arithmetic says, whatever it was told to try first", async () => {
      const steps: readonly (readonly [tokens: number, atMs: number])[] = [
        [4, 0],
        [6, 0],
        [1, 0],
        [1, 99],
        [1, 100],
        [3, 350],
        [3, 400],
        [10, 5_000],
        [1, 5_050],
        [2.5, 5_250],
        // A clock that is a little behind.
        [1, 5_200],
        [1, 7_000],
      ];
      for (const seen of [0, Number.MAX_SAFE_INTEGER, null]) {
        const agent = randomUUID();
        let expected: number | null = null;
        for (const [tokens, atMs] of steps) {
          const withdrawal = taking(tokens, NOW + atMs);
          const state = takeFrom(expected, withdrawal);
          expect(await store.take(agent, withdrawal, seen ?? expected ?? 0), `${tokens} at ${atMs}`).toEqual(state);
          expected = state.fullAtMs;
        }
      }
    });

    it("gives each token to one of all who come at the same moment", async () => {
      const agent = randomUUID();
      const states = await Promise.all(Array.from({ length: 40 }, () => store.take(agent, taking(1), 0)));
      expect(states.filter(({ taken }) => taken)).toHaveLength(10);
      for (const { taken, fullAtMs } of states) if (!taken) expect(fullAtMs).toBe(NOW + 1_000);
    });

    it("keeps agents apart", async () => {
      const [one, other] = [randomUUID(), randomUUID()];
      expect((await store.take(one, taking(10), 0)).taken).toBe(true);
      expect((await store.take(other, taking(10), 0)).taken).toBe(true);
      expect((await store.take(one, taking(1), 0)).taken).toBe(false);
    });

    it("takes a bucket from the future for an empty one, which then fills up", async () => {
      const agent = randomUUID();
      await store.take(agent, taking(5, NOW + 300_000), 0);
      expect(await store.take(agent, taking(1), 0)).toEqual({ taken: false, fullAtMs: NOW + 1_000 });
      expect(await store.take(agent, taking(1, NOW + 100), 0)).toEqual({ taken: true, fullAtMs: NOW + 1_100 });
    });
  });
}
