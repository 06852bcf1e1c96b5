import { describe, expect, test } from "vitest";
import type { TableCalls } from "../../../functions/runtime/aws/calls.ts";
import { answerTimesMethods } from "../../../functions/runtime/dynamo/answer-times.ts";
import { DynamoTable, type Item } from "../../../functions/runtime/dynamo/table.ts";
import { ANSWER_TIME_BINS, answerTimesOf } from "../../../shared/wait-policy/answer-times.ts";
import { planReads } from "../../../shared/wait-policy/read-plan.ts";

const NOW_SECONDS = 1_000;

/** The store on a table that holds just this item, and the updates that it is given. */
function tableWith(item: Item | undefined) {
  const updates: unknown[] = [];
  const calls = {
    getItem: async (input: unknown) => {
      updates.push(input);
      return { Item: item };
    },
    updateItem: async (input: unknown) => {
      updates.push(input);
      return { Attributes: item };
    },
  } as unknown as TableCalls;
  return { store: answerTimesMethods(new DynamoTable(calls, "table"), () => NOW_SECONDS), updates };
}

const alive = { expires_at: { N: "2000" } };
const N = (value: string): { N: string } => ({ N: value });

describe("answer times in the table", () => {
  test.each<[string, Item]>([
    ["counts that are no numbers", { b3: { S: "many" }, b4: { BOOL: true }, b5: { L: [] }, b6: { NULL: true } }],
    ["counts that are none", { b3: N("-1"), b4: N("0"), b5: N("0.5"), b6: N("NaN"), b7: N("1e40") }],
    [
      "bins that there are not",
      { [`b${ANSWER_TIME_BINS}`]: N("5"), b999: N("5"), b1000: N("5"), b: N("5"), bx: N("5") },
    ],
    ["other attributes", { answers: N("5"), B7: N("5"), " b7": N("5"), "b7 ": N("5"), __proto__x: N("5") }],
    ["an expiry that is no number", { b3: N("5"), expires_at: { S: "never" } }],
    ["no expiry", { b3: N("5"), expires_at: { NULL: true } }],
  ])("are left out where an item has %s", async (_, damage) => {
    const { times } = await tableWith({ ...alive, ...damage }).store.getAnswerTimes("T");
    expect([...times]).toEqual([]);
    expect(planReads(times)).toBeNull();
  });

  test("are what is left of an item that is damaged in part", async () => {
    const item = { ...alive, b30: N("7"), b31: { S: "x" }, version: { S: "x" } };
    expect(await tableWith(item).store.getAnswerTimes("T")).toEqual({ times: new Map([[30, 7]]), version: 0 });
    expect(await tableWith({ ...item, version: N("3") }).store.addAnswerTimes("T", new Map([[1, 1]]), 2_000)).toEqual({
      times: new Map([[30, 7]]),
      version: 3,
    });
  });

  test("that have expired are not known any more, and nor are those of a type that nobody has told of", async () => {
    const nothing = { times: new Map(), version: 0 };
    expect(await tableWith({ b30: N("7"), expires_at: N("1000") }).store.getAnswerTimes("T")).toEqual(nothing);
    expect(await tableWith(undefined).store.getAnswerTimes("T")).toEqual(nothing);
  });

  test("are read at half the price, and told in one write however many there are", async () => {
    const { store, updates } = tableWith(alive);
    await store.getAnswerTimes("T");
    expect(updates).toMatchObject([{ ConsistentRead: false }]);
    const all = answerTimesOf(Array.from({ length: ANSWER_TIME_BINS }, (_, bin) => 2 ** ((bin + 0.5) / 4)));
    expect(all.size).toBe(ANSWER_TIME_BINS);
    await store.addAnswerTimes("T", all, 2_000);
    expect(updates).toHaveLength(2);
    // What DynamoDB takes of an expression.
    expect((updates[1] as { UpdateExpression: string }).UpdateExpression.length).toBeLessThan(4_096);
  });
});
