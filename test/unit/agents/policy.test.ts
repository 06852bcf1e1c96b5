import { describe, expect, it } from "vitest";
import { allows, DEFAULT_POLICY } from "../../../shared/agents/policy.ts";

describe("the event types of a policy", () => {
  it.each([
    [["ORDER_PLACED"], "ORDER_PLACED", true],
    [["ORDER_PLACED"], "ORDER_PLACED_AGAIN", false],
    [["ORDER_PLACED"], "ORDER", false],
    [["ORDER_*"], "ORDER_PLACED", true],
    [["ORDER_*"], "ORDER_", true],
    [["ORDER_*"], "ORDER", false],
    [["ORDER_*"], "REORDER_PLACED", false],
    [["*"], "ANYTHING", true],
    [["INVOICE_*", "ORDER_PLACED"], "ORDER_PLACED", true],
    [[], "ORDER_PLACED", false],
  ])("%j: is %s among them? %s", (names, type, isAmong) => {
    expect(allows({ ...DEFAULT_POLICY, emit: names }, "emit", type)).toBe(isAmong);
  });

  it("are named for each right by itself", () => {
    const policy = { ...DEFAULT_POLICY, emit: ["ORDER_*"], subscribe: [], answer: ["*"], read: ["INVOICE_SENT"] };
    const rights = ["emit", "subscribe", "answer", "read"] as const;
    expect(rights.map((right) => allows(policy, right, "ORDER_PLACED"))).toEqual([true, false, true, false]);
  });
});
