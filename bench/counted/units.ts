/**
 * What DynamoDB bills for: sizes of items, and units of reads and writes, of the table and of each of its indexes.
 *
 * Sizes: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
 * Writes of indexes: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/GSI.html ("Write capacity units")
 */
import type { AttributeValue } from "@aws-sdk/client-dynamodb";
import { TABLE } from "../../shared/keys.ts";

export type Item = Readonly<Record<string, AttributeValue>>;
export type IndexName = keyof typeof TABLE.indexes;

/** Where a unit is used: the table itself, or an index of it. */
export type Place = "table" | IndexName;
export const INDEX_NAMES = Object.keys(TABLE.indexes) as IndexName[];
export const PLACES: readonly Place[] = ["table", ...INDEX_NAMES];

/** Units by place; a place that is not there uses none. */
export type WriteUnits = Readonly<Partial<Record<Place, number>>>;

const WRITE_UNIT_BYTES = 1_024;
const READ_UNIT_BYTES = 4_096;

/** An item as DynamoDB measures it: names and values, in UTF-8. */
export function itemBytes(item: Item): number {
  return Object.entries(item).reduce((sum, [name, value]) => sum + Buffer.byteLength(name) + valueBytes(value), 0);
}

function valueBytes({ S, N, BOOL, SS }: AttributeValue): number {
  if (S !== undefined) return Buffer.byteLength(S);
  if (N !== undefined) return numberBytes(N);
  if (BOOL !== undefined) return 1;
  if (SS !== undefined) return SS.reduce((sum, one) => sum + Buffer.byteLength(one), 0);
  throw new Error("The table has texts, numbers, booleans and sets of texts only.");
}

/** Two digits a byte, without zeros at both ends, and one byte more. */
function numberBytes(text: string): number {
  const digits = text.replace(/[-.]/g, "").replace(/^0+|0+$/g, "");
  return Math.ceil(digits.length / 2) + 1 + (text.startsWith("-") ? 1 : 0);
}

/** One write of up to 1 KB is a unit; so is one of nothing, as of an item that is not there. */
export const unitsOfWrite = (bytes: number): number => Math.max(1, Math.ceil(bytes / WRITE_UNIT_BYTES));

/** Request units: 4 KB read consistently are one, otherwise half of one. A read that finds nothing is one of 4 KB. */
export function unitsOfRead(bytes: number, isConsistent: boolean): number {
  return Math.max(1, Math.ceil(bytes / READ_UNIT_BYTES)) * (isConsistent ? 1 : 0.5);
}

/** The entry of an item in an index; null where the item has not both of its keys. */
export function indexEntry(item: Item | null, index: IndexName): Item | null {
  if (item === null) return null;
  const { partitionKey, sortKey } = TABLE.indexes[index];
  if (item[partitionKey] === undefined || item[sortKey] === undefined) return null;
  const names = [TABLE.partitionKey, TABLE.sortKey, partitionKey, sortKey];
  const projected = index === "work" ? names : [...names, ...TABLE.historyProjection];
  return Object.fromEntries(
    projected.flatMap((name) => {
      const value = item[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

/** A write that changes an item: null is an item that is not there. */
export interface Change {
  readonly before: Item | null;
  readonly after: Item | null;
}

/** What a write uses of the table and of each index. */
export function writeUnits({ before, after }: Change): WriteUnits {
  const units: Partial<Record<Place, number>> = {
    table: unitsOfWrite(Math.max(bytesOf(before), bytesOf(after))),
  };
  for (const index of INDEX_NAMES) {
    const used = indexUnits({ before: indexEntry(before, index), after: indexEntry(after, index) }, index);
    if (used > 0) units[index] = used;
  }
  return units;
}

const bytesOf = (item: Item | null): number => (item === null ? 0 : itemBytes(item));

/** An entry that moves is two writes, one that comes, goes or changes where it stands is one, one that stays as it is none. */
function indexUnits({ before, after }: Change, index: IndexName): number {
  if (before === null && after === null) return 0;
  if (before === null || after === null) return unitsOfWrite(bytesOf(before ?? after));
  const { partitionKey, sortKey } = TABLE.indexes[index];
  const isMoved = [partitionKey, sortKey].some((name) => before[name]?.S !== after[name]?.S);
  if (isMoved) return unitsOfWrite(bytesOf(before)) + unitsOfWrite(bytesOf(after));
  const isSame = JSON.stringify(before) === JSON.stringify(after);
  return isSame ? 0 : unitsOfWrite(Math.max(bytesOf(before), bytesOf(after)));
}

/** A write whose condition did not hold: as much as what stands there would take. */
export const unitsOfRefusal = (standing: Item | null): WriteUnits => ({ table: unitsOfWrite(bytesOf(standing)) });
