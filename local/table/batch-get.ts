/** Many items by their keys: up to 100, up to 16 MB. */
import type { BatchGetItemInput, BatchGetItemOutput } from "@aws-sdk/client-dynamodb";
import { invalidCall, tableNotFound } from "./errors.ts";
import { requireOnly } from "./inputs.ts";
import { type Item, sizeOf } from "./values.ts";

/** https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html */
const MAX_KEYS = 100;
const MAX_BYTES = 16 * 1024 * 1024;

/** @throws Error `ValidationException`; `ResourceNotFoundException` for another table */
export function batchGet(
  input: BatchGetItemInput,
  tableName: string,
  placeOf: (key: Item) => string,
  read: (place: string) => Item | undefined,
): BatchGetItemOutput {
  requireOnly(input, ["RequestItems"]);
  const asked = Object.entries(input.RequestItems ?? {});
  const other = asked.find(([name]) => name !== tableName);
  if (other !== undefined) throw tableNotFound(other[0]);
  const [, { Keys = [], ...rest } = {}] = asked[0] ?? [];
  requireOnly(rest, ["ConsistentRead"]);
  const places = Keys.map(placeOf);
  if (places.length === 0 || places.length > MAX_KEYS)
    throw invalidCall(`A BatchGetItem takes 1 to ${MAX_KEYS} keys, and not ${places.length}.`);
  if (new Set(places).size < places.length) throw invalidCall("Provided list of item keys contains duplicates");

  const items: Item[] = [];
  let bytes = 0;
  for (const [i, place] of places.entries()) {
    const item = read(place);
    if (item === undefined) continue;
    bytes += sizeOf(item);
    if (bytes > MAX_BYTES) return answer(tableName, items, { ...rest, Keys: Keys.slice(i) });
    items.push(item);
  }
  return answer(tableName, items, null);
}

const answer = (
  tableName: string,
  items: Item[],
  left: NonNullable<BatchGetItemInput["RequestItems"]>[string] | null,
): BatchGetItemOutput => ({
  Responses: { [tableName]: items },
  UnprocessedKeys: left === null ? {} : { [tableName]: left },
});
