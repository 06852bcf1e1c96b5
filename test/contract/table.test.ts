import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { AttributeValue, QueryInput, UpdateItemInput } from "@aws-sdk/client-dynamodb";
import fc from "fast-check";
import { Level } from "level";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { TableCalls } from "../../functions/runtime/aws/calls.ts";
import { type OpenTable, openTable } from "../../local/table/open.ts";
import { embeddedCalls, TABLE_NAME } from "../../local/table.ts";
import { TABLE } from "../../shared/keys.ts";
import { type DynaliteTable, openDynaliteTable } from "../support/dynalite-table.ts";
import { openEmbeddedTable } from "../support/embedded-store.ts";

type Item = Record<string, AttributeValue>;

/** One call, and which. */
type Call =
  | { readonly kind: "put"; readonly item: Item; readonly condition: string | undefined }
  | { readonly kind: "update"; readonly key: Item; readonly update: UpdateItemInput }
  | { readonly kind: "delete" | "get"; readonly key: Item }
  | { readonly kind: "query"; readonly query: QueryInput };

// So few that they meet; one is the beginning of another.
const PARTS = ["a", "ab", "b", "b#1", "ä", "\u{1F600}"];
const TIMES = ["2026-01-01T00:00:00.000Z#1", "2026-01-01T00:00:00.000Z#2", "2026-01-02T00:00:00.000Z#1"];

const text = (values: readonly string[]) => fc.constantFrom(...values).map((S): AttributeValue => ({ S }));
const number = fc.integer({ min: -3, max: 12 }).map((N): AttributeValue => ({ N: String(N) }));
const key = fc.record({ pk: text(["x", "y"]), sk: text(PARTS) });

const item = fc
  .record({
    key,
    more: fc.record(
      {
        work_pk: text(["w"]),
        work_sk: text(TIMES),
        type_pk: text(["t"]),
        time_sk: text(TIMES),
        type: text(PARTS),
        answers: number,
        state: text(["PENDING", "DONE"]),
        published: fc.boolean().map((BOOL): AttributeValue => ({ BOOL })),
        names: fc.constant<AttributeValue>({ SS: ["one"] }),
      },
      { requiredKeys: [] },
    ),
  })
  .map(({ key, more }): Item => ({ ...key, ...more }));

const VALUES: Record<string, AttributeValue> = {
  ":three": { N: "3" },
  ":pending": { S: "PENDING" },
  ":a": { S: "a" },
  ":false": { BOOL: false },
  ":later": { S: TIMES[1] as string },
};
/** What a text names of them, as DynamoDB wants it: no more. */
const valuesIn = (...texts: readonly (string | undefined)[]): Record<string, AttributeValue> =>
  Object.fromEntries(Object.entries(VALUES).filter(([name]) => texts.some((t) => t?.match(`${name}\\b`))));
const optional = <T extends object>(values: T, name: string): object =>
  Object.keys(values).length === 0 ? {} : { [name]: values };
const STATE = { "#state": "state" };

const CONDITIONS = [
  undefined,
  "attribute_not_exists(pk) OR answers <= :three",
  "attribute_exists(pk)",
  "#state = :pending AND answers = :three",
  "#state <> :pending",
  "published = :false AND (answers > :three OR answers < :three)",
  "work_sk >= :later",
];
const UPDATES = [
  "SET published = :false REMOVE work_pk, work_sk",
  "SET work_sk = :later",
  "ADD answers :three",
  "SET answers = :three, #state = :pending",
  "SET noted = :a ADD answers :three",
];

const update = fc
  .record({
    UpdateExpression: fc.constantFrom(...UPDATES),
    ConditionExpression: fc.constantFrom(...CONDITIONS),
    ReturnValues: fc.constantFrom("ALL_NEW" as const, "UPDATED_NEW" as const, "NONE" as const),
  })
  .map(
    (input) =>
      ({
        ...input,
        ...namesIn(input.UpdateExpression, input.ConditionExpression),
        ...optional(valuesIn(input.UpdateExpression, input.ConditionExpression), "ExpressionAttributeValues"),
      }) as UpdateItemInput,
  );

const namesIn = (...texts: readonly (string | undefined)[]): object =>
  texts.some((t) => t?.includes("#state")) ? { ExpressionAttributeNames: STATE } : {};

const SORTS = ["", " > :low", " < :low", " >= :low", " <= :low", " = :low", " BETWEEN :low AND :high", "begins"];

