/** How long waits are held, and how often they read, when answers come as they do. */
import { DEFAULT_LIMITS } from "../../shared/limits.ts";
import type { Load } from "./load.ts";
import { readsUntilAnswer, readsWithin } from "./wait-reads.ts";

export interface Waits {
  /** Averages of a question. */
  readonly reads: number;
  readonly heldMs: number;
  /** How often it is handed over and taken up again: a call is held for so long and no longer. */
  readonly handOvers: number;
  /** The share of questions that are answered in time. */
  readonly answered: number;
}

type Answers = Pick<Load, "answerSeconds" | "answerSpread" | "timeoutSeconds">;

/** Answer times that stand for all: each for as large a part of them. */
const SAMPLES = 200;

export function waitsOf(load: Answers): Waits {
  const waits = Array.from({ length: SAMPLES }, (_, i) => waitOf(load, (i + 0.5) / SAMPLES));
  const average = (of: (wait: Waits) => number): number => waits.reduce((sum, wait) => sum + of(wait), 0) / SAMPLES;
  return {
    reads: average(({ reads }) => reads),
    heldMs: average(({ heldMs }) => heldMs),
    handOvers: average(({ handOvers }) => handOvers),
    answered: average(({ answered }) => answered),
  };
}

function waitOf(load: Answers, share: number): Waits {
  const answerMs = 1_000 * answerSecondsOf(load, share);
  const timeoutMs = 1_000 * load.timeoutSeconds;
  const isAnswered = answerMs <= timeoutMs;
  const { reads, seenAtMs } = isAnswered
    ? readsUntilAnswer(answerMs)
    : { reads: readsWithin(timeoutMs), seenAtMs: timeoutMs };
  const heldMs = Math.min(seenAtMs, timeoutMs);
  const handOvers = Math.floor(heldMs / (1_000 * DEFAULT_LIMITS.holdSeconds));
  return { reads, heldMs, handOvers, answered: isAnswered ? 1 : 0 };
}

/**
 * The time in which a share of all answers has come: a log-logistic distribution, which has the long tail that answers of
 * agents and people have, and whose quantiles need no table. Five sixths have come by the median times the spread.
 */
export function answerSecondsOf({ answerSeconds, answerSpread }: Answers, share: number): number {
  const exponent = Math.log(answerSpread) / Math.log(5);
  return answerSeconds * (share / (1 - share)) ** exponent;
}
