/** Queries: a stretch of one partition, in the table or in an index. Its cost is what it reads, however much there is beside. */
import type { QueryInput, QueryOutput } from "@aws-sdk/client-dynamodb";
import { requireBounds, type Test, testOf } from "./conditions.ts";
import { invalidCall } from "./errors.ts";
import { type Condition, type Operand, type Parsed, parseCondition } from "./expression.ts";
import { requireOneOf, requireOnly } from "./inputs.ts";
import {
  AFTER_ALL,
  entryPlace,
  hex,
  itemPlace,
  keyPart,
  type Layout,
  ownBits,
  type Place,
  partitionPrefix,
} from "./layout.ts";
import { type Range, readPage, type Texts } from "./pages.ts";
import { attributeOf, givenValue, requireUsed } from "./placeholders.ts";
import type { Item } from "./values.ts";

const FIELDS = [
  "TableName",
  "IndexName",
  "Select",
  "KeyConditionExpression",
  "FilterExpression",
  "ExpressionAttributeNames",
  "ExpressionAttributeValues",
  "ConsistentRead",
  "Limit",
  "ScanIndexForward",
  "ExclusiveStartKey",
];

/** @throws Error `ValidationException` */
export async function query(level: Texts, layout: Layout, input: QueryInput): Promise<QueryOutput> {
  requireOnly(input, FIELDS);
  requireOneOf("Select", input.Select, ["COUNT"]);
  const place = placeOf(layout, input);
  const keyCondition = parseCondition(input.KeyConditionExpression ?? "");
  const filter = input.FilterExpression === undefined ? null : parseCondition(input.FilterExpression);
  requireUsed(input, [keyCondition, filter]);
  const keys = keyConditionsOf(place, keyCondition.tree, input);
  const passes = filterTest(place, filter, input);
  const range = rangeOf(layout, place, keys, input);
  const { items, isCut } = await readPage(level, range, limitOf(input));
  const kept = items.filter(passes);
  const last = items.at(-1);
  return {
    ...(input.Select === "COUNT" ? {} : { Items: kept }),
    Count: kept.length,
    ScannedCount: items.length,
    ...(isCut && last !== undefined ? { LastEvaluatedKey: keyOf(layout, place, last) } : {}),
  };
}

function placeOf(layout: Layout, { IndexName, ConsistentRead }: QueryInput): Place {
  if (IndexName === undefined) return layout.table;
  const index = layout.indexes.get(IndexName);
  if (index === undefined) throw invalidCall(`The table does not have the specified index: ${IndexName}`);
  if (ConsistentRead === true) throw invalidCall("Consistent reads are not supported on global secondary indexes");
  return index;
}

function limitOf({ Limit = Number.POSITIVE_INFINITY }: QueryInput): number {
  if (Limit < 1) throw invalidCall("Limit must be greater than or equal to 1");
  return Limit;
}

function filterTest(place: Place, filter: Parsed<Condition> | null, input: QueryInput): Test {
  if (filter === null) return () => true;
  for (const attribute of attributesIn(filter.tree, input))
    if (attribute === place.partitionKey || attribute === place.sortKey)
      throw invalidCall(`Filter Expression can only contain non-primary key attributes: ${attribute}`);
  return testOf(filter.tree, input);
}

function attributesIn(condition: Condition, input: QueryInput): string[] {
  if (condition.kind === "and" || condition.kind === "or")
    return condition.parts.flatMap((part) => attributesIn(part, input));
  if (condition.kind === "not") return attributesIn(condition.part, input);
  const operands = Object.values(condition).filter((part): part is Operand => typeof part === "object");
  return operands.flatMap((operand) => (operand.kind === "attribute" ? [attributeOf(operand, input)] : []));
}

interface KeyConditions {
  readonly partition: string;
  readonly sort: Condition | undefined;
  /** Whether an item's sort key fits. */
  readonly fits: Test;
}