const query = fc
  .record({
    index: fc.constantFrom(undefined, "work" as const, "by_type" as const),
    partition: fc.constantFrom("x", "y", "w", "t"),
    sort: fc.constantFrom(...SORTS),
    bounds: fc.tuple(fc.constantFrom(...PARTS, ...TIMES), fc.constantFrom(...PARTS, ...TIMES)),
    limit: fc.constantFrom(undefined, 1, 2, 100),
    isAscending: fc.boolean(),
    isCounted: fc.boolean(),
    isFiltered: fc.boolean(),
  })
  .map((chosen): QueryInput => {
    const { partitionKey, sortKey } = chosen.index === undefined ? TABLE : TABLE.indexes[chosen.index];
    const [low, high] = [...chosen.bounds].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    const sort = chosen.sort === "begins" ? `begins_with(${sortKey}, :low)` : `${sortKey}${chosen.sort}`;
    const isFiltered = chosen.isFiltered && chosen.index === undefined;
    return {
      TableName: TABLE_NAME,
      ...(chosen.index === undefined ? {} : { IndexName: chosen.index }),
      KeyConditionExpression: `${partitionKey} = :pk${chosen.sort === "" ? "" : ` AND ${sort}`}`,
      ExpressionAttributeValues: {
        ":pk": { S: chosen.partition },
        ...(chosen.sort === "" ? {} : { ":low": { S: low as string } }),
        ...(chosen.sort.includes(":high") ? { ":high": { S: high as string } } : {}),
        ...(isFiltered ? valuesIn("#state <> :pending") : {}),
      },
      ...(isFiltered ? { FilterExpression: "#state <> :pending", ExpressionAttributeNames: STATE } : {}),
      ...(chosen.limit === undefined ? {} : { Limit: chosen.limit }),
      ...(chosen.isCounted ? { Select: "COUNT" as const } : {}),
      ScanIndexForward: chosen.isAscending,
    };
  });

const call: fc.Arbitrary<Call> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant("put" as const), item, condition: fc.constantFrom(...CONDITIONS) }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("update" as const), key, update }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom("delete" as const, "get" as const), key }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("query" as const), query }) },
);

/** What a call gives; of a failure its name, which is all that its callers go by. */
async function made(table: TableCalls, made: Call): Promise<unknown> {
  try {
    return comparable(await make(table, made));
  } catch (error) {
    return (error as Error).name;
  }
}

async function make(table: TableCalls, made: Call): Promise<object> {
  switch (made.kind) {
    case "put": {
      const values = optional(valuesIn(made.condition), "ExpressionAttributeValues");
      const condition = made.condition === undefined ? {} : { ConditionExpression: made.condition };
      return table.putItem({
        TableName: TABLE_NAME,
        Item: made.item,
        ...condition,
        ...values,
        ...namesIn(made.condition),
      });
    }
    case "update":
      return table.updateItem({ ...made.update, TableName: TABLE_NAME, Key: made.key });
    case "delete":
      return table.deleteItem({ TableName: TABLE_NAME, Key: made.key });
    case "get":
      return table.getItem({ TableName: TABLE_NAME, Key: made.key });
    case "query": {
      const first = await table.query(made.query);
      if (first.LastEvaluatedKey === undefined) return first;
      return { ...first, next: await table.query({ ...made.query, ExclusiveStartKey: first.LastEvaluatedKey }) };
    }
  }
}

/** Without what says nothing, and with attributes in one order. */
const comparable = (answer: object): unknown =>
  JSON.parse(
    JSON.stringify(answer, (_, value) => (value instanceof Object && !Array.isArray(value) ? sorted(value) : value)),
  );
const sorted = (value: object): object =>
  Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));

async function emptied(table: TableCalls): Promise<void> {
  for (const pk of ["x", "y"]) {
    const { Items = [] } = await table.query({
      TableName: TABLE_NAME,
      KeyConditionExpression: "pk = :pk",
      ExpressionAttributeValues: { ":pk": { S: pk } },
    });
    for (const found of Items)
      await table.deleteItem({
        TableName: TABLE_NAME,
        Key: { pk: found["pk"] as AttributeValue, sk: found["sk"] as AttributeValue },
      });
  }
}

