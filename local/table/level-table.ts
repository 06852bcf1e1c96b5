/**
 * The table in this process, on LevelDB: the calls that the bus makes to DynamoDB, with their meaning there.
 *
 * An item and its places in the indexes are written at once. A call resolves when LevelDB has handed the write to the
 * operating system: a kill of the process does not lose it, a machine that loses power may. Every read is consistent.
 */
import type {
  DeleteItemInput,
  PutItemInput,
  ScanInput,
  ScanOutput,
  UpdateItemInput,
  UpdateItemOutput,
} from "@aws-sdk/client-dynamodb";
import type { CallOptions, TableCalls } from "../../functions/runtime/aws/calls.ts";
import { batchGet } from "./batch-get.ts";
import { testOf } from "./conditions.ts";
import { conditionFailed, invalidCall } from "./errors.ts";
import { type Condition, type Parsed, parseCondition, parseUpdate } from "./expression.ts";
import { requireOneOf, requireOnly, requireTable } from "./inputs.ts";
import { AFTER_ALL, itemPlace, type Layout, layoutOf } from "./layout.ts";
import { readPage, type Texts } from "./pages.ts";
import { requireUsed } from "./placeholders.ts";
import { changesOf } from "./places.ts";
import { query } from "./query.ts";
import { updateOf } from "./updates.ts";
import { type Item, requireSize, storableItem } from "./values.ts";
import { Writes } from "./writes.ts";

export interface LevelTable extends TableCalls {
  /** A stretch of the whole table, for those who look at all of it. The bus never does. */
  scan(input: ScanInput): Promise<ScanOutput>;
  /** Resolves when all that was called has been written. */
  idle(): Promise<void>;
}

const CONDITION = ["TableName", "ConditionExpression", "ExpressionAttributeNames", "ExpressionAttributeValues"];

/** @param level open */
export function levelTable(level: Texts, tableName: string): LevelTable {
  const layout = layoutOf(tableName);
  const writes = new Writes(level);
  const own = [layout.table.partitionKey, layout.table.sortKey];

  const read = (place: string): Item | undefined => {
    const text = level.getSync(place);
    return text === undefined ? undefined : (JSON.parse(text) as Item);
  };

  /** @param change what becomes of the item that stands; undefined: it goes */
  const write = <T>(
    place: string,
    input: PutItemInput | UpdateItemInput | DeleteItemInput,
    condition: Parsed<Condition> | null,
    change: (standing: Item | undefined) => { readonly item: Item | undefined; readonly result: T },
  ): Promise<T> => {
    const holds = condition === null ? () => true : testOf(condition.tree, input);
    return writes.exclusively(place, () => {
      const standing = read(place);
      if (!holds(standing ?? {})) throw conditionFailed();
      const { item, result } = change(standing);
      return { operations: changesOf(layout, read, place, standing, item), result };
    });
  };

  const begin = (input: { TableName?: string | undefined }, known: readonly string[], options?: CallOptions): void => {
    options?.signal?.throwIfAborted();
    requireOnly(input, known);
    requireTable(input.TableName, tableName);
  };

  return {
    async getItem(input, options) {
      begin(input, ["TableName", "Key", "ConsistentRead"], options);
      const item = read(placeOfKey(layout, input.Key));
      return item === undefined ? {} : { Item: item };
    },

    async batchGetItem(input, options) {
      options?.signal?.throwIfAborted();
      return batchGet(input, tableName, (key) => placeOfKey(layout, key), read);
    },

    async putItem(input, options) {
      begin(input, [...CONDITION, "Item"], options);
      const condition = conditionOf(input);
      requireUsed(input, [condition]);
      const item = storableItem(input.Item ?? {});
      const place = itemPlace(layout, item);
      requireSize(item);
      return write(place, input, condition, () => ({ item, result: {} }));
    },

    async updateItem(input, options) {
      begin(input, [...CONDITION, "Key", "UpdateExpression", "ReturnValues"], options);
      requireOneOf("ReturnValues", input.ReturnValues, ["NONE", "ALL_NEW", "UPDATED_NEW"]);
      const place = placeOfKey(layout, input.Key);
      const condition = conditionOf(input);
      const changes = input.UpdateExpression === undefined ? null : parseUpdate(input.UpdateExpression);
      requireUsed(input, [condition, changes]);
      const update = updateOf(changes?.tree ?? [], input, own);
      return write(place, input, condition, (standing) => {
        const item = update.apply(standing ?? (input.Key as Item));
        requireSize(item);
        return { item, result: returned(input, item, update.attributes) };
      });
    },

    async deleteItem(input, options) {
      begin(input, [...CONDITION, "Key"], options);
      const place = placeOfKey(layout, input.Key);
      const condition = conditionOf(input);
      requireUsed(input, [condition]);
      return write(place, input, condition, () => ({ item: undefined, result: {} }));
    },

    async query(input, options) {
      options?.signal?.throwIfAborted();
      requireTable(input.TableName, tableName);
      return query(level, layout, input);
    },

    async scan(input) {
      begin(input, ["TableName", "ExclusiveStartKey", "Limit", "ConsistentRead"]);
      const { ExclusiveStartKey: start, Limit = Number.POSITIVE_INFINITY } = input;
      const { prefix } = layout.table;
      const from = start === undefined ? { gte: prefix } : { gt: placeOfKey(layout, start) };
      const { items, isCut } = await readPage(level, { ...from, lt: `${prefix}${AFTER_ALL}` }, Limit);
      const last = isCut ? items.at(-1) : undefined;
      const lastKey = last === undefined ? undefined : Object.fromEntries(own.map((name) => [name, last[name]]));
      return {
        Items: [...items],
        Count: items.length,
        ScannedCount: items.length,
        ...(lastKey === undefined ? {} : { LastEvaluatedKey: lastKey as Item }),
      };
    },

    idle: () => writes.idle(),
  };
}

/** @throws Error `ValidationException` for anything but a whole key */
function placeOfKey(layout: Layout, key: Item | undefined): string {
  if (Object.keys(key ?? {}).length !== 2) throw invalidCall("The provided key element does not match the schema");
  return itemPlace(layout, key ?? {});
}

const conditionOf = ({
  ConditionExpression,
}: {
  ConditionExpression?: string | undefined;
}): Parsed<Condition> | null => (ConditionExpression === undefined ? null : parseCondition(ConditionExpression));

function returned({ ReturnValues }: UpdateItemInput, item: Item, updated: readonly string[]): UpdateItemOutput {
  if (ReturnValues === "ALL_NEW") return { Attributes: item };
  if (ReturnValues !== "UPDATED_NEW") return {};
  const attributes = Object.entries(item).filter(([name]) => updated.includes(name));
  return attributes.length === 0 ? {} : { Attributes: Object.fromEntries(attributes) };
}
