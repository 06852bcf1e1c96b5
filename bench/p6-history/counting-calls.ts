/** What a page costs whatever the store: calls, items read, and units that DynamoDB would bill, counted on their way. */
import type { BatchGetItemInput, QueryInput } from "@aws-sdk/client-dynamodb";
import type { TableCalls } from "../../functions/runtime/aws/calls.ts";
import { type Item, itemBytes, unitsOfRead } from "../counted/units.ts";

export interface Cost {
  /** Calls to the table. */
  readonly calls: number;
  /** Items and index entries that were read, whether a filter let them through or not. */
  readonly items: number;
  /** A strongly consistent read of up to 4 KB is one, an eventually consistent one half of it. */
  readonly readUnits: number;
}

export interface CountingCalls {
  readonly calls: TableCalls;
  /** What was read since the last time. */
  take(): Cost;
}

const NOTHING: Cost = { calls: 0, items: 0, readUnits: 0 };

export function countingCalls(calls: TableCalls): CountingCalls {
  let cost = NOTHING;
  const note = (items: number, readUnits: number): void => {
    cost = { calls: cost.calls + 1, items: cost.items + items, readUnits: cost.readUnits + readUnits };
  };
  return {
    calls: {
      ...calls,
      async getItem(input, options) {
        const output = await calls.getItem(input, options);
        note(output.Item === undefined ? 0 : 1, unitsOfRead(bytesOf([output.Item]), input.ConsistentRead === true));
        return output;
      },
      async batchGetItem(input, options) {
        const output = await calls.batchGetItem(input, options);
        const read = Object.values(output.Responses ?? {}).flat();
        note(read.length, unitsOfBatch(input, read));
        return output;
      },
      async query(input, options) {
        // What a filter leaves out is read all the same.
        const read = (await calls.query(withoutFilter(input))).Items ?? [];
        note(read.length, unitsOfRead(bytesOf(read), input.ConsistentRead === true));
        return calls.query(input, options);
      },
    },
    take() {
      const taken = cost;
      cost = NOTHING;
      return taken;
    },
  };
}

const bytesOf = (items: readonly (Item | undefined)[]): number =>
  items.reduce((sum, item) => sum + (item === undefined ? 0 : itemBytes(item)), 0);

/** Each by itself, those that are not there too. */
function unitsOfBatch({ RequestItems = {} }: BatchGetItemInput, read: readonly Item[]): number {
  const [request] = Object.values(RequestItems);
  const isConsistent = request?.ConsistentRead === true;
  const missing = (request?.Keys?.length ?? 0) - read.length;
  return read.reduce(
    (sum, item) => sum + unitsOfRead(itemBytes(item), isConsistent),
    missing * unitsOfRead(0, isConsistent),
  );
}

/** DynamoDB refuses names and values that no expression uses. */
function withoutFilter({ FilterExpression, ExpressionAttributeNames, Select, ...input }: QueryInput): QueryInput {
  const condition = input.KeyConditionExpression ?? "";
  const used = Object.entries(input.ExpressionAttributeValues ?? {}).filter(([name]) =>
    new RegExp(`${name}\\b`).test(condition),
  );
  return { ...input, ExpressionAttributeValues: Object.fromEntries(used) };
}
