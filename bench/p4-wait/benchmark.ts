/** P4: what a wait costs in reads and in delay, on a clock that only computes. */
import { WAIT_READ_COST_MS } from "../../shared/limits.ts";
import type { Benchmark, Figure, Picture } from "../contract.ts";
import { linesPicture } from "../report/charts.ts";
import { ALL_ANSWERS, type AnswersName } from "./answers.ts";
import { BOUNDED, bestScheduleCost, type LongestGap, UNBOUNDED } from "./best-schedule.ts";
import {
  hindsight,
  judgedAnswers,
  KNOWING_NOTHING,
  knowing,
  ORACLE_COST_MS,
  ratiosOf,
  USUAL_POLICIES,
  wrongKnowledge,
} from "./policies.ts";
import { readsUntil, simulateWaits, type WaitPolicy } from "./simulate.ts";

const LEARNT = 200;
/** Of the answers that are learnt from; figures are means over them. */
const SEEDS = [2, 3, 4, 5, 6];
const QUICK_SEEDS = SEEDS.slice(0, 1);

type PolicyFor = (name: AnswersName) => WaitPolicy;

export const WAIT: Benchmark = {
  goal: "P4",
  title: "the wait's reads and delay",
  method:
    `J is ${WAIT_READ_COST_MS} ms for each read of the record plus the mean delay of the answer. The policy of the bus itself ` +
    "(shared/wait-policy/) and others wait for the same 5,000 answers of each kind: log-normal around 50 ms, 500 ms, 2 s and 20 s " +
    "with a deviation of 0.5 of the logarithm, and a mixture of all four in equal parts. Each is set beside the fixed interval " +
    "that costs the least for just these answers. What is learnt comes from other answers than what is judged. Everything is " +
    "computed from seeds, so there is no noise; the spread is over the answers that were learnt.",
  async run({ isQuick, progress, signal }) {
    const seeds = isQuick ? QUICK_SEEDS : SEEDS;
    progress("nothing known");
    const blind = ratiosOf(() => KNOWING_NOTHING);
    const known: (readonly number[])[] = [];
    for (const seed of seeds) {
      signal.throwIfAborted();
      progress(`${LEARNT} answers known, seed ${seed}`);
      known.push(ratiosOf((name) => knowing(name, LEARNT, seed)));
    }
    progress("wrong knowledge");
    const wrong = wrongKnowledge(LEARNT);
    return {
      figures: [
        figure("mean of the five, nothing known", [meanOf(blind)], 1.3),
        figure("worst of the five, nothing known", [Math.max(...blind)], 1.5),
        figure(`mean of the five, ${LEARNT} answers known`, known.map(meanOf), 1),
        figure(
          `worst of the five, ${LEARNT} answers known`,
          known.map((ratios) => Math.max(...ratios)),
          1.1,
        ),
        wrongFigure(wrong.map(({ delayRatio }) => delayRatio)),
        bestFigure(known.map(meanOf)),
      ],
      pictures: [costPicture(), timesPicture()],
      details: {
        ratios: { blind, known },
        wrong,
        costs: costs(),
        bestFixed: ALL_ANSWERS.map((name) => hindsight(name)),
        bestSchedule: { bounded: bestRatios(BOUNDED), unbounded: bestRatios(UNBOUNDED) },
      },
    };
  },
};

const figure = (title: string, ratios: readonly number[], most: number): Figure => ({
  title: `J of a wait, ${title}`,
  ours: { name: "the bus", unit: "x the best fixed interval", values: ratios },
  goal: { bound: "at most", value: most },
});

const wrongFigure = (ratios: readonly number[]): Figure => ({
  title: "delay with wrong knowledge, at worst",
  ours: { name: "the bus", unit: "x that of knowing nothing", values: [Math.max(...ratios)] },
  goal: { bound: "at most", value: 3 },
  note: `${LEARNT} answers of one kind learnt, answers of another got; the worst of all ${ratios.length} pairs.`,
});