describe("the table of the embedded run", () => {
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

  test("does with any calls what dynalite does", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(call, { minLength: 10, maxLength: 40 }), async (calls) => {
        await Promise.all([emptied(ours.calls), emptied(dynalite.calls)]);
        for (const one of calls)
          expect([one, await made(ours.calls, one)]).toEqual([one, await made(dynalite.calls, one)]);
      }),
      { numRuns: 60 },
    );
  });

  test("lets one of many who write at once under one condition win, and the others read what stands then", async () => {
    const Key = { pk: { S: "contended" }, sk: { S: "x" } };
    const write = (n: number): Promise<boolean> =>
      ours.calls
        .putItem({
          TableName: TABLE_NAME,
          Item: { ...Key, n: { N: String(n) } },
          ConditionExpression: "attribute_not_exists(pk)",
        })
        .then(
          () => true,
          (error: Error) => {
            expect(error.name).toBe("ConditionalCheckFailedException");
            return false;
          },
        );
    const won = await Promise.all(Array.from({ length: 50 }, (_, n) => write(n)));
    expect(won.filter(Boolean)).toHaveLength(1);
    const { Item } = await ours.calls.getItem({ TableName: TABLE_NAME, Key });
    expect(Item?.["n"]).toEqual({ N: String(won.indexOf(true)) });
    const add = () =>
      ours.calls.updateItem({
        TableName: TABLE_NAME,
        Key,
        UpdateExpression: "ADD times :one",
        ExpressionAttributeValues: { ":one": { N: "1" } },
      });
    await Promise.all(Array.from({ length: 50 }, add));
    expect((await ours.calls.getItem({ TableName: TABLE_NAME, Key })).Item?.["times"]).toEqual({ N: "50" });
  });

  test("refuses keys and items that DynamoDB refuses, and expressions that it cannot read", async () => {
    const refused = (call: Promise<unknown>) => expect(call).rejects.toMatchObject({ name: "ValidationException" });
    const put = (Item: Item, more: object = {}) => ours.calls.putItem({ TableName: TABLE_NAME, Item, ...more });
    await refused(put({ pk: { S: "" }, sk: { S: "x" } }));
    await refused(put({ pk: { S: "x" } }));
    await refused(put({ pk: { S: "x".repeat(2_049) }, sk: { S: "x" } }));
    await refused(put({ pk: { S: "x" }, sk: { S: "ä".repeat(513) } }));
    await refused(put({ pk: { S: "x" }, sk: { S: "x" }, data: { S: "x".repeat(410_000) } }));
    await put({ pk: { S: "x" }, sk: { S: "x" }, data: { S: "x".repeat(409_000) } });
    for (const ConditionExpression of ["size(pk) > :a", "pk = ", "pk = :missing", "(pk = :a", "pk ! :a", "#none = :a"])
      await refused(
        put(
          { pk: { S: "x" }, sk: { S: "x" } },
          { ConditionExpression, ExpressionAttributeValues: { ":a": { S: "a" } } },
        ),
      );
  });

  // Dynalite compares a starting key with its bounds by UTF-16, so this is shown by itself.
  test("sorts keys by their UTF-8, and compares texts so", async () => {
    for (const sk of ["\u{1F600}", "\uFF61"])
      await ours.calls.putItem({
        TableName: TABLE_NAME,
        Item: { pk: { S: "sorted" }, sk: { S: sk }, text: { S: sk } },
      });
    const { Items = [] } = await ours.calls.query({
      TableName: TABLE_NAME,
      KeyConditionExpression: "pk = :pk AND sk < :end",
      FilterExpression: "text < :end",
      ExpressionAttributeValues: { ":pk": { S: "sorted" }, ":end": { S: "\u{1F601}" } },
    });
    expect(Items.map(({ sk }) => sk?.S)).toEqual(["\uFF61", "\u{1F600}"]);
  });

  test("stops a query at a megabyte, and goes on from there", async () => {
    const data = { S: "x".repeat(300_000) };
    for (const n of [1, 2, 3, 4, 5])
      await ours.calls.putItem({ TableName: TABLE_NAME, Item: { pk: { S: "large" }, sk: { S: String(n) }, data } });
    const pages: number[] = [];
    for (let start: { ExclusiveStartKey?: Item } | null = {}; start !== null; ) {
      const { Items = [], LastEvaluatedKey } = await ours.calls.query({
        TableName: TABLE_NAME,
        KeyConditionExpression: "pk = :pk",
        ExpressionAttributeValues: { ":pk": { S: "large" } },
        ...start,
      });
      pages.push(Items.length);
      start = LastEvaluatedKey === undefined ? null : { ExclusiveStartKey: LastEvaluatedKey };
    }
    expect(pages).toEqual([4, 1]);
  });

  test("reads sixteen megabytes of a batch, and says what is left", async () => {
    const keys = Array.from({ length: 60 }, (_, n): Item => ({ pk: { S: "batch" }, sk: { S: String(n) } }));
    for (const key of keys)
      await ours.calls.putItem({ TableName: TABLE_NAME, Item: { ...key, data: { S: "x".repeat(300_000) } } });
    const read = async (Keys: Item[]) => {
      const input = { RequestItems: { [TABLE_NAME]: { Keys, ConsistentRead: true } } };
      const { Responses, UnprocessedKeys } = await ours.calls.batchGetItem(input);
      return { found: Responses?.[TABLE_NAME] ?? [], left: UnprocessedKeys?.[TABLE_NAME]?.Keys ?? [] };
    };
    const first = await read(keys);
    expect(first.left).toEqual(keys.slice(55));
    const second = await read(first.left);
    expect(second.left).toEqual([]);
    expect([...first.found, ...second.found].map(({ pk, sk }) => ({ pk, sk }))).toEqual(keys);
  });
});

