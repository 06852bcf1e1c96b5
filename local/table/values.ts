/** Attribute values: what may be stored, what is equal, what comes first, and how much room it takes. */
import type { AttributeValue } from "@aws-sdk/client-dynamodb";
import { canonical, compareDecimals } from "./decimals.ts";
import { invalidCall } from "./errors.ts";

export type Item = Record<string, AttributeValue>;

/** https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html */
const MAX_ITEM_BYTES = 400 * 1024;

/** The one type that a value is of, as `S`. @throws Error `ValidationException` for none, or for two */
export function typeOf(value: AttributeValue): string {
  let found: string | null = null;
  // Of each value of each item: nothing is made for it that could be spared.
  for (const [type, content] of Object.entries(value)) {
    if (content === undefined) continue;
    if (found !== null) throw notOneType();
    found = type;
  }
  if (found === null) throw notOneType();
  return found;
}

const notOneType = (): Error =>
  invalidCall("Supplied AttributeValue must contain exactly one of the supported datatypes");

/** An item as it is kept. @throws Error `ValidationException` for what cannot be */
export function storableItem(item: Item): Item {
  // Not name by name: one of them may be `__proto__`.
  return Object.fromEntries(
    Object.entries(item).flatMap(([name, value]) => (value === undefined ? [] : [[name, storable(value)]])),
  );
}

/** What an item has by a name; undefined also for what every object has. */
export const attributeIn = (item: Item, name: string): AttributeValue | undefined =>
  Object.hasOwn(item, name) ? item[name] : undefined;

/** A value as it is kept: numbers in their one way to be written. @throws Error `ValidationException` */
export function storable(value: AttributeValue): AttributeValue {
  switch (typeOf(value)) {
    case "S":
      if (typeof value.S !== "string") throw invalidCall("S has to be a text.");
      return value;
    case "BOOL":
    case "NULL":
      return value;
    case "N":
      return { N: canonical(value.N ?? "") };
    case "SS":
      return { SS: different(value.SS ?? []) };
    case "NS":
      return { NS: different((value.NS ?? []).map(canonical)) };
    case "L":
      return { L: (value.L ?? []).map(storable) };
    case "M":
      return { M: storableItem(value.M ?? {}) };
    default:
      throw invalidCall("The embedded table keeps no binary attributes.");
  }
}

function different(members: readonly string[]): string[] {
  if (members.length === 0) throw invalidCall("One or more parameter values were invalid: a set may not be empty");
  if (new Set(members).size < members.length)
    throw invalidCall("One or more parameter values were invalid: a set contains duplicates");
  return [...members];
}

/** Sets are the same in any order. */
export function isEqual(left: AttributeValue, right: AttributeValue): boolean {
  const type = typeOf(left);
  if (type !== typeOf(right)) return false;
  switch (type) {
    case "N":
      return orderOf(left, right) === 0;
    case "SS":
    case "NS":
      return membersOf(left).join("\n") === membersOf(right).join("\n");
    case "L":
      return left.L?.length === right.L?.length && (left.L ?? []).every((one, i) => isSame(one, right.L?.[i]));
    case "M": {
      const names = Object.keys(left.M ?? {});
      return (
        names.length === Object.keys(right.M ?? {}).length &&
        names.every((name) => isSame(left.M?.[name], right.M?.[name]))
      );
    }
    default:
      return left.S === right.S && left.BOOL === right.BOOL && left.NULL === right.NULL;
  }
}

const isSame = (left: AttributeValue | undefined, right: AttributeValue | undefined): boolean =>
  left !== undefined && right !== undefined && isEqual(left, right);

const membersOf = ({ SS = [], NS = [] }: AttributeValue): string[] =>
  [...SS, ...NS].map((member) => JSON.stringify(member)).sort();

/** Under 0, 0 or over 0; null for what has no order. Texts go by their UTF-8. */
export function orderOf(left: AttributeValue, right: AttributeValue): number | null {
  if (left.S !== undefined && right.S !== undefined)
    return left.S === right.S ? 0 : Buffer.compare(Buffer.from(left.S), Buffer.from(right.S));
  if (left.N !== undefined && right.N !== undefined) return compareDecimals(left.N, right.N);
  return null;
}

/** @throws Error `ValidationException` */
export function requireSize(item: Item): void {
  if (sizeOf(item) > MAX_ITEM_BYTES) throw invalidCall("Item size has exceeded the maximum allowed size");
}

/** In bytes, about as DynamoDB counts: names and values in UTF-8, two digits of a number in one. */
export function sizeOf(item: Item): number {
  let bytes = 0;
  for (const name of Object.keys(item)) bytes += Buffer.byteLength(name) + sizeOfValue(item[name] as AttributeValue);
  return bytes;
}

function sizeOfValue(value: AttributeValue): number {
  if (value.S !== undefined) return Buffer.byteLength(value.S);
  if (value.N !== undefined) return sizeOfNumber(value.N);
  if (value.SS !== undefined) return value.SS.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  if (value.NS !== undefined) return value.NS.reduce((sum, number) => sum + sizeOfNumber(number), 0);
  if (value.L !== undefined) return value.L.reduce((sum, one) => sum + 1 + sizeOfValue(one), 3);
  if (value.M !== undefined) return 3 + Object.keys(value.M).length + sizeOf(value.M);
  return 1;
}

const sizeOfNumber = (text: string): number => Math.ceil(text.length / 2) + 1;
