import { describe, expect, test } from "vitest";
import { ALL_ANSWERS, answersOf } from "../../../bench/p4-wait/answers.ts";
import { readsUntil } from "../../../bench/p4-wait/simulate.ts";
import { WAIT_READ_COST_MS } from "../../../shared/limits.ts";
import {
  ANSWER_TIME_BINS,
  type AnswerTimes,
  answersIn,
  answerTimesOf,
  binOf,
  binStartMs,
  fadedAnswerTimes,
  mergedAnswerTimes,
} from "../../../shared/wait-policy/answer-times.ts";
import { blindGapMs, MOST_STRETCH, next } from "../../../shared/wait-policy/next-read.ts";
import { planReads } from "../../../shared/wait-policy/read-plan.ts";

const DAY_MS = 86_400_000;
const ELAPSED = [0, 0.001, 1, 5, 19.9, 20, 50, 333, 1_000, 7_777, 60_000, 3_600_000, DAY_MS, 10 * DAY_MS];

/** Answers as they come, and as they hardly come. */
const KNOWN: readonly (readonly [string, AnswerTimes])[] = [
  ...ALL_ANSWERS.flatMap((name) =>
    [1, 5, 20, 200, 10_000].map((count): [string, AnswerTimes] => [
      `${count} of ${name}`,
      answerTimesOf(answersOf(name, count, 3)),
    ]),
  ),
  ["none", new Map()],
  ["all at once", answerTimesOf(Array(1_000).fill(0))],
  ["all after a day", answerTimesOf(Array(1_000).fill(DAY_MS))],
  ["all after two days", answerTimesOf(Array(1_000).fill(2 * DAY_MS))],
  ["all at the same time", answerTimesOf(Array(1_000_000).fill(400))],
  ["each bin once", new Map(Array.from({ length: ANSWER_TIME_BINS }, (_, bin) => [bin, 1]))],
];

describe("the next read", () => {
  test("comes after 2 sqrt(kappa t) when nothing is known, and first after 4 kappa", () => {
    expect([0, 20, 80, 2_000, 20_000].map((elapsedMs) => next(elapsedMs, null))).toEqual([
      20,
      20,
      40,
      200,
      2 * 1e5 ** 0.5,
    ]);
    expect(next(0, null)).toBe(4 * WAIT_READ_COST_MS);
  });

  test.each(KNOWN)("always comes, and never late: %s", (_, times) => {
    const plan = planReads(times);
    for (const elapsedMs of ELAPSED) {
      const gapMs = next(elapsedMs, plan);
      expect(gapMs).toBeGreaterThanOrEqual(WAIT_READ_COST_MS);
      expect(gapMs).toBeLessThanOrEqual(MOST_STRETCH * blindGapMs(elapsedMs));
      expect(next(elapsedMs, plan)).toBe(gapMs);
    }
  });

  test("does not come sooner than a read is worth, whatever a plan says", () => {
    const plan = { answers: 100, timesMs: Float64Array.of(1, 2, 3), readsDue: Float64Array.of(0, 1_000, 2_000) };
    for (const elapsedMs of [0, 1, 1.5, 2, 3, 4])
      expect(next(elapsedMs, plan)).toBeGreaterThanOrEqual(WAIT_READ_COST_MS);
  });

  test("of answers that come after 2 s is seldom before and often then", () => {
    const plan = planReads(answerTimesOf(answersOf("2 s", 200, 3)));
    const reads = readsUntil((elapsedMs) => next(elapsedMs, plan), 4_000);
    const within = (from: number, to: number): number => reads.filter((atMs) => atMs >= from && atMs < to).length;
    const blind = readsUntil((elapsedMs) => next(elapsedMs, null), 500).length;
    expect(within(0, 500)).toBeLessThan(blind / 1.5);
    expect(within(1_500, 2_500)).toBeGreaterThan(2 * within(500, 1_000));
  });

  test("takes up a wait where it was left: it depends on the elapsed time alone", () => {
    const plan = planReads(answerTimesOf(answersOf("20 s", 200, 3)));
    const whole = readsUntil((elapsedMs) => next(elapsedMs, plan), 30_000);
    const handedOverAtMs = whole[10] as number;
    const rest = readsUntil((elapsedMs) => next(handedOverAtMs + elapsedMs, plan), 30_000 - handedOverAtMs);
    rest.forEach((atMs, i) => {
      expect(handedOverAtMs + atMs).toBeCloseTo(whole[11 + i] as number, 6);
    });
  });
});

describe("answer times", () => {
  test("fall into the bin that holds them, the shortest and the longest too", () => {
    for (let answerMs = 1; answerMs < DAY_MS; answerMs *= 1.037) {
      const bin = binOf(answerMs);
      expect(binStartMs(bin)).toBeLessThanOrEqual(answerMs * (1 + 1e-12));
      expect(binStartMs(bin + 1)).toBeGreaterThan(answerMs * (1 - 1e-12));
    }
    expect([binOf(-5), binOf(0), binOf(1), binOf(1e12)]).toEqual([0, 0, 0, ANSWER_TIME_BINS - 1]);
  });

  test("merged are what all of them together tell, in any order", () => {
    const parts = ALL_ANSWERS.map((name) => answersOf(name, 50, 9));
    const together = answerTimesOf(parts.flat());
    const merged = parts.map(answerTimesOf).reduce(mergedAnswerTimes, new Map());
    const backwards = parts.map(answerTimesOf).reduceRight(mergedAnswerTimes, new Map());
    const sorted = (times: AnswerTimes) => [...times].sort(([a], [b]) => a - b);
    expect(sorted(merged)).toEqual(sorted(together));
    expect(sorted(backwards)).toEqual(sorted(together));
    expect(answersIn(merged)).toBe(250);
  });

  test("that faded weigh half, and what comes now soon outweighs what came long ago", () => {
    const old = answerTimesOf(answersOf("50 ms", 1_000, 9));
    let times = old;
    for (let i = 0; i < 4; i++)
      times = mergedAnswerTimes(fadedAnswerTimes(times), answerTimesOf(answersOf("20 s", 200, i)));
    expect(answersIn(fadedAnswerTimes(old))).toBeLessThanOrEqual(500);
    const quick = [...times].filter(([bin]) => binStartMs(bin) < 1_000).reduce((sum, [, count]) => sum + count, 0);
    expect(quick / answersIn(times)).toBeLessThan(0.2);
    expect(answersIn(fadedAnswerTimes(new Map([[3, 1]])))).toBe(0);
  });
});