/** The partition's value, and the condition of the sort key, if there is one. */
function keyConditionsOf(place: Place, condition: Condition, input: QueryInput): KeyConditions {
  const parts = condition.kind === "and" ? condition.parts : [condition];
  const of = (attribute: string): Condition[] => parts.filter((part) => attributeIn(part, input) === attribute);
  const [partition, ...more] = of(place.partitionKey);
  const [sort, ...others] = of(place.sortKey);
  if (partition?.kind !== "compares" || partition.comparator !== "=" || more.length > 0)
    throw invalidCall(`Query condition missed key schema element: ${place.partitionKey}`);
  if (others.length > 0 || parts.length > 2 || (parts.length === 2 && sort === undefined))
    throw invalidCall("Query key condition not supported");
  const value = textOf(partition.right, input, place.partitionKey, true);
  return { partition: value, sort, fits: sort === undefined ? () => true : testOf(sort, input) };
}

function attributeIn(condition: Condition, input: QueryInput): string | null {
  if (condition.kind === "compares") return attributeOf(condition.left, input);
  return condition.kind === "between" || condition.kind === "begins" ? attributeOf(condition.of, input) : null;
}

function rangeOf(layout: Layout, place: Place, keys: KeyConditions, input: QueryInput): Range {
  const reverse = input.ScanIndexForward === false;
  const whole = boundsOf(place, keys, input);
  if (input.ExclusiveStartKey === undefined) return { ...whole, reverse };
  const start = startOf(layout, place, keys, input.ExclusiveStartKey);
  if (!reverse) return { gt: start, lt: whole.lt, reverse };
  return { ...whole, lt: start, reverse };
}

function boundsOf(place: Place, { partition, sort }: KeyConditions, input: QueryInput): Range {
  const whole = partitionPrefix(place, partition);
  const end = `${whole}${AFTER_ALL}`;
  const text = (operand: Operand): string => hex(textOf(operand, input, place.sortKey, false));
  const at = (operand: Operand): string => `${whole}${text(operand)}/`;
  switch (sort?.kind) {
    case undefined:
      return { gte: whole, lt: end };
    case "begins": {
      const prefix = `${whole}${text(sort.prefix)}`;
      return { gte: prefix, lt: `${prefix}${AFTER_ALL}` };
    }
    case "between":
      requireBounds(sort, input);
      return { gte: at(sort.low), lt: `${at(sort.high)}${AFTER_ALL}` };
    case "compares": {
      const key = at(sort.right);
      if (sort.comparator === "<") return { gte: whole, lt: key };
      if (sort.comparator === "<=") return { gte: whole, lt: `${key}${AFTER_ALL}` };
      if (sort.comparator === ">") return { gt: `${key}${AFTER_ALL}`, lt: end };
      if (sort.comparator === ">=") return { gte: key, lt: end };
      if (sort.comparator === "=") return { gte: key, lt: `${key}${AFTER_ALL}` };
    }
  }
  throw invalidCall("Query key condition not supported");
}

/** A value that a key is compared with. */
const textOf = (operand: Operand, input: QueryInput, attribute: string, isPartition: boolean): string =>
  keyPart({ [attribute]: givenValue(operand, input) }, attribute, isPartition);

/** Where to read on: the key of an item that the same query could find. @throws Error `ValidationException` */
function startOf(layout: Layout, place: Place, { partition, fits }: KeyConditions, start: Item): string {
  const names = keyNames(layout, place);
  const isWhole = Object.keys(start).length === names.length && names.every((name) => start[name]?.S !== undefined);
  if (!isWhole) throw invalidCall("The provided starting key is invalid");
  if (start[place.partitionKey]?.S !== partition)
    throw invalidCall("The provided starting key is outside query boundaries based on provided conditions");
  if (!fits(start)) throw invalidCall("The provided starting key does not match the range key predicate");
  const at = place === layout.table ? itemPlace(layout, start) : entryPlace(place, start, ownBits(layout, start));
  if (at === null) throw invalidCall("The provided starting key is invalid");
  return at;
}

function keyOf(layout: Layout, place: Place, item: Item): Item {
  const names = keyNames(layout, place);
  return Object.fromEntries(Object.entries(item).filter(([name]) => names.includes(name)));
}

const keyNames = ({ table }: Layout, place: Place): string[] => [
  ...new Set([table.partitionKey, table.sortKey, place.partitionKey, place.sortKey]),
];
