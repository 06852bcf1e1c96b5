/** Random numbers that are the same for the same seed. */

export interface Seeded {
  /** From 0 to 1, exclusive. */
  next(): number;
  /** A whole number from `least` to `most`, both inclusive. */
  between(least: number, most: number): number;
  /** Whether something with this probability happens. */
  happens(probability: number): boolean;
  /** One of several. @throws Error when there is none */
  pick<T>(choices: readonly T[]): T;
  /** Numbers of their own for a part of the run, which do not hang on how many the other parts draw. */
  fork(name: string): Seeded;
}

/** Mulberry32: 32 bits of state, good enough to choose faults by. */
export function seeded(seed: number): Seeded {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const between = (least: number, most: number): number => least + Math.floor(next() * (most - least + 1));
  return {
    next,
    between,
    happens: (probability) => next() < probability,
    pick<T>(choices: readonly T[]): T {
      if (choices.length === 0) throw new Error("There is nothing to choose from.");
      return choices[between(0, choices.length - 1)] as T;
    },
    fork: (name) => seeded(seed ^ numberOf(name)),
  };
}

/** FNV-1a. */
function numberOf(name: string): number {
  let hash = 0x811c9dc5;
  for (const char of name) hash = Math.imul(hash ^ (char.codePointAt(0) as number), 0x01000193);
  return hash >>> 0;
}
