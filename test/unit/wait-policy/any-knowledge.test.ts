/** What holds for any answer times at all, also such as nobody ever sees. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readsUntil, simulateWaits } from "../../../bench/p4-wait/simulate.ts";
import { WAIT_READ_COST_MS } from "../../../shared/limits.ts";
import {
  ANSWER_TIME_BINS,
  type AnswerTimes,
  answersIn,
  answerTimesOf,
  fadedAnswerTimes,
  mergedAnswerTimes,
} from "../../../shared/wait-policy/answer-times.ts";
import { blindGapMs, MOST_STRETCH, next } from "../../../shared/wait-policy/next-read.ts";
import { planReads } from "../../../shared/wait-policy/read-plan.ts";

const DAY_MS = 86_400_000;

/** As a table may give them: any bins, any counts. */
const anyTimes: fc.Arbitrary<AnswerTimes> = fc
  .array(fc.tuple(fc.nat(ANSWER_TIME_BINS - 1), fc.integer({ min: 1, max: 1e9 })), { maxLength: ANSWER_TIME_BINS })
  .map((counts) => new Map(counts));

/** Between a millisecond and a day, as often short as long. */
const anyAnswerMs = fc.double({ min: 0, max: Math.log(DAY_MS), noNaN: true }).map(Math.exp);
const anyElapsedMs = fc.oneof(fc.constant(0), anyAnswerMs, fc.double({ min: DAY_MS, max: 10 * DAY_MS, noNaN: true }));

const sorted = (times: AnswerTimes): readonly (readonly [number, number])[] => [...times].sort(([a], [b]) => a - b);

describe("whatever is known of a type", () => {
  test("the next read comes, after no less than a read is worth and no more than the bound", () => {
    fc.assert(
      fc.property(anyTimes, anyElapsedMs, (times, elapsedMs) => {
        const gapMs = next(elapsedMs, planReads(times));
        expect(gapMs).toBeGreaterThanOrEqual(WAIT_READ_COST_MS);
        expect(gapMs).toBeLessThanOrEqual(MOST_STRETCH * blindGapMs(elapsedMs));
      }),
      { numRuns: 500, seed: 1 },
    );
  });

  test("how many reads are due by when only grows", () => {
    fc.assert(
      fc.property(anyTimes, (times) => {
        const readsDue = planReads(times)?.readsDue ?? Float64Array.of();
        expect(readsDue.length > 0).toBe(times.size > 0);
        expect(readsDue.every((due, i) => Number.isFinite(due) && due >= (readsDue[i - 1] ?? 0))).toBe(true);
      }),
      { numRuns: 500, seed: 2 },
    );
  });

  test("no answer is later than the longest gap before it, and the reads for it are far fewer than one for each kappa", () => {
    fc.assert(
      fc.property(anyTimes, fc.double({ min: 1, max: 60_000, noNaN: true }), (times, answerMs) => {
        const plan = planReads(times);
        const { delayMs } = simulateWaits((elapsedMs) => next(elapsedMs, plan), [answerMs]);
        expect(delayMs).toBeLessThanOrEqual(MOST_STRETCH * blindGapMs(answerMs));
        // Knowledge makes reads more frequent only where answers are likely, so over a minute there are never very many.
        const reads = readsUntil((elapsedMs) => next(elapsedMs, plan), 60_000).length;
        const blind = readsUntil((elapsedMs) => next(elapsedMs, null), 60_000).length;
        expect(reads).toBeLessThanOrEqual(2 * blind);
      }),
      { numRuns: 300, seed: 3 },
    );
  });
});

describe("answer times of any kind", () => {
  test("merge in any order and grouping to the same, and lose none", () => {
    fc.assert(
      fc.property(anyTimes, anyTimes, anyTimes, (a, b, c) => {
        const left = mergedAnswerTimes(mergedAnswerTimes(a, b), c);
        const right = mergedAnswerTimes(b, mergedAnswerTimes(c, a));
        expect(sorted(left)).toEqual(sorted(right));
        expect(answersIn(left)).toBe(answersIn(a) + answersIn(b) + answersIn(c));
      }),
      { numRuns: 300, seed: 4 },
    );
  });

  test("are the same gathered one by one and all at once", () => {
    fc.assert(
      fc.property(fc.array(anyAnswerMs, { maxLength: 100 }), (answersMs) => {
        const oneByOne = answersMs.map((answerMs) => answerTimesOf([answerMs])).reduce(mergedAnswerTimes, new Map());
        expect(sorted(oneByOne)).toEqual(sorted(answerTimesOf(answersMs)));
        expect(answersIn(oneByOne)).toBe(answersMs.length);
      }),
      { numRuns: 300, seed: 5 },
    );
  });

  test("fade to no more than half, no bin appears, and after enough time nothing is left", () => {
    fc.assert(
      fc.property(anyTimes, (times) => {
        const faded = fadedAnswerTimes(times);
        expect(answersIn(faded)).toBeLessThanOrEqual(answersIn(times) / 2);
        expect(answersIn(faded)).toBeGreaterThanOrEqual((answersIn(times) - times.size) / 2);
        for (const [bin, count] of faded) expect(count).toBeLessThanOrEqual((times.get(bin) ?? 0) / 2);
        let left = times;
        for (let i = 0; i < 31; i++) left = fadedAnswerTimes(left);
        expect(left.size).toBe(0);
      }),
      { numRuns: 300, seed: 6 },
    );
  });
});
