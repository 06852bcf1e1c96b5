/** What a benchmark is, and what it gives: figures beside what they are compared with, and pictures. */

/** Numbers of goals: what has to be reached, and what to go on to. */
export type GoalId = "P1" | "P2" | "P3" | "P4" | "P5" | "P6" | "P7" | "P8" | "R10";

/** One quantity as it was measured: a number for each repetition, in the order in which they were made. */
export interface Series {
  /** What was measured: `the bus`, `two bare SDK clients`. */
  readonly name: string;
  /** `ms`, `CPU ms`, `calls`, `bytes`, `events/s`, `x` … */
  readonly unit: string;
  readonly values: readonly number[];
}

/** What a figure has to come to. */
export interface Goal {
  readonly bound: "at most" | "at least";
  readonly value: number;
  /** To go on to once the first is reached. */
  readonly further?: number;
}

/**
 * One line of the table. With `beside`, ours is judged as a ratio to it: repetition by repetition where both have as many
 * (they were made in turn, so noise meets both), else by the medians. Without, ours is judged as it is.
 */
export interface Figure {
  /** What is measured, without the number of its goal: `start and first call of emit`. */
  readonly title: string;
  readonly ours: Series;
  readonly beside?: Series;
  /** None for what is shown for comparison only. */
  readonly goal?: Goal;
  /** What a reader has to know to judge it; one sentence. */
  readonly note?: string;
}

/** A drawing for `docs/performance.md`, made by `bench/report/charts.ts`. */
export interface Picture {
  /** `p5-request-reply`; a file of this name is written beside the others. */
  readonly name: string;
  /** What it shows, as its text for those who cannot see it. */
  readonly title: string;
  readonly svg: string;
}

/** A comparison that could not be made, and why. */
export interface Omission {
  /** `Redis pub/sub`. */
  readonly what: string;
  /** `redis-server could not be installed: …`. */
  readonly why: string;
}

export interface Outcome {
  readonly figures: readonly Figure[];
  readonly pictures?: readonly Picture[];
  readonly omissions?: readonly Omission[];
  /** More that was found, for `bench/results.json`: counts, settings, versions. */
  readonly details?: Readonly<Record<string, unknown>>;
}

export interface BenchContext {
  /** Fewer repetitions: to see whether it runs, not to quote its figures. */
  readonly isQuick: boolean;
  /** Tells what is being done, for whoever waits. */
  progress(text: string): void;
  /** Aborts when the run is to end. Whoever started a process ends it. */
  readonly signal: AbortSignal;
  /** A folder for what is built, kept between runs and never committed. */
  readonly workDir: string;
}

export interface Benchmark {
  readonly goal: GoalId;
  /** `start and first call`. */
  readonly title: string;
  /** What it does and how, in two or three sentences, for `docs/performance.md`. */
  readonly method: string;
  /** @throws Error when it cannot be carried out; the others go on */
  run(context: BenchContext): Promise<Outcome>;
}
