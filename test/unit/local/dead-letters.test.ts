import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { DeadLetters } from "../../../local/dead-letters.ts";
import type { DeadLetter } from "../../../shared/deliveries/dead-letters.ts";
import { silentLogger } from "../../support/silent-logger.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const LETTER: DeadLetter = { subscriber: "gate", event: { id: "e", type: "T" }, reason: "it threw", attempts: 1 };

/** A store that fails so often. */
function failing(times: number) {
  const recorded: DeadLetter[] = [];
  let tries = 0;
  const letters = new DeadLetters({
    log: silentLogger,
    async record(letter) {
      if (++tries <= times) throw new Error("the store is down");
      recorded.push(letter);
    },
  });
  return { letters, recorded, tries: () => tries };
}

test("a delivery that dies while the store is down is listed as dead once it is up again", async () => {
  const { letters, recorded } = failing(3);
  letters.take(LETTER);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(recorded).toEqual([LETTER]);
});

test("a bus that ends does not go on trying", async () => {
  const { letters, tries } = failing(Number.POSITIVE_INFINITY);
  letters.take(LETTER);
  await vi.advanceTimersByTimeAsync(0);
  letters.close();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(tries()).toBe(1);
});
