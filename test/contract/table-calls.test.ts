/** Calls that DynamoDB answers in a certain way, or refuses: the embedded table does as dynalite, a DynamoDB by others, does. */
import type { AttributeValue, BatchGetItemInput, QueryInput, UpdateItemInput } from "@aws-sdk/client-dynamodb";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { TableCalls } from "../../functions/runtime/aws/calls.ts";
import type { OpenTable } from "../../local/table/open.ts";
import { TABLE_NAME } from "../../local/table.ts";
import { type DynaliteTable, openDynaliteTable } from "../support/dynalite-table.ts";
import { openEmbeddedTable } from "../support/embedded-store.ts";

type Item = Record<string, AttributeValue>;

let ours: OpenTable;
let dynalite: DynaliteTable;
beforeAll(async () => {
  ours = await openEmbeddedTable();
  dynalite = await openDynaliteTable();
});
afterAll(async () => {
  await ours.close();
  await dynalite.close();
});

/** What a call gives; of a failure its name, which is all that its callers go by. */
async function outcome(call: (table: TableCalls) => Promise<object>, table: TableCalls): Promise<unknown> {
  try {
    return withoutOrder(await call(table));
  } catch (error) {
    return (error as Error).name;
  }
}

/** Members of sets come in any order. */
const withoutOrder = (answer: object): unknown =>
  JSON.parse(JSON.stringify(answer, (name, value) => (name === "SS" || name === "NS" ? [...value].sort() : value)));

async function expectSame(call: (table: TableCalls) => Promise<object>): Promise<unknown> {
  const [found, expected] = [await outcome(call, ours.calls), await outcome(call, dynalite.calls)];
  expect(found).toEqual(expected);
  return found;
}

const key = (pk: string, sk: string): Item => ({ pk: { S: pk }, sk: { S: sk } });
const KEY = key("calls", "x");
const STANDING: Item = {
  ...KEY,
  n: { N: "5" },
  s: { S: "text" },
  b: { BOOL: true },
  z: { NULL: true },
  members: { SS: ["one", "two"] },
  parts: { L: [{ N: "1" }, { S: "x" }] },
  parts_by_name: { M: { a: { N: "1.0" } } },
  work_pk: { S: "w" },
  work_sk: { S: "1" },
};

const put =
  (Item: Item, more: object = {}) =>
  (table: TableCalls) =>
    table.putItem({ TableName: TABLE_NAME, Item, ...more });
const get = (Key: Item) => (table: TableCalls) => table.getItem({ TableName: TABLE_NAME, Key, ConsistentRead: true });
const values = (given: Record<string, AttributeValue>) => ({ ExpressionAttributeValues: given });

