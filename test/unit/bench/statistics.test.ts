import { describe, expect, test } from "vitest";
import { inTurn } from "../../../bench/measure/in-turn.ts";
import { median, quantile, summarize } from "../../../bench/measure/statistics.ts";

describe("what was measured, in a few numbers", () => {
  test("the median of an even number of values lies between the two in the middle", () => {
    expect(median([4, 1, 3, 2])).toBe(2.5);
    expect(median([7])).toBe(7);
  });

  test("a quantile lies between its neighbours, in proportion", () => {
    expect(quantile([0, 10], 0.99)).toBeCloseTo(9.9);
    expect(quantile([30, 10, 20], 0)).toBe(10);
    expect(quantile([30, 10, 20], 1)).toBe(30);
  });

  test("nothing has no quantile", () => {
    expect(() => quantile([], 0.5)).toThrow("no quantile of nothing");
  });

  test("one value that is far off moves neither the median nor the middle half", () => {
    const calm = summarize([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(summarize([1, 2, 3, 4, 5, 6, 7, 8, 9_000])).toEqual(calm);
  });
});

describe("things that are measured in turn", () => {
  test("each has one result a round, and no warm-up among them", async () => {
    let calls = 0;
    const results = await inTurn({ a: async () => ++calls, b: async () => ++calls }, { rounds: 3, warmUps: 2 });
    expect(results.a).toHaveLength(3);
    expect(results.b).toHaveLength(3);
    expect(Math.min(...results.a, ...results.b)).toBe(5);
  });

  test("none is always the first", async () => {
    const order: string[] = [];
    const say = (name: string) => async () => {
      order.push(name);
    };
    await inTurn({ a: say("a"), b: say("b"), c: say("c") }, { rounds: 3, warmUps: 0 });
    expect(order.join("")).toBe("abcbcacab");
  });
});
