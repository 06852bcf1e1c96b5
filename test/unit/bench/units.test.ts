/** What is counted of DynamoDB is what it bills. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type MeteredStore, startMeteredStore } from "../../../bench/counted/metered-store.ts";
import { createTally } from "../../../bench/counted/tally.ts";
import {
  type Item,
  itemBytes,
  unitsOfRead,
  unitsOfRefusal,
  unitsOfWrite,
  writeUnits,
} from "../../../bench/counted/units.ts";
import { TABLE_NAME } from "../../../local/table.ts";

const KEY: Item = { pk: { S: "a" }, sk: { S: "b" } };
const filled = (bytes: number): Item => ({ ...KEY, x: { S: "x".repeat(bytes - itemBytes(KEY) - 1) } });
const WORK = { work_pk: { S: "w" }, work_sk: { S: "1" } };
const HISTORY = { type_pk: { S: "t" }, time_sk: { S: "1" }, type: { S: "PING" } };

describe("the size of an item", () => {
  test.each<[string, Item, number]>([
    ["names and texts, in UTF-8", { name: { S: "grün" } }, 4 + 5],
    ["numbers, two digits a byte and one more", { n: { N: "12345" } }, 1 + 4],
    ["numbers without the zeros at their ends", { n: { N: "1200" } }, 1 + 2],
    ["negative numbers, one more", { n: { N: "-12" } }, 1 + 3],
    ["booleans", { b: { BOOL: true } }, 1 + 1],
    ["sets of texts", { s: { SS: ["ab", "c"] } }, 1 + 3],
  ])("counts %s", (_, item, bytes) => {
    expect(itemBytes(item)).toBe(bytes);
  });
});

describe("units", () => {
  test("are 1 KB of a write and 4 KB of a read, begun ones whole; a read that may be stale is half", () => {
    expect([0, 1, 1_024, 1_025].map(unitsOfWrite)).toEqual([1, 1, 1, 2]);
    expect([0, 4_096, 4_097].map((bytes) => unitsOfRead(bytes, true))).toEqual([1, 1, 2]);
    expect(unitsOfRead(4_097, false)).toBe(1);
  });

  test("of a write go by the larger of what was there and what is", () => {
    expect(writeUnits({ before: filled(3_000), after: KEY })).toEqual({ table: 3 });
    expect(writeUnits({ before: null, after: filled(1_025) })).toEqual({ table: 2 });
    expect(writeUnits({ before: filled(2_048), after: null })).toEqual({ table: 2 });
  });

  test("of a write that was refused go by what stands there", () => {
    expect(unitsOfRefusal(filled(2_000))).toEqual({ table: 2 });
    expect(unitsOfRefusal(null)).toEqual({ table: 1 });
  });

  test("of an index are one where an entry comes or goes, two where it moves, none where it stays as it is", () => {
    const worked = { ...KEY, ...WORK };
    expect(writeUnits({ before: null, after: worked })).toEqual({ table: 1, work: 1 });
    expect(writeUnits({ before: worked, after: KEY })).toEqual({ table: 1, work: 1 });
    expect(writeUnits({ before: worked, after: { ...worked, work_sk: { S: "2" } } })).toEqual({ table: 1, work: 2 });
    expect(writeUnits({ before: worked, after: { ...worked, note: { S: "x" } } })).toEqual({ table: 1 });
  });

  test("of an index that carries more than its keys are one where that changes", () => {
    const before = { ...KEY, ...HISTORY };
    expect(writeUnits({ before, after: { ...before, type: { S: "PONG" } } })).toEqual({ table: 1, by_type: 1 });
  });

  test("of an item that has half a key of an index are none of it", () => {
    expect(writeUnits({ before: null, after: { ...KEY, work_pk: { S: "w" } } })).toEqual({ table: 1 });
  });
});

describe("a store that counts", () => {
  const tally = createTally();
  let store: MeteredStore;
  beforeAll(async () => {
    store = await startMeteredStore(tally);
  });
  afterAll(() => store.close());

  const call = async (operation: string, input: object): Promise<Record<string, unknown>> => {
    const { body } = await store.call(operation, JSON.stringify({ TableName: TABLE_NAME, ...input }));
    return JSON.parse(body) as Record<string, unknown>;
  };

  test.each([[500], [1_100], [5_000], [40_000]])(
    "counts for %i bytes as many units as the embedded store does",
    async (bytes) => {
      const item = { ...filled(bytes), n: { N: "1780315200" }, done: { BOOL: false } };
      tally.take();
      const put = await call("PutItem", { Item: item, ReturnConsumedCapacity: "TOTAL" });
      const got = await call("GetItem", { Key: KEY, ConsistentRead: true, ReturnConsumedCapacity: "TOTAL" });
      const { calls, writeUnits, readUnits } = tally.take();
      expect(calls).toEqual({ "dynamodb PutItem": 1, "dynamodb GetItem": 1 });
      expect(writeUnits.table).toBe((put["ConsumedCapacity"] as { CapacityUnits: number }).CapacityUnits);
      expect(readUnits).toBe((got["ConsumedCapacity"] as { CapacityUnits: number }).CapacityUnits);
    },
  );

  test("counts a refused write by what stands there, and changes nothing", async () => {
    await call("PutItem", { Item: filled(2_000) });
    tally.take();
    const refused = await call("PutItem", { Item: KEY, ConditionExpression: "attribute_not_exists(pk)" });
    expect(refused["__type"]).toContain("ConditionalCheckFailed");
    expect(tally.take().writeUnits).toEqual({ table: 2 });
  });

  test("counts all that a query reads, also what its filter leaves out", async () => {
    for (const sk of ["1", "2", "3"])
      await call("PutItem", { Item: { ...filled(3_000), pk: { S: "q" }, sk: { S: sk }, n: { N: sk } } });
    tally.take();
    const found = await call("Query", {
      KeyConditionExpression: "pk = :pk",
      FilterExpression: "#n = :n",
      ExpressionAttributeNames: { "#n": "n" },
      ExpressionAttributeValues: { ":pk": { S: "q" }, ":n": { N: "2" } },
      ConsistentRead: true,
    });
    expect(found["Count"]).toBe(1);
    expect(tally.take()).toMatchObject({ calls: { "dynamodb Query": 1 }, readUnits: 3 });
  });
});