describe("a condition", () => {
  beforeAll(async () => {
    await expectSame(put(STANDING));
  });

  test.each<[string, Record<string, AttributeValue>, Record<string, string>?]>([
    ["n = :v", { ":v": { N: "5.0" } }],
    ["n <> :v", { ":v": { N: "5e0" } }],
    ["n < :v", { ":v": { N: "10" } }],
    ["n < :v", { ":v": { S: "9" } }],
    ["n <> :v", { ":v": { S: "5" } }],
    ["absent_one <> :v", { ":v": { S: "5" } }],
    ["absent_one = :v", { ":v": { S: "5" } }],
    ["NOT absent_one = :v", { ":v": { S: "5" } }],
    ["not (s = :v)", { ":v": { S: "text" } }],
    ["s >= :v and s <= :v", { ":v": { S: "text" } }],
    ["s = :v OR absent_one = :v AND absent_one = :v", { ":v": { S: "text" } }],
    ["(s = :v OR absent_one = :v) AND absent_one = :v", { ":v": { S: "text" } }],
    ["b = :v", { ":v": { BOOL: true } }],
    ["b <> :v", { ":v": { BOOL: true } }],
    ["z = :v", { ":v": { NULL: true } }],
    ["members = :v", { ":v": { SS: ["two", "one"] } }],
    [":v = :v", { ":v": { S: "x" } }],
    [":v = s", { ":v": { S: "text" } }],
    ["s BETWEEN :low AND :high", { ":low": { S: "a" }, ":high": { S: "z" } }],
    ["s between :low and :high", { ":low": { S: "z" }, ":high": { S: "a" } }],
    ["s BETWEEN :low AND :high", { ":low": { N: "1" }, ":high": { S: "z" } }],
    ["n BETWEEN :low AND :high", { ":low": { N: "-1" }, ":high": { N: "5" } }],
    ["begins_with(s, :v)", { ":v": { S: "te" } }],
    ["begins_with(s, :v)", { ":v": { S: "xt" } }],
    ["begins_with(s, :v)", { ":v": { N: "1" } }],
    ["begins_with(n, :v)", { ":v": { S: "5" } }],
    ["begins_with(s)", {}],
    ["attribute_exists(s)", {}],
    ["attribute_exists(toString)", {}],
    ["attribute_not_exists(s)", {}],
    ["attribute_exists(:v)", { ":v": { S: "s" } }],
    ["s = :v", {}],
    ["s = :v", { ":v": { S: "text" }, ":unused": { S: "text" } }],
    ["#s = :v", { ":v": { S: "text" } }, { "#s": "s" }],
    ["#missing = :v", { ":v": { S: "text" } }, { "#s": "s" }],
    ["s = :v", { ":v": { S: "text" } }, { "#s": "s" }],
    ["s = :v", { ":v": {} as AttributeValue }],
    ["s = :v", { ":v": { S: "x", N: "1" } as unknown as AttributeValue }],
    ["n = :v", { ":v": { N: "five" } }],
    ["n = :v", { ":v": { N: "" } }],
    ["n = :v", { ":v": { N: "123456789012345678901234567890123456789" } }],
    ["n < :v", { ":v": { N: "1e126" } }],
    ["n > :v", { ":v": { N: "1e-131" } }],
    ["s = ", {}],
    ["", {}],
    ["s == :v", { ":v": { S: "text" } }],
    ["(s = :v", { ":v": { S: "text" } }],
    ["s = :v)", { ":v": { S: "text" } }],
    ["s = :v AND", { ":v": { S: "text" } }],
    ["s ! :v", { ":v": { S: "text" } }],
  ])("%s with %j", async (ConditionExpression, given, names) => {
    const condition = {
      ConditionExpression,
      ...(Object.keys(given).length === 0 ? {} : values(given)),
      ...(names === undefined ? {} : { ExpressionAttributeNames: names }),
    };
    await expectSame(put(STANDING, condition));
  });
});

