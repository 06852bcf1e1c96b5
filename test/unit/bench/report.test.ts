import { describe, expect, test } from "vitest";
import type { Figure, Series } from "../../../bench/contract.ts";
import { distributionPicture, linesPicture } from "../../../bench/report/charts.ts";
import { judge } from "../../../bench/report/judge.ts";
import { readable } from "../../../bench/report/numbers.ts";
import { withMeasured } from "../../../bench/report/performance-page.ts";
import { mergeResults, type Result } from "../../../bench/report/results.ts";
import { rowOf, textTable } from "../../../bench/report/table.ts";

const series = (values: readonly number[], name = "the bus"): Series => ({ name, unit: "ms", values });
const figure = (ours: readonly number[], beside?: readonly number[]): Figure => ({
  title: "a page",
  ours: series(ours),
  ...(beside === undefined ? {} : { beside: series(beside, "the other") }),
  goal: { bound: "at most", value: 1, further: 0.5 },
});

describe("a figure beside another", () => {
  test("is judged pair by pair, so that a slow minute does not count for one side only", () => {
    const { judged } = judge(figure([10, 100, 10], [20, 200, 20]));
    expect(judged).toMatchObject({ median: 0.5, low: 0.5, high: 0.5 });
  });

  test("is judged by the other's median where there are no pairs", () => {
    expect(judge(figure([10, 20], [10, 10, 10])).judged.median).toBe(1.5);
  });

  test.each([
    [0.5, "further"],
    [0.51, "reached"],
    [1, "reached"],
    [1.01, "missed"],
  ])("%d, wanted at most 1 and then 0.5, is told as %s", (value, verdict) => {
    expect(judge(figure([value])).verdict).toBe(verdict);
  });

  test("at least means the other way round, and without a goal nothing is judged", () => {
    const atLeast: Figure = { ...figure([4]), goal: { bound: "at least", value: 1, further: 4 } };
    expect(judge(atLeast).verdict).toBe("further");
    const { goal: _, ...shown } = figure([4]);
    expect(judge(shown).verdict).toBeUndefined();
  });
});

describe("the table", () => {
  test("says what was measured beside what, with its spread, and a miss in capitals", () => {
    const row = rowOf("P6", judge(figure([2, 4, 6], [2, 2, 2])));
    expect(row).toEqual([
      "P6",
      "a page",
      "4 ms",
      "2 ms (the other)",
      "2 x [1.5, 2.5]",
      "at most 1, then 0.5",
      "MISSED",
    ]);
    expect(textTable([row]).split("\n")).toHaveLength(3);
  });

  test.each([
    [0.012345, "0.0123"],
    [1.054, "1.05"],
    [99.94, "99.9"],
    [349_123, "349,123"],
    [0, "0"],
  ])("%d reads as %s", (value, text) => expect(readable(value)).toBe(text));
});

describe("what is kept of a run", () => {
  const result = (goal: Result["goal"], title: string): Result => ({
    goal,
    title,
    method: "As users do it.",
    measuredAt: "2026-11-24T00:00:00.000Z",
    machine: { node: "v20", platform: "linux x64", cpu: "a processor", cores: 2, memoryGb: 24 },
    figures: [judge({ ...figure([1]), note: "Read it so." })],
    omissions: [{ what: "Redis", why: "There is none." }],
    pictures: [{ name: "p4-wait", title: "The wait" }],
    details: {},
  });

  test("a benchmark that was not run keeps its earlier result, in the order of the goals", () => {
    const earlier = [result("P4", "old"), result("P1", "old")];
    const merged = mergeResults(earlier, [result("P4", "new")], ["P1", "P4", "P8"]);
    expect(merged.map(({ goal, title }) => [goal, title])).toEqual([
      ["P1", "old"],
      ["P4", "new"],
    ]);
  });

  test("the page gets table, notes, omissions and pictures between its marks, and keeps what stands around them", () => {
    const page =
      "# Performance\n<!-- measured: written by npm run bench -->\nold\n<!-- end of what was measured -->\nafter";
    const written = withMeasured(page, [result("P4", "the wait")]);
    expect(written).toMatch(/^# Performance\n/);
    expect(written).toMatch(/\nafter$/);
    expect(written).not.toContain("old");
    expect(written).toContain("| P4 | a page | 1 ms |");
    expect(written).toContain("- Not compared: Redis. There is none.");
    expect(written).toContain("![The wait](performance/p4-wait.svg)");
    expect(withMeasured(written, [result("P4", "the wait")])).toBe(written);
  });

  test("a page without marks is not written over", () => {
    expect(() => withMeasured("# Performance", [])).toThrow("has no part between");
  });
});

describe("a picture", () => {
  test("of distributions has a line for each series and says which is which", () => {
    const about = { name: "p5-latency", title: "Request and reply" };
    const spread = [series([1, 2, 3]), series([2, 4], "NATS")];
    const { svg } = distributionPicture(about, { x: { name: "time in ms", isLogarithmic: true }, series: spread });
    for (const text of ["Request and reply", "the bus", "NATS", "time in ms"]) expect(svg).toContain(text);
    expect(svg).toMatch(/^<svg /);
  });

  test("of lines draws what it is given, the same each time", () => {
    const draw = () =>
      linesPicture(
        { name: "p8", title: "Calls" },
        {
          x: { name: "subscribers" },
          y: { name: "calls" },
          lines: [
            {
              name: "queues",
              points: [
                [1, 2],
                [10, 20],
              ],
            },
          ],
        },
      );
    expect(draw().svg).toBe(draw().svg);
    expect(draw().svg).toContain("queues");
  });
});
