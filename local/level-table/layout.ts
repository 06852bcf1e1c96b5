/**
 * Where items and their places in the indexes stand in LevelDB: as dynalite puts them, so that one folder serves both.
 *
 * A key has a prefix for the table or the index, a bit of a hash of the partition, partition and sort key in hexadecimal (so
 * that they sort by their UTF-8), each with a slash behind it, which sorts before any digit.
 */
import { createHash } from "node:crypto";
import type { AttributeValue } from "@aws-sdk/client-dynamodb";
import { TABLE } from "../../shared/keys.ts";
import { invalidCall } from "./errors.ts";
import type { Item } from "./evaluate.ts";

/** Sorts after all that may follow a key, and before the next. */
export const AFTER_ALL = "~";

/** https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html */
const MAX_PARTITION_KEY_BYTES = 2_048;
const MAX_SORT_KEY_BYTES = 1_024;

/** The table itself, or an index of it. */
export interface Place {
  readonly prefix: string;
  readonly partitionKey: string;
  readonly sortKey: string;
  /** What an entry carries; null: the whole item. */
  readonly carries: readonly string[] | null;
}

export interface Layout {
  readonly table: Place;
  readonly indexes: Readonly<Record<string, Place>>;
}

export function layoutOf(tableName: string): Layout {
  const { partitionKey, sortKey } = TABLE;
  const indexes = Object.entries(TABLE.indexes).map(([name, keys]): [string, Place] => {
    const projected = name === "work" ? [] : TABLE.historyProjection;
    const carries = [keys.partitionKey, keys.sortKey, partitionKey, sortKey, ...projected];
    return [name, { prefix: `index-global~${tableName}~${name}~`, ...keys, carries }];
  });
  return {
    table: { prefix: `item-${tableName}~`, partitionKey, sortKey, carries: null },
    indexes: Object.fromEntries(indexes),
  };
}

/** What all keys of a partition begin with. */
export const partitionPrefix = ({ prefix }: Place, partition: string): string =>
  `${prefix}${hashBits(partition)}/${hex(partition)}/`;

/** A sort key within its partition. */
export const hex = (text: string): string => Buffer.from(text, "utf8").toString("hex");

/** Where an item stands. @throws Error `ValidationException` when a part of its key is missing, or too long */
export function itemKey({ table }: Layout, item: Item): string {
  return `${partitionPrefix(table, keyPart(item, table.partitionKey))}${hex(keyPart(item, table.sortKey))}/`;
}

/** Where an item stands in an index; null when it does not. @throws Error `ValidationException` for a part that is too long */
export function entryKey({ table }: Layout, index: Place, item: Item): string | null {
  if (item[index.partitionKey] === undefined || item[index.sortKey] === undefined) return null;
  const place = `${partitionPrefix(index, keyPart(item, index.partitionKey))}${hex(keyPart(item, index.sortKey))}/`;
  return `${place}${hashBits(keyPart(item, table.partitionKey), keyPart(item, table.sortKey))}`;
}

/** What an index shows of an item. */
export function entryOf({ carries }: Place, item: Item): Item {
  if (carries === null) return item;
  const entry: Item = {};
  for (const name of carries) if (item[name] !== undefined) entry[name] = item[name] as AttributeValue;
  return entry;
}

function keyPart(item: Item, attribute: string): string {
  const text = item[attribute]?.S;
  if (text === undefined || text === "") throw invalidCall(`The key attribute ${attribute} has to be a text.`);
  const most = attribute.endsWith(TABLE.partitionKey) ? MAX_PARTITION_KEY_BYTES : MAX_SORT_KEY_BYTES;
  // A character has three bytes at the most.
  if (text.length * 3 > most && Buffer.byteLength(text) > most)
    throw invalidCall(`The key attribute ${attribute} may have ${most} bytes.`);
  return text;
}

/** Dynalite's: the first 24 bits are enough to spread partitions, and to tell items with one place in an index apart. */
const hashBits = (...parts: readonly string[]): string => {
  const hash = createHash("md5").update("Outliers");
  for (const part of parts) hash.update(part);
  return hash.digest("hex").slice(0, 6);
};