describe("a data folder", () => {
  test("is not written to by being opened: no small files gather in it, which every read would look into", async () => {
    const folder = await mkdtemp(join(tmpdir(), "agent-event-bus-folder-"));
    const openedAndClosed = async (times: number): Promise<string[]> => {
      for (let i = 0; i < times; i++) await (await openTable(folder, TABLE_NAME)).close();
      return (await readdir(folder)).filter((file) => file.endsWith(".ldb"));
    };
    try {
      // LevelDB moves what the first one has noted into a file when it is opened again.
      const files = await openedAndClosed(2);
      expect(await openedAndClosed(3)).toEqual(files);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});

describe("a data folder of a release before, which kept its table in dynalite", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "agent-event-bus-folder-"));
  });
  afterEach(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  const WRITTEN: Item = {
    pk: { S: "ä" },
    sk: { S: "x" },
    work_pk: { S: "w" },
    work_sk: { S: "1" },
    type_pk: { S: "t" },
    time_sk: { S: "1" },
    type: { S: "T" },
  };
  const inIndex = async (calls: TableCalls, index: "work" | "by_type") => {
    const { Items } = await calls.query({
      TableName: TABLE_NAME,
      IndexName: index,
      KeyConditionExpression: `${TABLE.indexes[index].partitionKey} = :pk`,
      ExpressionAttributeValues: { ":pk": { S: index === "work" ? "w" : "t" } },
    });
    return Items;
  };
  const { type: _, type_pk: __, time_sk: ___, ...IN_WORK } = WRITTEN;
  const { work_pk: ____, work_sk: _____, ...BY_TYPE } = WRITTEN;

  test("is gone on with as it is, and can be gone back with", async () => {
    const before = await openDynaliteTable(embeddedCalls, folder);
    await before.calls.putItem({ TableName: TABLE_NAME, Item: WRITTEN });
    await before.close();

    const now = await openTable(folder, TABLE_NAME);
    expect((await now.calls.scan({ TableName: TABLE_NAME })).Items).toEqual([WRITTEN]);
    expect(await inIndex(now.calls, "work")).toEqual([IN_WORK]);
    expect(await inIndex(now.calls, "by_type")).toEqual([BY_TYPE]);
    await now.calls.putItem({ TableName: TABLE_NAME, Item: { ...WRITTEN, work_sk: { S: "2" } } });
    expect(await inIndex(now.calls, "work")).toEqual([{ ...IN_WORK, work_sk: { S: "2" } }]);
    await now.close();

    const back = await openDynaliteTable(embeddedCalls, folder);
    expect(await inIndex(back.calls, "work")).toEqual([{ ...IN_WORK, work_sk: { S: "2" } }]);
    await back.calls.putItem({ TableName: TABLE_NAME, Item: { ...WRITTEN, work_sk: { S: "3" } } });
    await back.close();

    const again = await openTable(folder, TABLE_NAME);
    expect(await inIndex(again.calls, "work")).toEqual([{ ...IN_WORK, work_sk: { S: "3" } }]);
    expect(await inIndex(again.calls, "by_type")).toEqual([BY_TYPE]);
    await again.close();
  });

  test.each([
    ["table~", JSON.stringify({ TableStatus: "ACTIVE", GlobalSecondaryIndexes: [{ IndexName: "by_type" }] })],
    ["indexes~", "by_type"],
  ])("is refused when it has other indexes: nothing is missed in silence (%s)", async (key, value) => {
    const level = new Level<string, string>(folder);
    await level.put(`${key}${TABLE_NAME}`, value);
    await level.close();
    for (let tries = 0; tries < 2; tries++)
      await expect(openTable(folder, TABLE_NAME)).rejects.toThrow(
        "was made by another version of the bus (indexes by_type)",
      );
  });
});
