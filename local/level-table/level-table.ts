/**
 * The table in this process, on LevelDB: the calls that the bus makes to DynamoDB, with their meaning there.
 *
 * An item and its places in the indexes are written at once. A call resolves when LevelDB has handed the write to the
 * operating system: a kill of the process does not lose it, a machine that loses power may.
 */
import type { BatchGetItemInput, UpdateItemInput, UpdateItemOutput } from "@aws-sdk/client-dynamodb";
import type { Level } from "level";
import type { CallOptions, TableCalls } from "../../functions/runtime/aws/calls.ts";
import { conditionFailed, invalidCall } from "./errors.ts";
import { fits, type Item, type Placeholders, type Updated, updated } from "./evaluate.ts";
import { entryKey, entryOf, itemKey, type Layout, layoutOf } from "./layout.ts";
import { query } from "./query.ts";
import { type Operation, Writes } from "./writes.ts";

/** https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html */
const MAX_ITEM_BYTES = 400 * 1024;

export interface LevelTable extends TableCalls {
  /** Resolves when all that was called has been written. */
  idle(): Promise<void>;
}

/** @param level open, with texts for keys and values */
export function levelTable(level: Level<string, string>, tableName: string): LevelTable {
  const layout = layoutOf(tableName);
  const writes = new Writes(level);

  const read = (key: string): Item | undefined => {
    const text = level.getSync(key);
    return text === undefined ? undefined : (JSON.parse(text) as Item);
  };

  /** @param change what becomes of the item that stands; undefined: it goes */
  function write<T>(
    key: Item,
    { signal }: CallOptions,
    change: (standing: Item | undefined) => Changed<T>,
  ): Promise<T> {
    signal?.throwIfAborted();
    const place = itemKey(layout, key);
    return writes.exclusively(place, () => {
      const standing = read(place);
      const { item, result } = change(standing);
      return { operations: operationsOf(layout, place, standing, item), result };
    });
  }

  return {
    async getItem({ Key = {} }, { signal } = {}) {
      signal?.throwIfAborted();
      const item = read(itemKey(layout, Key));
      return item === undefined ? {} : { Item: item };
    },
    async batchGetItem(input) {
      const items = keysIn(input, tableName).map((key) => read(itemKey(layout, key)));
      return { Responses: { [tableName]: items.filter((item) => item !== undefined) } };
    },
    async putItem(input, options = {}) {
      const { Item: item = {} } = input;
      return write(item, options, (standing) => {
        requireCondition(input, standing);
        requireSize(item);
        return { item, result: {} };
      });
    },
    async updateItem(input, options = {}) {
      const { Key = {} } = input;
      return write(Key, options, (standing) => {
        requireCondition(input, standing);
        const after = updated(input.UpdateExpression, standing ?? Key, input);
        requireSize(after.item);
        return { item: after.item, result: attributesOf(input, after) };
      });
    },
    async deleteItem(input, options = {}) {
      return write(input.Key ?? {}, options, (standing) => {
        requireCondition(input, standing);
        return { item: undefined, result: {} };
      });
    },
    async query(input, { signal } = {}) {
      signal?.throwIfAborted();
      return query(level, layout, input);
    },
    idle: () => writes.idle(),
  };
}

interface Changed<T> {
  readonly item: Item | undefined;
  readonly result: T;
}

/** The item, and its places in the indexes: what it leaves, and what it takes. */
function operationsOf(layout: Layout, place: string, before: Item | undefined, after: Item | undefined): Operation[] {
  const operations: Operation[] = [];
  for (const index of Object.values(layout.indexes)) {
    const left = before === undefined ? null : entryKey(layout, index, before);
    const taken = after === undefined ? null : entryKey(layout, index, after);
    if (left !== null && left !== taken) operations.push({ type: "del", key: left });
    if (after !== undefined && taken !== null) operations.push(put(taken, entryOf(index, after)));
  }
  if (after !== undefined) operations.push(put(place, after));
  else if (before !== undefined) operations.push({ type: "del", key: place });
  return operations;
}

const put = (key: string, item: Item): Operation => ({ type: "put", key, value: JSON.stringify(item) });

/** @throws Error `ConditionalCheckFailedException` */
function requireCondition(
  input: Placeholders & { readonly ConditionExpression?: string | undefined },
  standing: Item | undefined,
): void {
  if (!fits(input.ConditionExpression, standing ?? {}, input)) throw conditionFailed();
}

function requireSize(item: Item): void {
  const text = JSON.stringify(item);
  // As JSON it is longer than DynamoDB counts it.
  if (text.length * 3 > MAX_ITEM_BYTES && bytesOf(item) > MAX_ITEM_BYTES)
    throw invalidCall("Item size has exceeded the maximum allowed size");
}

/** Names and values, in UTF-8. */
function bytesOf(item: Item): number {
  const texts = Object.entries(item).flatMap(([name, { S = "", N = "", SS = [] }]) => [name, S, N, ...SS]);
  return texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
}

function attributesOf({ ReturnValues }: UpdateItemInput, { item, touched }: Updated): UpdateItemOutput {
  if (ReturnValues === "ALL_NEW") return { Attributes: item };
  if (ReturnValues === "UPDATED_NEW")
    return { Attributes: Object.fromEntries(Object.entries(item).filter(([name]) => touched.includes(name))) };
  return {};
}

function keysIn({ RequestItems }: BatchGetItemInput, tableName: string): readonly Item[] {
  return RequestItems?.[tableName]?.Keys ?? [];
}