describe("an update", () => {
  const update =
    (input: Partial<UpdateItemInput>, Key = KEY) =>
    (table: TableCalls) =>
      table.updateItem({ TableName: TABLE_NAME, Key, ReturnValues: "ALL_NEW", ...input });

  test.each<[string, Record<string, AttributeValue>, Partial<UpdateItemInput>?]>([
    ["SET n = n + :v", { ":v": { N: "0.1" } }],
    ["SET n = n - :v, s = :s", { ":v": { N: "7" }, ":s": { S: "other" } }],
    ["SET n = :v + n", { ":v": { N: "-5" } }],
    ["SET n = s + :v", { ":v": { N: "1" } }],
    ["SET n = n + :v", { ":v": { S: "1" } }],
    ["SET n = absent_one + :v", { ":v": { N: "1" } }],
    ["SET n = if_not_exists(absent_one, :v) + :v", { ":v": { N: "1" } }],
    ["SET another = if_not_exists(s, :v)", { ":v": { N: "1" } }],
    ["SET another = s, s = :v", { ":v": { S: "after" } }],
    ["SET n = :v", { ":v": { N: "0012.3400" } }],
    ["SET n = :v", { ":v": { N: "1.5e3" } }],
    ["SET n = :v", { ":v": { N: "-0" } }],
    ["SET parts = :v", { ":v": { L: [{ N: "01" }, { M: { __proto: { S: "x" } } }] } }],
    ["SET toString = :v", { ":v": { S: "x" } }],
    ["ADD n :v", { ":v": { N: "0.20" } }],
    ["ADD absent_one :v", { ":v": { N: "3" } }],
    ["ADD absent_one :v", { ":v": { SS: ["a"] } }],
    ["ADD members :v", { ":v": { SS: ["two", "three"] } }],
    ["ADD members :v", { ":v": { N: "1" } }],
    ["ADD s :v", { ":v": { SS: ["x"] } }],
    ["ADD n :v", { ":v": { S: "1" } }],
    ["ADD n :v", { ":v": { SS: [] } }],
    ["ADD members :v", { ":v": { SS: ["a", "a"] } }],
    ["DELETE members :v", { ":v": { SS: ["two", "three"] } }],
    ["DELETE members :v", { ":v": { SS: ["one", "two"] } }],
    ["DELETE absent_one :v", { ":v": { SS: ["one"] } }],
    ["DELETE n :v", { ":v": { SS: ["one"] } }],
    ["REMOVE n, absent_one, work_pk", {}],
    ["remove n set s = :v", { ":v": { S: "x" } }],
    ["SET n = :v REMOVE n", { ":v": { N: "1" } }],
    ["SET n = :v, n = :v", { ":v": { N: "1" } }],
    ["SET n = :v SET s = :v", { ":v": { N: "1" } }],
    ["SET pk = :v", { ":v": { S: "x" } }],
    ["REMOVE sk", {}],
    ["SET work_sk = :v", { ":v": { N: "1" } }],
    ["SET work_sk = :v", { ":v": { S: "2" } }],
    ["SET n = :v", {}],
    ["SET n = :v", { ":v": { N: "1" }, ":unused": { N: "1" } }],
    ["SET", {}],
    ["SET n", {}],
    ["", {}],
    ["CHANGE n = :v", { ":v": { N: "1" } }],
    ["SET n = :v,", { ":v": { N: "1" } }],
    ["SET n = n + :v", { ":v": { N: "1" } }, { ReturnValues: "UPDATED_NEW" }],
    ["REMOVE n", {}, { ReturnValues: "NONE" }],
    ["SET n = :v", { ":v": { N: "1" } }, { ConditionExpression: "n = :v" }],
    ["SET n = :v", { ":v": { N: "5" } }, { ConditionExpression: "n = :v" }],
    ["ADD n :v", { ":v": { N: "1" } }, { Key: key("calls", "fresh") }],
    ["ADD n :v", { ":v": { N: "1" } }, { Key: { pk: { S: "calls" } } }],
    ["ADD n :v", { ":v": { N: "1" } }, { Key: { ...KEY, more: { S: "x" } } }],
    ["ADD n :v", { ":v": { N: "1" } }, { Key: key("calls", "") }],
    ["ADD n :v", { ":v": { N: "1" } }, { Key: { pk: { S: "calls" }, sk: { N: "1" } } }],
  ])("%s with %j and %j", async (UpdateExpression, given, more = {}) => {
    await expectSame((table) => table.deleteItem({ TableName: TABLE_NAME, Key: key("calls", "fresh") }));
    await expectSame(put(STANDING));
    const input = { UpdateExpression, ...(Object.keys(given).length === 0 ? {} : values(given)), ...more };
    const { Key = KEY } = more;
    await expectSame(update(input, Key));
    if (Object.keys(Key).length === 2 && Key["sk"]?.S !== "" && Key["sk"]?.N === undefined) await expectSame(get(Key));
    await expectSame((table) =>
      table.query({
        TableName: TABLE_NAME,
        IndexName: "work",
        KeyConditionExpression: "work_pk = :w",
        ...values({ ":w": { S: "w" } }),
      }),
    );
  });

  test("without an expression makes the item, and changes nothing of one that is there", async () => {
    await expectSame(put(STANDING));
    await expectSame(update({}));
    await expectSame(update({}, key("calls", "made")));
    await expectSame(get(key("calls", "made")));
  });
});

describe("items", () => {
  test.each<[string, Item]>([
    ["without a sort key", { pk: { S: "x" } }],
    ["with an empty key", key("", "x")],
    ["with a number for a key", { pk: { N: "1" }, sk: { S: "x" } }],
    ["with a place in an index that is a number", { ...KEY, work_pk: { S: "w" }, work_sk: { N: "1" } }],
    ["with half a place in an index", { ...KEY, work_pk: { S: "w" } }],
    ["with an empty text", { ...KEY, s: { S: "" } }],
    ["with an empty set", { ...KEY, set: { SS: [] } }],
    ["with a set that has one member twice", { ...KEY, set: { SS: ["a", "a"] } }],
    ["with numbers of many kinds", { ...KEY, a: { N: "1e3" }, b: { N: "-0.50" }, c: { N: "007" }, d: { N: ".5" } }],
    ["with a set of numbers", { ...KEY, set: { NS: ["1", "02", "3.0"] } }],
    ["with a value of no type", { ...KEY, s: {} as AttributeValue }],
    ["with lists in maps", { ...KEY, m: { M: { l: { L: [{ M: {} }, { L: [] }, { NULL: true }] } } } }],
    ["with names that every object has", JSON.parse('{"pk":{"S":"calls"},"sk":{"S":"x"},"constructor":{"S":"x"}}')],
  ])("%s", async (_, item) => {
    await expectSame(put(item));
    await expectSame(get(KEY));
  });

  test("come back in a batch, those that are there, and not more than a hundred, each once", async () => {
    const batch = (Keys: Item[]) => async (table: TableCalls) => {
      const input: BatchGetItemInput = { RequestItems: { [TABLE_NAME]: { Keys, ConsistentRead: true } } };
      const { Responses, UnprocessedKeys } = await table.batchGetItem(input);
      const found = Responses?.[TABLE_NAME] ?? [];
      return { found: found.map((item) => JSON.stringify(item)).sort(), UnprocessedKeys };
    };
    const many = Array.from({ length: 101 }, (_, n) => key("batch", String(n)));
    for (const item of many.slice(0, 60)) await expectSame(put(item));
    expect(await expectSame(batch(many.slice(30, 90)))).toMatchObject({ found: { length: 30 } });
    expect(await expectSame(batch(many))).toBe("ValidationException");
    expect(await expectSame(batch([...many.slice(0, 2), ...many.slice(0, 1)]))).toBe("ValidationException");
    expect(await expectSame(batch([]))).toBe("ValidationException");
    expect(await expectSame((table) => table.getItem({ TableName: "other", Key: KEY }))).toBe(
      "ResourceNotFoundException",
    );
  });

  test("go when they are deleted, from the indexes too, if the condition holds", async () => {
    await expectSame(put(STANDING));
    const remove = (more: object) => (table: TableCalls) =>
      table.deleteItem({ TableName: TABLE_NAME, Key: KEY, ...more });
    expect(await expectSame(remove({ ConditionExpression: "attribute_not_exists(s)" }))).toBe(
      "ConditionalCheckFailedException",
    );
    await expectSame(remove({ ConditionExpression: "s = :s", ...values({ ":s": { S: "text" } }) }));
    await expectSame(get(KEY));
    await expectSame(remove({}));
  });
});

