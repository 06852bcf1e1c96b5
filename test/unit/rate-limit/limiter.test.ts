import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BusError } from "../../../shared/errors.ts";
import type { Rate } from "../../../shared/limits.ts";
import { createRateLimiter, type RateLimiter } from "../../../shared/rate-limit/limiter.ts";
import { MemoryRateStore } from "../../support/memory-rate-store.ts";

const START = Date.parse("2026-06-01T12:00:00.000Z");

/** Instances of functions that share the buckets, and a clock that only the test moves; each may be off by a little. */
function instances(rate: Rate, skewsMs: readonly number[]) {
  const store = new MemoryRateStore();
  const clock = { nowMs: START };
  const warnings: string[] = [];
  const log = { info: () => {}, warn: (message: string) => void warnings.push(message), error: () => {} };
  const limiters = skewsMs.map((skewMs) => createRateLimiter({ store, rate, now: () => clock.nowMs + skewMs, log }));
  return { store, clock, warnings, limiters };
}

/** Null when it was served; else for how long it was told to wait. */
async function tokensAt(limiter: RateLimiter | undefined, tokens = 1, agent = "agent"): Promise<number | null> {
  try {
    await limiter?.take(agent, tokens);
    return null;
  } catch (error) {
    if (error instanceof BusError && error.code === "rate_limited" && error.retryAfterMs !== undefined)
      return error.retryAfterMs;
    throw error;
  }
}

const creditOf = ({ burst }: Rate): number => Math.min(20, Math.floor(burst / 10));

const someRate = fc.record({
  perSecond: fc.constantFrom(1, 3, 7.5, 100, 1_000),
  burst: fc.integer({ min: 1, max: 400 }),
});

/** What happens, one after the other: time passes, or some calls come to an instance at the same moment. */
const someCalls = fc.array(
  fc.record({
    afterMs: fc.oneof(
      { weight: 3, arbitrary: fc.constant(0) },
      { arbitrary: fc.integer({ min: 1, max: 3_000 }), weight: 1 },
    ),
    instance: fc.nat({ max: 4 }),
    calls: fc.integer({ min: 1, max: 60 }),
    tokens: fc.constantFrom(1, 1, 1, 2, 10),
  }),
  { minLength: 1, maxLength: 60 },
);

