/** A limit that a load meets. */

/** Who can do something about a limit: AWS raises it for who asks; the bus has a constant; whoever uses it does otherwise. */
export type Remedy = "ask AWS" | "change the bus" | "use it otherwise";

export interface Limit {
  readonly what: string;
  /** Of it there are so many a second, or at once. */
  readonly most: number;
  readonly unit: string;
  /** What an event a second uses of it. */
  readonly perEvent: number;
  readonly remedy: Remedy;
  /** What to do about it. */
  readonly advice: string;
}

/** Events a second at which a limit is reached. */
export const reachedAt = ({ most, perEvent }: Limit): number =>
  perEvent === 0 ? Number.POSITIVE_INFINITY : most / perEvent;
