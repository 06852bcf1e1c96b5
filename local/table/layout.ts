/**
 * Where items and their places in the indexes stand in LevelDB: as dynalite puts them, in which releases before this one kept
 * them, so that a folder of then is read as it is, and one of now by a release of then.
 *
 * A key has a prefix for the table or the index, a bit of a hash of the partition, then partition and sort key in hexadecimal
 * (so that they sort by their UTF-8), each with a slash behind it, which sorts before any digit: no text that a key may hold
 * can be taken for a separator.
 */
import { hash } from "node:crypto";
import type { AttributeValue } from "@aws-sdk/client-dynamodb";
import { TABLE } from "../../shared/keys.ts";
import { invalidCall } from "./errors.ts";
import type { Item } from "./values.ts";

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
  readonly indexes: ReadonlyMap<string, Place>;
}

export function layoutOf(tableName: string): Layout {
  const { partitionKey, sortKey } = TABLE;
  const indexes = Object.entries(TABLE.indexes).map(([name, keys]): [string, Place] => {
    const projected = name === "work" ? [] : TABLE.historyProjection;
    const carries = [partitionKey, sortKey, keys.partitionKey, keys.sortKey, ...projected];
    return [name, { prefix: `index-global~${tableName}~${name}~`, ...keys, carries }];
  });
  return {
    table: { prefix: `item-${tableName}~`, partitionKey, sortKey, carries: null },
    indexes: new Map(indexes),
  };
}

/** Partitions of which is remembered where they are; a bound, not a target. */
const MAX_REMEMBERED = 2_000;
const remembered = new Map<string, string>();

/** What all keys of a partition begin with. */
export const partitionPrefix = ({ prefix }: Place, partition: string): string => `${prefix}${withinPlace(partition)}`;

/** The same few are asked for again and again: an event's while it is worked on, those of an index always. */
function withinPlace(partition: string): string {
  const known = remembered.get(partition);
  if (known !== undefined) return known;
  const fresh = `${hashBits(partition)}/${hex(partition)}/`;
  if (remembered.size >= MAX_REMEMBERED) remembered.clear();
  remembered.set(partition, fresh);
  return fresh;
}

/** What a sort key is within its partition. */
export const hex = (text: string): string => Buffer.from(text, "utf8").toString("hex");

/** Where an item stands. @throws Error `ValidationException` when a part of its key is missing, or none */
export function itemPlace({ table }: Layout, item: Item): string {
  const [partition, sort] = [keyPart(item, table.partitionKey, true), keyPart(item, table.sortKey, false)];
  return `${partitionPrefix(table, partition)}${hex(sort)}/`;
}

/** What tells an item from others at its place in an index. */
export const ownBits = ({ table }: Layout, item: Item): string =>
  hashBits(keyPart(item, table.partitionKey, true), keyPart(item, table.sortKey, false));

/**
 * Where an item stands in an index; null when it does not. @throws Error `ValidationException` for a part that is none
 *
 * @param own the item's `ownBits`
 */
export function entryPlace(index: Place, item: Item, own: string): string | null {
  const isIn = item[index.partitionKey] !== undefined && item[index.sortKey] !== undefined;
  // As DynamoDB: an item has no attribute of an index's key that could not be one, whether it stands in the index or not.
  for (const attribute of [index.partitionKey, index.sortKey])
    if (item[attribute] !== undefined) keyPart(item, attribute, attribute === index.partitionKey);
  if (!isIn) return null;
  const [partition, sort] = [keyPart(item, index.partitionKey, true), keyPart(item, index.sortKey, false)];
  return `${partitionPrefix(index, partition)}${hex(sort)}/${own}`;
}

/** What an index shows of an item. */
export function entryOf({ carries }: Place, item: Item): Item {
  if (carries === null) return item;
  const entry: Item = {};
  for (const name of carries) if (item[name] !== undefined) entry[name] = item[name] as AttributeValue;
  return entry;
}

/** @throws Error `ValidationException` for what cannot be part of a key */
export function keyPart(item: Item, attribute: string, isPartition: boolean): string {
  const text = item[attribute]?.S;
  if (typeof text !== "string")
    throw invalidCall(`The provided key element does not match the schema: ${attribute} has to be a text`);
  if (text === "")
    throw invalidCall(`The AttributeValue for a key attribute cannot contain an empty string value. Key: ${attribute}`);
  // Half a pair has no UTF-8: two such keys would stand at one place.
  if (/\p{Surrogate}/u.test(text)) throw invalidCall(`The key attribute ${attribute} is not Unicode.`);
  const most = isPartition ? MAX_PARTITION_KEY_BYTES : MAX_SORT_KEY_BYTES;
  // A character has three bytes at the most.
  if (text.length * 3 > most && Buffer.byteLength(text) > most)
    throw invalidCall(`The key attribute ${attribute} has exceeded the size limit of ${most} bytes`);
  return text;
}

/** Dynalite's: 24 bits are enough to spread partitions, and to tell items with one place in an index apart. */
const hashBits = (...parts: readonly string[]): string => hash("md5", `Outliers${parts.join("")}`).slice(0, 6);
