/** Queries: a stretch of one partition, in the table or in an index. */
import type { QueryInput, QueryOutput } from "@aws-sdk/client-dynamodb";
import type { Level } from "level";
import { invalidCall } from "./errors.ts";
import { attributeOf, fits, type Item, valueAt } from "./evaluate.ts";
import { type Condition, parseCondition } from "./expression.ts";
import { AFTER_ALL, entryKey, hex, itemKey, type Layout, type Place, partitionPrefix } from "./layout.ts";

/** A query reads so much and no more. */
const MAX_BYTES = 1024 * 1024;
/** Entries that are fetched at once; most queries find fewer. */
const PORTION = 100;

/** @throws Error `ValidationException` */
export async function query(level: Level<string, string>, layout: Layout, input: QueryInput): Promise<QueryOutput> {
  const place = input.IndexName === undefined ? layout.table : layout.indexes[input.IndexName];
  if (place === undefined) throw invalidCall(`There is no index ${input.IndexName}.`);
  const { items, isCut } = await read(level, rangeOf(layout, place, input), input.Limit ?? Number.POSITIVE_INFINITY);
  const kept = items.filter((item) => fits(input.FilterExpression, item, input));
  const last = items.at(-1);
  return {
    ...(input.Select === "COUNT" ? {} : { Items: kept }),
    Count: kept.length,
    ScannedCount: items.length,
    ...(isCut && last !== undefined ? { LastEvaluatedKey: keyOf(layout, place, last) } : {}),
  };
}

/** Keys of LevelDB. */
interface Range {
  gte?: string;
  gt?: string;
  lt: string;
  readonly reverse: boolean;
}

async function read(
  level: Level<string, string>,
  range: Range,
  limit: number,
): Promise<{ items: Item[]; isCut: boolean }> {
  const entries = level.values({ ...range, limit: Number.isFinite(limit) ? limit : -1, highWaterMarkBytes: MAX_BYTES });
  const items: Item[] = [];
  let bytes = 0;
  try {
    for (;;) {
      const portion = await entries.nextv(PORTION);
      for (const text of portion) {
        items.push(JSON.parse(text) as Item);
        bytes += Buffer.byteLength(text);
        // As DynamoDB: cut when there were as many as were asked for, whether there are more or not.
        if (items.length >= limit || bytes >= MAX_BYTES) return { items, isCut: true };
      }
      // A portion is short at the end only: one that was too large has been cut above.
      if (portion.length < PORTION) return { items, isCut: false };
    }
  } finally {
    await entries.close();
  }
}

function rangeOf(layout: Layout, place: Place, input: QueryInput): Range {
  const { partition, sort } = keyConditions(place, input);
  const reverse = input.ScanIndexForward === false;
  const whole = partitionPrefix(place, partition);
  const range: Range = { ...bounds(whole, sort, input), reverse };
  if (input.ExclusiveStartKey === undefined) return range;
  const start = startKey(layout, place, input.ExclusiveStartKey);
  return reverse ? { ...range, lt: start } : { gt: start, lt: range.lt, reverse };
}

/** The partition's value, and the condition of the sort key, if there is one. */
function keyConditions(place: Place, input: QueryInput): { partition: string; sort: Condition | undefined } {
  const condition = parseCondition(input.KeyConditionExpression ?? "");
  const [first, sort, ...others] = condition.kind === "and" ? condition.parts : [condition];
  if (first?.kind !== "compares" || first.comparator !== "=" || attributeOf(first.left, input) !== place.partitionKey)
    throw invalidCall("The partition has to be given, as the first.");
  if (others.length > 0) throw invalidCall("There is one condition of the sort key at the most.");
  return { partition: textOf(first.right, input), sort };
}

function bounds(
  whole: string,
  sort: Condition | undefined,
  input: QueryInput,
): { gte?: string; gt?: string; lt: string } {
  const at = (text: string): string => `${whole}${hex(text)}/`;
  const end = `${whole}${AFTER_ALL}`;
  switch (sort?.kind) {
    case undefined:
      return { gte: whole, lt: end };
    case "begins": {
      const prefix = `${whole}${hex(textOf(sort.prefix, input))}`;
      return { gte: prefix, lt: `${prefix}${AFTER_ALL}` };
    }
    case "between":
      return { gte: at(textOf(sort.low, input)), lt: `${at(textOf(sort.high, input))}${AFTER_ALL}` };
    case "compares": {
      const key = at(textOf(sort.right, input));
      if (sort.comparator === "<") return { gte: whole, lt: key };
      if (sort.comparator === "<=") return { gte: whole, lt: `${key}${AFTER_ALL}` };
      if (sort.comparator === ">") return { gt: `${key}${AFTER_ALL}`, lt: end };
      if (sort.comparator === ">=") return { gte: key, lt: end };
      if (sort.comparator === "=") return { gte: key, lt: `${key}${AFTER_ALL}` };
    }
  }
  throw invalidCall("A sort key can be compared, or begin with something.");
}

function textOf(operand: Parameters<typeof valueAt>[0], input: QueryInput): string {
  const text = valueAt(operand, {}, input)?.S;
  if (text === undefined) throw invalidCall("Keys are texts.");
  return text;
}

function startKey(layout: Layout, place: Place, start: Item): string {
  const key = place === layout.table ? itemKey(layout, start) : entryKey(layout, place, start);
  if (key === null) throw invalidCall("The starting key has to be one of the index.");
  // Its own key belongs to the table or the index alone.
  return key;
}

function keyOf({ table }: Layout, place: Place, item: Item): Item {
  const names = [table.partitionKey, table.sortKey, place.partitionKey, place.sortKey];
  return Object.fromEntries(Object.entries(item).filter(([name]) => names.includes(name)));
}
