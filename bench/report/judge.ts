/** From what was measured to what it comes to. */
import type { Figure, Goal } from "../contract.ts";
import { median, type Summary, summarize } from "../measure/statistics.ts";

export type Verdict = "further" | "reached" | "missed";

export interface Judged {
  readonly figure: Figure;
  readonly ours: Summary;
  readonly beside?: Summary;
  /** What is compared with the goal: the ratio to what stands beside it, or ours itself. */
  readonly judged: Summary;
  /** The unit of `judged`: `x` for a ratio. */
  readonly unit: string;
  /** None without a goal. */
  readonly verdict?: Verdict;
}

export function judge(figure: Figure): Judged {
  const { ours, beside, goal } = figure;
  const judged = beside === undefined ? summarize(ours.values) : summarizeRatio(ours.values, beside.values);
  return {
    figure,
    ours: summarize(ours.values),
    ...(beside === undefined ? {} : { beside: summarize(beside.values) }),
    judged,
    unit: beside === undefined ? ours.unit : "x",
    ...(goal === undefined ? {} : { verdict: verdictOf(judged.median, goal) }),
  };
}

/** Pair by pair where there are pairs: they were made one after the other, and noise meets both. */
function summarizeRatio(ours: readonly number[], beside: readonly number[]): Summary {
  if (ours.length === beside.length) return summarize(ours.map((value, i) => value / (beside[i] as number)));
  const divisor = median(beside);
  return summarize(ours.map((value) => value / divisor));
}

function verdictOf(value: number, { bound, value: wanted, further }: Goal): Verdict {
  const reaches = (mark: number): boolean => (bound === "at most" ? value <= mark : value >= mark);
  if (further !== undefined && reaches(further)) return "further";
  return reaches(wanted) ? "reached" : "missed";
}