/** What is left to gain. */
const bestFigure = (ratios: readonly number[]): Figure => ({
  title: `J of a wait, ${LEARNT} answers known, beside all schedules`,
  ours: { name: "the bus", unit: "x the best fixed interval", values: ratios },
  beside: {
    name: "the best schedule",
    unit: "x the best fixed interval",
    values: ratios.map(() => meanOf(bestRatios(BOUNDED))),
  },
  note:
    "The best there is, chosen knowing each answer, with no gap longer than the bus allows itself; " +
    `with gaps of any length it comes to ${meanOf(bestRatios(UNBOUNDED)).toFixed(2)}.`,
});

const bestRatios = (longestGap: LongestGap): readonly number[] =>
  ALL_ANSWERS.map((name) => bestScheduleCost(judgedAnswers(name), longestGap) / hindsight(name).cost);

const meanOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

const POLICIES: Readonly<Record<string, PolicyFor>> = {
  "the bus, nothing known": () => KNOWING_NOTHING,
  [`the bus, ${LEARNT} answers known`]: (name) => knowing(name, LEARNT),
  ...Object.fromEntries(
    Object.entries(USUAL_POLICIES).map(([name, policy]): [string, PolicyFor] => [name, () => policy]),
  ),
};

/** J, reads and delay of every policy for every kind of answers. */
const costs = () =>
  Object.entries(POLICIES).flatMap(([policy, policyFor]) =>
    ALL_ANSWERS.map((answers) => ({ policy, answers, ...simulateWaits(policyFor(answers), judgedAnswers(answers)) })),
  );

/** The oracle is the same for all: one read. It stands beside the pictures as a line. */
function costPicture(): Picture {
  const drawn = [
    "the bus, nothing known",
    `the bus, ${LEARNT} answers known`,
    "every 100 ms",
    "doubling from 50 ms to 1 s",
  ];
  const medians = { "50 ms": 50, "500 ms": 500, "2 s": 2_000, "20 s": 20_000 } as const;
  const over = (costFor: (name: keyof typeof medians) => number) =>
    Object.entries(medians).map(([name, ms]): [number, number] => [ms, costFor(name as keyof typeof medians)]);
  return linesPicture(
    { name: "p4-wait-cost", title: "Cost of a wait in reads and delay, over when the answer comes" },
    {
      x: { name: "median answer time in ms", isLogarithmic: true },
      y: { name: `J in ms: ${WAIT_READ_COST_MS} for each read, and the delay`, isLogarithmic: true },
      lines: [
        ...Object.entries(POLICIES)
          .filter(([name]) => drawn.includes(name))
          .map(([name, policyFor]) => ({
            name,
            points: over((answers) => simulateWaits(policyFor(answers), judgedAnswers(answers)).cost),
          })),
        { name: "best fixed interval, in hindsight", points: over((answers) => hindsight(answers).cost) },
        { name: "an oracle", points: over(() => ORACLE_COST_MS) },
      ],
    },
  );
}

/** How many reads were made by when: a slope is a rate. */
function timesPicture(): Picture {
  const lines: readonly (readonly [string, WaitPolicy])[] = [
    ["nothing known", KNOWING_NOTHING],
    ["answers known to come after 50 ms", knowing("50 ms", LEARNT)],
    ["after 2 s", knowing("2 s", LEARNT)],
    ["a mixture", knowing("a mixture", LEARNT)],
  ];
  return linesPicture(
    { name: "p4-wait-reads", title: "Reads of a wait, over how long it has been open" },
    {
      x: { name: "elapsed time in ms", isLogarithmic: true },
      y: { name: "reads so far" },
      lines: lines.map(([name, policy]) => ({
        name,
        points: readsUntil(policy, 10_000).map((atMs, i): [number, number] => [atMs, i + 1]),
      })),
      isStepped: true,
    },
  );
}
