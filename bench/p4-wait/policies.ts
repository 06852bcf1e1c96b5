/** The bus's ways to wait, and what it is compared with. */
import { WAIT_READ_COST_MS } from "../../shared/limits.ts";
import { answerTimesOf } from "../../shared/wait-policy/answer-times.ts";
import { next } from "../../shared/wait-policy/next-read.ts";
import { planReads } from "../../shared/wait-policy/read-plan.ts";
import { ALL_ANSWERS, type AnswersName, answersOf } from "./answers.ts";
import { bestFixedInterval, type FixedInterval, simulateWaits, type WaitCost, type WaitPolicy } from "./simulate.ts";

/** Answers that a policy is judged by; their seed is not one of those that it learns from. */
const JUDGED = { count: 5_000, seed: 1 };
const LEARNT_SEED = 2;

export const judgedAnswers = (name: AnswersName, deviation?: number): readonly number[] =>
  answersOf(name, JUDGED.count, JUDGED.seed, deviation);

export const KNOWING_NOTHING: WaitPolicy = (elapsedMs) => next(elapsedMs, null);

/** The bus, once so many answers of a kind are known. */
export function knowing(name: AnswersName, answers = 200, seed = LEARNT_SEED, deviation?: number): WaitPolicy {
  const plan = planReads(answerTimesOf(answersOf(name, answers, seed, deviation)));
  return (elapsedMs) => next(elapsedMs, plan);
}

/** What is usually written. */
export const USUAL_POLICIES: Readonly<Record<string, WaitPolicy>> = {
  "every 50 ms": () => 50,
  "every 100 ms": () => 100,
  "every 200 ms": () => 200,
  "every 500 ms": () => 500,
  "doubling from 50 ms to 1 s": (elapsedMs) => Math.min(1_000, elapsedMs + 50),
  "growing by 10 %": (elapsedMs) => Math.max(10, elapsedMs / 10),
};

/** One that knows when the answer comes reads once, then. */
export const ORACLE_COST_MS = WAIT_READ_COST_MS;

const found = new Map<string, FixedInterval>();

/** The best fixed interval for the answers that are judged, chosen knowing them. */
export function hindsight(name: AnswersName, deviation?: number): FixedInterval {
  const key = `${name} ${deviation}`;
  const best = found.get(key) ?? bestFixedInterval(judgedAnswers(name, deviation));
  found.set(key, best);
  return best;
}

/** J as a multiple of that of the best fixed interval chosen in hindsight, for each kind of answers. */
export const ratiosOf = (policyFor: (name: AnswersName) => WaitPolicy, deviation?: number): readonly number[] =>
  ALL_ANSWERS.map((name) => {
    const { cost } = simulateWaits(policyFor(name), judgedAnswers(name, deviation));
    return cost / hindsight(name, deviation).cost;
  });

/** Having learnt from answers of one kind and getting another's, beside knowing nothing. */
export interface WrongKnowledge {
  readonly learnt: AnswersName;
  readonly got: AnswersName;
  readonly delayRatio: number;
  readonly costRatio: number;
}

/** All pairs. */
export function wrongKnowledge(answers = 200, deviation?: number): readonly WrongKnowledge[] {
  return ALL_ANSWERS.flatMap((got) => {
    const judged = judgedAnswers(got, deviation);
    const blind = simulateWaits(KNOWING_NOTHING, judged);
    return ALL_ANSWERS.filter((learnt) => learnt !== got).map((learnt) => {
      const wrong: WaitCost = simulateWaits(knowing(learnt, answers, LEARNT_SEED, deviation), judged);
      return { learnt, got, delayRatio: wrong.delayMs / blind.delayMs, costRatio: wrong.cost / blind.cost };
    });
  });
}