describe("a query", () => {
  const query = (input: Partial<QueryInput>) => (table: TableCalls) =>
    table.query({
      TableName: TABLE_NAME,
      KeyConditionExpression: "pk = :p",
      ...values({ ":p": { S: "q" } }),
      ...input,
    });
  const p = { ":p": { S: "q" } };

  beforeAll(async () => {
    for (const [n, sk] of ["a", "a#", "a#b", "ab", "b", "c"].entries())
      await expectSame(put({ ...key("q", sk), n: { N: String(n) }, work_pk: { S: "q" }, work_sk: { S: sk } }));
  });

  test.each<[string, Partial<QueryInput>]>([
    ["backwards", { ScanIndexForward: false }],
    ["counted, with a limit", { Select: "COUNT", Limit: 2 }],
    ["with the limit that it reaches", { Limit: 6 }],
    ["with a limit before a filter", { Limit: 3, FilterExpression: "n > :n", ...values({ ...p, ":n": { N: "1" } }) }],
    ["with a filter that leaves nothing", { FilterExpression: "n > :n", ...values({ ...p, ":n": { N: "9" } }) }],
    ["with no limit at all", { Limit: 0 }],
    ["the other way round", { KeyConditionExpression: "sk > :s AND pk = :p", ...values({ ...p, ":s": { S: "ab" } }) }],
    ["with brackets", { KeyConditionExpression: "(pk = :p) AND (sk = :s)", ...values({ ...p, ":s": { S: "ab" } }) }],
    [
      "that begins with a text",
      { KeyConditionExpression: "pk = :p AND begins_with(sk, :s)", ...values({ ...p, ":s": { S: "a#" } }) },
    ],
    [
      "between two",
      {
        KeyConditionExpression: "pk = :p AND sk BETWEEN :s AND :t",
        ...values({ ...p, ":s": { S: "a#" }, ":t": { S: "b" } }),
      },
    ],
    [
      "between two, the wrong way round",
      {
        KeyConditionExpression: "pk = :p AND sk BETWEEN :t AND :s",
        ...values({ ...p, ":s": { S: "a#" }, ":t": { S: "b" } }),
      },
    ],
    ["without a partition", { KeyConditionExpression: "sk = :p" }],
    ["of many partitions", { KeyConditionExpression: "pk > :p" }],
    ["of another attribute", { KeyConditionExpression: "pk = :p AND n = :n", ...values({ ...p, ":n": { N: "1" } }) }],
    ["of one of two", { KeyConditionExpression: "pk = :p OR sk = :p" }],
    ["that leaves one out", { KeyConditionExpression: "pk = :p AND sk <> :p" }],
    ["with three conditions", { KeyConditionExpression: "pk = :p AND sk > :p AND sk < :p" }],
    ["of a number", { ...values({ ":p": { N: "1" } }) }],
    ["with a value too many", { ...values({ ...p, ":more": { S: "x" } }) }],
    ["filtered by a key", { FilterExpression: "sk > :p" }],
    ["of no index", { IndexName: "by_nothing" }],
    ["of an index, consistently", { IndexName: "work", KeyConditionExpression: "work_pk = :p", ConsistentRead: true }],
    ["of an index", { IndexName: "work", KeyConditionExpression: "work_pk = :p", Limit: 2 }],
    [
      "of an index, filtered",
      {
        IndexName: "work",
        KeyConditionExpression: "work_pk = :p",
        FilterExpression: "sk > :s",
        ...values({ ...p, ":s": { S: "ab" } }),
      },
    ],
    ["from an item on", { ExclusiveStartKey: key("q", "a#") }],
    ["from an item on that is not there, backwards", { ExclusiveStartKey: key("q", "a#a"), ScanIndexForward: false }],
    ["from an item of another partition on", { ExclusiveStartKey: key("r", "a#") }],
    ["from half a key on", { ExclusiveStartKey: { pk: { S: "q" } } }],
    [
      "from an item on that it could not find",
      {
        KeyConditionExpression: "pk = :p AND sk > :s",
        ...values({ ...p, ":s": { S: "b" } }),
        ExclusiveStartKey: key("q", "a"),
      },
    ],
    [
      "of an index from a key on that is only the item's",
      { IndexName: "work", KeyConditionExpression: "work_pk = :p", ExclusiveStartKey: key("q", "a") },
    ],
  ])("%s", async (_, input) => {
    await expectSame(query(input));
  });
});

