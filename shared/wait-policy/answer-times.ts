/**
 * How long the answers to a type's questions have taken: how many fell into each of a row of bins that are equally wide on a
 * logarithmic scale. It is small whatever it has seen, and two of them are merged by adding.
 */

/** From one millisecond to the longest that a question may wait, a day; what lies outside counts as the nearest. */
const SHORTEST_MS = 1;
const LONGEST_MS = 86_400_000;

/** A bin is wider than the one before by a fifth (2^1/4): finer than answer times of one type ever spread. */
const BINS_PER_OCTAVE = 4;

/** How many bins there are. */
export const ANSWER_TIME_BINS = Math.ceil(Math.log2(LONGEST_MS / SHORTEST_MS) * BINS_PER_OCTAVE);

/** The width of a bin, as the natural logarithm of its end over its beginning. */
export const BIN_WIDTH = Math.LN2 / BINS_PER_OCTAVE;

/** So many answers are enough to know a type by: beyond, all counts are halved, and what is old fades. */
export const MOST_ANSWERS_KEPT = 1_000;

/** Counts by bin; bins without any are left out. */
export type AnswerTimes = ReadonlyMap<number, number>;

/** The bin of an answer time. */
export function binOf(answerMs: number): number {
  const bin = Math.floor(Math.log2(Math.max(SHORTEST_MS, answerMs) / SHORTEST_MS) * BINS_PER_OCTAVE);
  return Math.min(ANSWER_TIME_BINS - 1, bin);
}

/** Where a bin begins, in milliseconds; fractions of bins too. */
export const binStartMs = (bin: number): number => SHORTEST_MS * 2 ** (bin / BINS_PER_OCTAVE);

/** What these answers tell, in milliseconds from question to answer. */
export function answerTimesOf(answersMs: Iterable<number>): AnswerTimes {
  const counts = new Map<number, number>();
  for (const answerMs of answersMs) {
    const bin = binOf(answerMs);
    counts.set(bin, (counts.get(bin) ?? 0) + 1);
  }
  return counts;
}

/** Both together. */
export function mergedAnswerTimes(one: AnswerTimes, other: AnswerTimes): AnswerTimes {
  const counts = new Map(one);
  for (const [bin, count] of other) counts.set(bin, (counts.get(bin) ?? 0) + count);
  return counts;
}

/** The same with half the weight; what was seen once only is forgotten. */
export function fadedAnswerTimes(times: AnswerTimes): AnswerTimes {
  const halves = [...times].map(([bin, count]): [number, number] => [bin, Math.floor(count / 2)]);
  return new Map(halves.filter(([, count]) => count > 0));
}

/** How many answers it tells of. */
export function answersIn(times: AnswerTimes): number {
  let answers = 0;
  for (const count of times.values()) answers += count;
  return answers;
}
