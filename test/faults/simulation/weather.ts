/** What goes wrong in a run, and how often: drawn from the seed, so that some runs are calm and some are wild. */
import { hashText, Random } from "./random.ts";

/** What can happen to one call between two machines, or to one message. */
export const FAULT_KINDS = {
  lost: "is lost on its way, and fails",
  unacknowledged: "is done, and its acknowledgement is lost",
  zombie: "fails, and is done all the same, much later",
  twice: "is done twice",
  throttled: "is refused by throttling",
  slow: "takes long",
  crashBefore: "never leaves its process, which dies",
  crashAfter: "is done, and the process that made it dies",
  stale: "shows in the index only after a while",
  failedEntry: "is refused by the bus, others of its batch are not",
  again: "comes a second time",
  late: "comes much later than others",
} as const;

export type FaultKind = keyof typeof FAULT_KINDS;

export interface Weather {
  /** Probability of each kind, for each call or message that it can happen to. */
  readonly faults: Readonly<Record<FaultKind, number>>;
  /** How far the wall clocks of processes may be off, in milliseconds, either way; 0: all are right. */
  readonly clockErrorMs: number;
  /** Whether a wall clock also jumps while its process runs. */
  readonly clocksJump: boolean;
  /** Whether agents are known and have policies; else everybody may do everything. */
  readonly hasPolicies: boolean;
  /** How long one call is held at most. */
  readonly holdSeconds: number;
  /** Longest delay before code goes on that has slept, in milliseconds. */
  readonly oversleepMs: number;
  /** Nobody may change a record that the store gave him: in some runs that is checked. */
  readonly frozenRecords: boolean;
  /** Whether what has expired is gone at once, or never. */
  readonly ttl: "at once" | "never";
}

export const CALM: Weather["faults"] = Object.fromEntries(Object.keys(FAULT_KINDS).map((kind) => [kind, 0])) as Record<
  FaultKind,
  number
>;

/** One run in eight is without any fault. */
const CALM_SHARE = 1 / 8;
/** One run in four has wrong clocks. */
const WRONG_CLOCKS_SHARE = 1 / 4;
const CLOCK_ERROR_MS = 300_000;

export function drawWeather(seed: number): Weather {
  const random = new Random(seed, "weather");
  const isCalm = random.chance(CALM_SHARE);
  const hasWrongClocks = !isCalm && random.chance(WRONG_CLOCKS_SHARE);
  return {
    faults: isCalm ? CALM : drawFaults(random),
    clockErrorMs: hasWrongClocks ? CLOCK_ERROR_MS : 0,
    clocksJump: hasWrongClocks && random.chance(0.5),
    hasPolicies: random.chance(0.5),
    holdSeconds: random.pick([0.5, 2, 55]),
    oversleepMs: random.pick([0, 20, 200]),
    frozenRecords: random.chance(1 / 16),
    ttl: random.chance(0.5) ? "at once" : "never",
  };
}

/** Some kinds are off in a run, so that what needs two of them and none of a third comes up too. */
function drawFaults(random: Random): Weather["faults"] {
  const rate = random.pick([0.01, 0.03, 0.08, 0.2]);
  const drawn = (most: number): number => (random.chance(0.6) ? Math.min(most, rate * random.between(0.2, 1)) : 0);
  return {
    lost: drawn(0.2),
    unacknowledged: drawn(0.2),
    zombie: drawn(0.1),
    twice: drawn(0.1),
    throttled: drawn(0.2),
    slow: drawn(0.2),
    crashBefore: drawn(0.01),
    crashAfter: drawn(0.02),
    stale: drawn(0.2),
    failedEntry: drawn(0.2),
    again: drawn(0.1),
    late: drawn(0.1),
  };
}

/** A fault that came down, with the id by which a later run can have it again, or have it not. */
export interface Fault {
  readonly id: string;
  readonly kind: FaultKind;
  readonly atMs: number;
  /** What it happened to. */
  readonly about: string;
}

/** What a call or message meets. */
export interface Fate {
  readonly kind: FaultKind | null;
  /** A number of 32 bits to draw delays from. */
  readonly draw: number;
}

/** Decides what happens to whom. A decision follows from the seed and from what it is about, and from nothing else. */
export class Fates {
  readonly fallen: Fault[] = [];
  /** No fault falls any more. */
  isOver = false;
  private readonly start: number;
  private readonly faults: Weather["faults"];
  private readonly only: ReadonlySet<string> | null;
  /** By the hash of what it is about: texts are long, and there are thousands. */
  private readonly occurrences = new Map<number, number>();
  private readonly nowMs: () => number;

  /** @param only ids of the faults that may happen; null: all that come */
  constructor(seed: number, faults: Weather["faults"], only: ReadonlySet<string> | null, nowMs: () => number) {
    this.start = hashText("fates", (0x811c9dc5 ^ seed) >>> 0);
    this.faults = faults;
    this.only = only;
    this.nowMs = nowMs;
  }

  /** @param about the same text for the same thing; what happens again is told apart by how often it has happened */
  of(about: string, kinds: readonly FaultKind[]): Fate {
    const hash = hashText(about, this.start);
    const occurrence = (this.occurrences.get(hash) ?? 0) + 1;
    this.occurrences.set(hash, occurrence);
    const draw = (hash ^ Math.imul(occurrence, 0x9e3779b1)) >>> 0;
    if (this.isOver) return { kind: null, draw: mixed(draw) };
    let left = mixed(draw ^ 0x5bd1e995) / 0x1_0000_0000;
    for (const kind of kinds) {
      left -= this.faults[kind];
      if (left >= 0) continue;
      const id = draw.toString(36);
      if (this.only !== null && !this.only.has(id)) break;
      this.fallen.push({ id, kind, atMs: this.nowMs(), about });
      return { kind, draw: mixed(draw) };
    }
    return { kind: null, draw: mixed(draw) };
  }
}

function mixed(value: number): number {
  let hash = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** A delay out of a fate: mostly near the least. */
export function delayOf(draw: number, leastMs: number, mostMs: number): number {
  const fraction = (draw & 0xffff) / 0x10000;
  return leastMs + (mostMs - leastMs) * fraction * fraction;
}