test("keys of any characters stand apart, are found by themselves alone, and are read in one order", async () => {
  const part = fc
    .array(fc.constantFrom("\u0000", "\u0001", "a", "#", "~", "/", "ä", "\uFFFF", "\u{1F600}", "0"), {
      minLength: 1,
      maxLength: 3,
    })
    .map((characters) => characters.join(""));
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(fc.tuple(part, part), { minLength: 2, maxLength: 12 }), part, async (keys, low) => {
      for (const [pk, sk] of keys)
        await expectSame(put({ ...key(pk, sk), work_pk: { S: pk }, work_sk: { S: sk }, of: { S: `${pk} ${sk}` } }));
      for (const [pk, sk] of keys) await expectSame(get(key(pk, sk)));
      for (const [pk] of keys)
        for (const [IndexName, a, b] of [[undefined, "pk", "sk"] as const, ["work", "work_pk", "work_sk"] as const])
          for (const condition of [`${b} >= :low`, `${b} < :low`, `begins_with(${b}, :low)`])
            await expectSame((table) =>
              table.query({
                TableName: TABLE_NAME,
                ...(IndexName === undefined ? {} : { IndexName }),
                KeyConditionExpression: `${a} = :pk AND ${condition}`,
                ...values({ ":pk": { S: pk }, ":low": { S: low } }),
              }),
            );
      for (const [pk, sk] of keys)
        await expectSame((table) => table.deleteItem({ TableName: TABLE_NAME, Key: key(pk, sk) }));
    }),
    { numRuns: 12 },
  );
});

/** https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.OperatorsAndFunctions.html */
describe("what dynalite lets by is refused as on AWS", () => {
  const refuses = (call: (table: TableCalls) => Promise<object>) =>
    expect(call(ours.calls)).rejects.toMatchObject({ name: "ValidationException" });

  test.each<[string, AttributeValue]>([
    ["b < :v", { BOOL: true }],
    ["members > :v", { SS: ["two"] }],
  ])("a comparison of what has no order: %s", async (ConditionExpression, value) => {
    await refuses(put(STANDING, { ConditionExpression, ...values({ ":v": value }) }));
  });

  test("a query of an empty key", async () => {
    const input = { TableName: TABLE_NAME, KeyConditionExpression: "pk = :p", ...values({ ":p": { S: "" } }) };
    await refuses((table) => table.query(input));
  });
});

describe("what the embedded table does not know", () => {
  test.each([
    ["another field", { ReturnItemCollectionMetrics: "SIZE" }],
    ["the item before", { ReturnValues: "ALL_OLD" }],
    ["another function", { ConditionExpression: "contains(s, :v)", ...values({ ":v": { S: "x" } }) }],
    ["a path into a map", { ConditionExpression: "parts_by_name.a = :v", ...values({ ":v": { S: "x" } }) }],
  ])("is refused by its name: %s", async (_, more) => {
    await expect(put(STANDING, more)(ours.calls)).rejects.toMatchObject({ name: "ValidationException" });
  });

  test("is half a character in a key", async () => {
    await expect(put(key("\ud800", "x"))(ours.calls)).rejects.toMatchObject({ name: "ValidationException" });
  });
});