describe("an agent that calls too often", () => {
  it("is served its burst, its rate and the credit of each instance, and never more [emit-19]", async () => {
    await fc.assert(
      fc.asyncProperty(
        someRate,
        someCalls,
        fc.array(fc.integer({ min: -40, max: 40 }), { minLength: 5, maxLength: 5 }),
        async (rate, story, skews) => {
          const { clock, limiters } = instances(rate, skews);
          const largest = rate.burst - creditOf(rate);
          let served = 0;
          for (const { afterMs, instance, calls, tokens } of story) {
            clock.nowMs += afterMs;
            const told = await Promise.all(Array.from({ length: calls }, () => tokensAt(limiters[instance], tokens)));
            served += told.filter((one) => one === null).length * Math.min(tokens, largest);
            const seconds = (clock.nowMs - START + 80) / 1_000;
            expect(served).toBeLessThanOrEqual(
              rate.burst + rate.perSecond * seconds + limiters.length * creditOf(rate) + 1e-6,
            );
          }
        },
      ),
      { numRuns: 300 },
    );
  });

  it("is served again at the time that it was told, by any instance, once its flood has ended", async () => {
    await fc.assert(
      fc.asyncProperty(someRate, someCalls, fc.nat({ max: 4 }), async (rate, story, other) => {
        const { clock, limiters } = instances(rate, [0, 0, 0, 0, 0]);
        let told: { atMs: number; tokens: number } | null = null;
        for (const { afterMs, instance, calls, tokens } of story) {
          clock.nowMs += afterMs;
          for (let i = 0; i < calls; i++) {
            const waitMs = await tokensAt(limiters[instance], tokens);
            if (waitMs !== null) told = { atMs: clock.nowMs + waitMs, tokens };
            else told = null;
          }
        }
        fc.pre(told !== null);
        clock.nowMs = told.atMs;
        expect(await tokensAt(limiters[other], told.tokens)).toBeNull();
      }),
      { numRuns: 300 },
    );
  });

  it("is served at the time that it was told by an instance that has not paid for what it served on credit", async () => {
    const { clock, limiters } = instances({ perSecond: 1, burst: 10 }, [0, 0]);
    expect(await tokensAt(limiters[1], 1)).toBeNull();
    expect(await tokensAt(limiters[0], 9)).toBeNull();
    const told = await tokensAt(limiters[0], 9);
    expect(told).toBe(10_000);
    clock.nowMs += told ?? 0;
    expect(await tokensAt(limiters[1], 9)).toBeNull();
  });

  it("is served at the time that it was told by an instance that did not see others empty its bucket", async () => {
    const { clock, limiters } = instances({ perSecond: 1, burst: 10 }, [0, 0]);
    expect(await tokensAt(limiters[0], 3)).toBeNull();
    expect(await tokensAt(limiters[1], 7)).toBeNull();
    const told = await tokensAt(limiters[0], 9);
    clock.nowMs += told ?? 0;
    expect(await tokensAt(limiters[1], 9)).toBeNull();
  });

  it("is told times one after the other, so that all who were refused at once are served when they come back", async () => {
    const { clock, limiters } = instances({ perSecond: 100, burst: 200 }, [0]);
    const told = await Promise.all(Array.from({ length: 400 }, () => tokensAt(limiters[0])));
    const refused = told.filter((waitMs) => waitMs !== null).sort((a, b) => a - b);
    expect(refused.length).toBeGreaterThanOrEqual(180);
    let served = 0;
    for (const waitMs of refused) {
      clock.nowMs = Math.max(clock.nowMs, START + waitMs);
      if ((await tokensAt(limiters[0])) === null) served++;
    }
    expect(served).toBe(refused.length);
    // Hardly later than it takes the bucket to be full.
    expect(Math.max(...refused)).toBeLessThanOrEqual(2_211);
  });

  it("costs the store nothing while it is refused: 10,000 calls within a second ask some five times", async () => {
    const { store, clock, limiters } = instances({ perSecond: 100, burst: 200 }, [0]);
    for (let i = 0; i < 300; i++) await tokensAt(limiters[0]);
    const before = store.calls;
    for (let i = 0; i < 10_000; i++) {
      if (i % 10 === 0) clock.nowMs += 1;
      await tokensAt(limiters[0]);
    }
    expect(store.calls - before).toBeLessThanOrEqual(10);
  });

  it("costs little although several instances snatch the tokens away from each other", async () => {
    const { store, clock, limiters } = instances({ perSecond: 1_000, burst: 2_000 }, [0, 0, 0, 0]);
    for (let i = 0; i < 2_200; i++) await tokensAt(limiters[i % 4]);
    const before = store.refusals;
    for (let i = 0; i < 8_000; i++) {
      if (i % 8 === 0) clock.nowMs += 1;
      await tokensAt(limiters[(i * 7) % 4]);
    }
    // Five times a second each.
    expect(store.refusals - before).toBeLessThanOrEqual(24);
  });

  it("is told when the whole of a call is served, of which it had paid a part", async () => {
    const { clock, limiters } = instances({ perSecond: 10, burst: 40 }, [0]);
    const batch = async (): Promise<number | null> => {
      const first = await tokensAt(limiters[0]);
      if (first !== null) return first;
      try {
        await limiters[0]?.take("agent", 29, 1);
        return null;
      } catch (error) {
        return (error as BusError).retryAfterMs ?? null;
      }
    };
    expect(await batch()).toBeNull();
    const told = await batch();
    expect(told).not.toBeNull();
    clock.nowMs += told ?? 0;
    expect(await batch()).toBeNull();
  });

  it("leaves other agents as they are", async () => {
    const { limiters } = instances({ perSecond: 1, burst: 10 }, [0]);
    for (let i = 0; i < 50; i++) await tokensAt(limiters[0], 1, "flooding");
    expect(await tokensAt(limiters[0], 1, "flooding")).not.toBeNull();
    for (let i = 0; i < 10; i++) expect(await tokensAt(limiters[0], 1, "calm")).toBeNull();
  });
});

