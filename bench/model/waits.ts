/** How long waits are held, and how often they read, when answers come as they do. */
import { DEFAULT_LIMITS } from "../../shared/limits.ts";
import type { WaitPolicy } from "../p4-wait/simulate.ts";
import type { Load } from "./load.ts";
import { busPolicy, readsUntilAnswer, readsWithin } from "./wait-reads.ts";

export interface Waits {
  /** Averages of a question. */
  readonly reads: number;
  readonly heldMs: number;
  /** How much later than it was there an answer is told. */
  readonly delayMs: number;
  /** How often it is handed over and taken up again: a call is held for so long and no longer. */
  readonly handOvers: number;
  /** The share of questions that are answered in time. */
  readonly answered: number;
}

type Answers = Pick<Load, "answerSeconds" | "answerSpread" | "timeoutSeconds">;

/** Answer times that stand for all: each for as large a part of them. */
const SAMPLES = 200;

const answersMsOf = (load: Answers, count: number): readonly number[] =>
  Array.from({ length: count }, (_, i) => 1_000 * answerSecondsOf(load, (i + 0.5) / count));

/** As the bus waits, with what it knows. */
export const waitsOf = (load: Answers & Pick<Load, "knownAnswers">): Waits =>
  waitsBy(load, busPolicy(answersMsOf(load, load.knownAnswers)));

/** As somebody waits who reads by some rule. */
export function waitsBy(load: Answers, policy: WaitPolicy): Waits {
  const waits = answersMsOf(load, SAMPLES).map((answerMs) => waitOf(answerMs, 1_000 * load.timeoutSeconds, policy));
  const average = (of: (wait: Waits) => number): number => waits.reduce((sum, wait) => sum + of(wait), 0) / SAMPLES;
  return {
    reads: average(({ reads }) => reads),
    heldMs: average(({ heldMs }) => heldMs),
    delayMs: average(({ delayMs }) => delayMs),
    handOvers: average(({ handOvers }) => handOvers),
    answered: average(({ answered }) => answered),
  };
}

function waitOf(answerMs: number, timeoutMs: number, policy: WaitPolicy): Waits {
  const isAnswered = answerMs <= timeoutMs;
  const { reads, seenAtMs } = isAnswered
    ? readsUntilAnswer(answerMs, policy)
    : { reads: readsWithin(timeoutMs, policy), seenAtMs: timeoutMs };
  const heldMs = Math.min(seenAtMs, timeoutMs);
  return {
    reads,
    heldMs,
    delayMs: isAnswered ? heldMs - answerMs : 0,
    handOvers: Math.floor(heldMs / (1_000 * DEFAULT_LIMITS.holdSeconds)),
    answered: isAnswered ? 1 : 0,
  };
}

/**
 * The time in which a share of all answers has come: a log-logistic distribution, which has the long tail that answers of
 * agents and people have, and whose quantiles need no table. Five sixths have come by the median times the spread.
 */
export function answerSecondsOf(
  { answerSeconds, answerSpread }: Pick<Answers, "answerSeconds" | "answerSpread">,
  share: number,
): number {
  const exponent = Math.log(answerSpread) / Math.log(5);
  return answerSeconds * (share / (1 - share)) ** exponent;
}
