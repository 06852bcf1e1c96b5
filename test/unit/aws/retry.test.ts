import { afterEach, describe, expect, it, vi } from "vitest";
import { type Again, CallFailure } from "../../../functions/runtime/aws/lean/call-failure.ts";
import { RetryBudget, tryTwice } from "../../../functions/runtime/aws/lean/retry.ts";

const pauses = vi.hoisted((): number[] => []);
vi.mock("node:timers/promises", () => ({
  async setTimeout(ms: number, _: unknown, { signal }: { signal?: AbortSignal } = {}) {
    signal?.throwIfAborted();
    pauses.push(ms);
  },
}));
afterEach(() => void pauses.splice(0));

const failing = (again: Again) => new CallFailure({ name: "Failure", message: "It fails.", again });

/** An attempt that fails so often, and then does well. */
function attempts(again: Again, failures: number): { (): Promise<string>; count(): number } {
  let made = 0;
  const attempt = async (): Promise<string> => {
    if (++made <= failures) throw failing(again);
    return "done";
  };
  return Object.assign(attempt, { count: () => made });
}

describe("a second try", () => {
  it.each([
    ["soon", 0, 0],
    ["soon", 0.5, 25],
    ["soon", 0.99, 49.5],
    ["later", 0.5, 250],
    ["later", 0.99, 495],
  ] as const)(
    "after a failure that passes %s comes after a random share (%d) of the longest pause",
    async (again, share, pauseMs) => {
      const attempt = attempts(again, 1);
      expect(await tryTwice(attempt, { budget: new RetryBudget(), random: () => share })).toBe("done");
      expect(pauses).toEqual([pauseMs]);
    },
  );

  it("comes at once when what kept the call from being done is mended", async () => {
    const attempt = attempts("now", 1);
    await tryTwice(attempt, { budget: new RetryBudget() });
    expect([attempt.count(), pauses]).toEqual([2, []]);
  });

  it.each(["now", "soon", "later"] as const)("is the last, also after %s", async (again) => {
    const attempt = attempts(again, 9);
    await expect(tryTwice(attempt, { budget: new RetryBudget() })).rejects.toThrow("It fails.");
    expect(attempt.count()).toBe(2);
  });

  it("is not made when the call is broken off in the pause before it", async () => {
    const breaking = new AbortController();
    const attempt = vi.fn(async () => {
      breaking.abort();
      throw failing("soon");
    });
    const call = tryTwice(attempt, { budget: new RetryBudget(), signal: breaking.signal });
    await expect(call).rejects.toMatchObject({ name: "AbortError" });
    expect(attempt).toHaveBeenCalledTimes(1);
  });

  it("is not made for a failure that will not pass, nor for one that is no answer of a service", async () => {
    const final = attempts("never", 9);
    await expect(tryTwice(final, { budget: new RetryBudget() })).rejects.toThrow("It fails.");
    const mistake = vi.fn(async () => {
      throw new TypeError("A mistake.");
    });
    await expect(tryTwice(mistake, { budget: new RetryBudget() })).rejects.toThrow("A mistake.");
    expect([final.count(), mistake.mock.calls.length]).toEqual([1, 1]);
  });
});

describe("the budget of retries", () => {
  /** How many retries it pays for, one after the other. */
  async function retriesOf(budget: RetryBudget, again: Again): Promise<number> {
    for (let retries = 0; retries < 1_000; retries++) {
      const attempt = attempts(again, 9);
      await tryTwice(attempt, { budget }).catch(() => {});
      if (attempt.count() === 1) return retries;
    }
    return 1_000;
  }

  it("is for 100 of them", async () => {
    expect(await retriesOf(new RetryBudget(), "soon")).toBe(100);
    expect(await retriesOf(new RetryBudget(), "later")).toBe(100);
  });

  it("is not spent on what is no fault of the service", async () => {
    expect(await retriesOf(new RetryBudget(), "now")).toBe(1_000);
  });

  it("gets back what a retry cost that did well, and a fifth of a retry for each call that did", async () => {
    const budget = new RetryBudget();
    await retriesOf(budget, "soon");
    for (let i = 0; i < 10; i++) await tryTwice(attempts("soon", 0), { budget });
    expect(await retriesOf(budget, "soon")).toBe(2);
    for (let i = 0; i < 5; i++) await tryTwice(attempts("soon", 0), { budget });
    for (let i = 0; i < 50; i++) await tryTwice(attempts("soon", 1), { budget });
    expect(await retriesOf(budget, "soon")).toBe(1);
  });

  it("never grows beyond its size", async () => {
    const budget = new RetryBudget();
    for (let i = 0; i < 100; i++) await tryTwice(attempts("soon", 0), { budget });
    expect(await retriesOf(budget, "soon")).toBe(100);
  });
});
