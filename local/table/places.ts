/** What a change of an item writes: the item, and its places in the indexes. */
import { entryOf, entryPlace, type Layout, ownBits, type Place } from "./layout.ts";
import { type Item, isEqual } from "./values.ts";
import type { Operation } from "./writes.ts";

/**
 * @param read what stands at a place
 * @param place the item's
 * @throws Error `ValidationException` for an attribute that cannot be of an index's key
 */
export function changesOf(
  layout: Layout,
  read: (place: string) => Item | undefined,
  place: string,
  before: Item | undefined,
  after: Item | undefined,
): Operation[] {
  const operations: Operation[] = [];
  const one = after ?? before;
  const own = one === undefined ? "" : ownBits(layout, one);
  for (const index of layout.indexes.values()) {
    if (before !== undefined && after !== undefined && showsSame(index, before, after)) continue;
    const left = before === undefined ? null : entryPlace(index, before, own);
    const taken = after === undefined ? null : entryPlace(index, after, own);
    if (left !== null && left !== taken) operations.push({ type: "del", key: left });
    if (after === undefined || taken === null) continue;
    if (left !== taken) requireFree(layout, read(taken), after);
    operations.push(put(taken, entryOf(index, after)));
  }
  if (after !== undefined) operations.push(put(place, after));
  else if (before !== undefined) operations.push({ type: "del", key: place });
  return operations;
}

/** Whether an index has nothing to learn of a change: most are of what no index shows. */
const showsSame = ({ carries }: Place, before: Item, after: Item): boolean =>
  (carries ?? []).every((name) => {
    const [old, now] = [before[name], after[name]];
    return old === undefined || now === undefined ? old === now : isEqual(old, now);
  });

/**
 * Two items with one key in an index are told apart by 24 bits of a hash (`layout.ts`). All that the bus puts into an index
 * sorts by an id of its own; should two ever meet, neither hides the other.
 */
function requireFree({ table }: Layout, standing: Item | undefined, item: Item): void {
  const isSame = (name: string): boolean => standing?.[name]?.S === item[name]?.S;
  if (standing !== undefined && !(isSame(table.partitionKey) && isSame(table.sortKey)))
    throw new Error("Another item stands at the same place of an index.");
}

const put = (key: string, item: Item): Operation => ({ type: "put", key, value: JSON.stringify(item) });