describe("an agent that keeps to its rate", () => {
  it("is never refused, whatever instances its calls come to", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(10, 50, 100),
        fc.array(fc.nat({ max: 7 }), { minLength: 500, maxLength: 500 }),
        async (perSecond, places) => {
          const { clock, limiters } = instances({ perSecond, burst: perSecond * 2 }, [0, 0, 0, 0, 0, 0, 0, 0]);
          for (const place of places) {
            clock.nowMs += 1_000 / perSecond;
            expect(await tokensAt(limiters[place])).toBeNull();
          }
        },
      ),
      { numRuns: 50 },
    );
  });

  it("costs the store one write in twenty calls", async () => {
    const { store, clock, limiters } = instances({ perSecond: 100, burst: 200 }, [0]);
    for (let i = 0; i < 2_100; i++) {
      clock.nowMs += 100;
      expect(await tokensAt(limiters[0])).toBeNull();
    }
    expect(store.calls).toBe(100);
  });
});

describe("an instance that ever more agents call", () => {
  it("forgets those that came first, with what they have not paid: it does not grow without end", async () => {
    const { store, limiters } = instances({ perSecond: 100, burst: 200 }, [0]);
    // All that is served on credit, so that one more call has to be paid for.
    for (let i = 0; i < 20; i++) await tokensAt(limiters[0], 1, "first");
    for (let i = 0; i < 10_000; i++) await tokensAt(limiters[0], 1, `agent ${i}`);
    await tokensAt(limiters[0], 1, "first");
    expect(store.calls).toBe(0);
  });
});

describe("a small limit", () => {
  it("is exact on one instance, for nothing is served on credit", async () => {
    const { clock, limiters } = instances({ perSecond: 1, burst: 3 }, [0]);
    const told = await Promise.all(Array.from({ length: 5 }, () => tokensAt(limiters[0])));
    expect(told).toEqual([null, null, null, 1_000, 2_000]);
    clock.nowMs += 999;
    expect(await tokensAt(limiters[0])).not.toBeNull();
    clock.nowMs += 1;
    expect(await tokensAt(limiters[0])).toBeNull();
  });

  it("lets a call that costs more than it holds through when it is full, or nobody could ever make it", async () => {
    const { clock, limiters } = instances({ perSecond: 10, burst: 5 }, [0]);
    expect(await tokensAt(limiters[0], 100)).toBeNull();
    const waitMs = await tokensAt(limiters[0], 100);
    expect(waitMs).toBe(500);
    clock.nowMs += 500;
    expect(await tokensAt(limiters[0], 100)).toBeNull();
  });
});

describe("when clocks or the store cannot be relied on", () => {
  it("a clock that was minutes ahead, and is set right, keeps nobody waiting for it", async () => {
    const rate = { perSecond: 10, burst: 20 };
    const { clock, limiters } = instances(rate, [0, 300_000]);
    for (let i = 0; i < 40; i++) await tokensAt(limiters[1]);
    const waitMs = await tokensAt(limiters[0], 3);
    expect(waitMs ?? 0).toBeLessThanOrEqual(1_000);
    clock.nowMs += 1_000;
    expect(await tokensAt(limiters[0])).toBeNull();
  });

  it("a clock that is set back by minutes refuses nobody for minutes", async () => {
    const { clock, limiters } = instances({ perSecond: 10, burst: 20 }, [0]);
    for (let i = 0; i < 40; i++) await tokensAt(limiters[0]);
    clock.nowMs -= 300_000;
    await tokensAt(limiters[0]);
    clock.nowMs += 1_000;
    expect(await tokensAt(limiters[0])).toBeNull();
  });

  it("goes on without the store, with one warning, and each instance still has its limit", async () => {
    const { store, clock, warnings, limiters } = instances({ perSecond: 100, burst: 200 }, [0]);
    store.failure = new Error("the table is away");
    let served = 0;
    for (let ms = 0; ms < 5_000; ms++) {
      clock.nowMs += 1;
      for (let i = 0; i < 2; i++) if ((await tokensAt(limiters[0])) === null) served++;
    }
    expect(served).toBeGreaterThanOrEqual(100 * 5);
    expect(served).toBeLessThanOrEqual(200 + 100 * 5 + 20);
    expect(warnings).toHaveLength(1);
    // Neither does a store that is in trouble get a flood.
    expect(store.calls).toBeLessThanOrEqual(26);
    store.failure = null;
    clock.nowMs += 3_000;
    expect(await tokensAt(limiters[0])).toBeNull();
  });
});
