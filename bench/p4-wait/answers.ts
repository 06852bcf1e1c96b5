/** When answers come: a quick function, a model's short and long reply, a person or a long task, and all of them together. */

/** Log-normal around these medians, with so large a deviation of the logarithm: two thirds come within a factor of 1.65. */
const DEVIATION = 0.5;
const MEDIANS_MS = { "50 ms": 50, "500 ms": 500, "2 s": 2_000, "20 s": 20_000 } as const;

export type AnswersName = keyof typeof MEDIANS_MS | "a mixture";
export const ALL_ANSWERS: readonly AnswersName[] = ["50 ms", "500 ms", "2 s", "20 s", "a mixture"];

/**
 * So many answer times, in milliseconds: the same each time, and others for another seed.
 * @param deviation of the natural logarithm
 */
export function answersOf(name: AnswersName, count: number, seed: number, deviation = DEVIATION): readonly number[] {
  const random = randomNumbers(seed * 8 + ALL_ANSWERS.indexOf(name));
  const medians = name === "a mixture" ? Object.values(MEDIANS_MS) : [MEDIANS_MS[name]];
  return Array.from({ length: count }, () => {
    const median = medians[Math.floor(random() * medians.length)] as number;
    return median * Math.exp(deviation * normal(random));
  });
}

/** A normally distributed number (Box and Muller). */
const normal = (random: () => number): number =>
  Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());

/** Numbers from 0 to below 1 that follow from a seed: a Weyl sequence, mixed as in MurmurHash3. */
function randomNumbers(seed: number): () => number {
  let state = Math.imul(seed + 1, 0x9e3779b9) >>> 0;
  return () => {
    state = (state + 0x9e3779b9) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x85ebca6b);
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
    return ((mixed ^ (mixed >>> 16)) >>> 0) / 0x1_0000_0000;
  };
}
