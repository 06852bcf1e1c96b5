/** Chance that can be repeated: every decision of a run follows from its seed and from what the decision is about. */

/** FNV-1a (32 bit) with a last mixing, so that texts that differ a little give numbers that differ a lot. */
export function hashText(text: string, start = 0x811c9dc5): number {
  let hash = start;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** A stream of numbers (mulberry32): small, fast, and good enough to toss coins with. */
export class Random {
  private state: number;

  /** @param about what the stream decides: the same seed and text give the same stream, whatever else happens */
  constructor(seed: number, about: string) {
    this.state = hashText(about, (0x811c9dc5 ^ seed) >>> 0);
  }

  /** A whole number of 32 bits. */
  next(): number {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let mixed = this.state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  }

  /** From 0 inclusive to 1 exclusive. */
  fraction(): number {
    return this.next() / 0x1_0000_0000;
  }

  chance(probability: number): boolean {
    return this.fraction() < probability;
  }

  between(least: number, most: number): number {
    return least + this.fraction() * (most - least);
  }

  /** A whole number, both bounds included. */
  whole(least: number, most: number): number {
    return least + (this.next() % (most - least + 1));
  }

  /** One of several. @throws Error when there is none */
  pick<T>(items: readonly T[]): T {
    const item = items[this.next() % items.length];
    if (item === undefined) throw new Error("There is nothing to choose from.");
    return item;
  }

  /** One of several, each as likely as its weight says. */
  weighted<T extends string>(weights: Readonly<Record<T, number>>): T {
    const entries = Object.entries(weights) as [T, number][];
    let left = this.fraction() * entries.reduce((sum, [, weight]) => sum + weight, 0);
    for (const [item, weight] of entries) {
      left -= weight;
      if (left < 0) return item;
    }
    return (entries[0] as [T, number])[0];
  }

  /** Characters as they are in tokens. */
  token(length: number): string {
    let text = "";
    for (let i = 0; i < length; i++) text += TOKEN_CHARACTERS.charAt(this.next() & 63);
    return text;
  }

  hex(digits: number): string {
    let text = "";
    while (text.length < digits) text += this.next().toString(16).padStart(8, "0");
    return text.slice(0, digits);
  }
}

const TOKEN_CHARACTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
