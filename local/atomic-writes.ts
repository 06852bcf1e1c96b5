/**
 * Makes dynalite write an item and its places in the indexes at once.
 *
 * By itself it takes an item out of its indexes, puts it into them anew, and then writes the item. A process that is
 * killed in between would leave an event that the reconciler never finds, or a message that stands in a queue twice.
 */
import db, { type Item, type Table } from "dynalite/db/index.js";

/** The names under which dynalite keeps items and indexes in its LevelDB. */
const itemsOf = (table: string): string => `item-${table}~`;
const indexOf = (table: string, index: string): string => `index-global~${table}~${index}~`;

/** For every store of this thread from now on. */
export function writeAtomically(): void {
  db.updateIndexes = (store, table, existingItem, item, done) => {
    const written = item ?? existingItem;
    if (written === undefined || written === null) return done();
    const { puts, deletes } = db.getIndexActions(table.GlobalSecondaryIndexes ?? [], existingItem, item, table);
    store.db.batch(
      [
        ...deletes.map(({ index, key }) => removal(indexOf(table.TableName, index) + key)),
        ...puts.map(({ index, key, item: entry }) => entryAt(indexOf(table.TableName, index) + key, entry)),
        // Dynalite writes it once more, which then changes nothing.
        changeOf(table, written, item),
      ],
      done,
    );
  };
}

const removal = (key: string) => ({ type: "del", key }) as const;
const entryAt = (key: string, value: Item) => ({ type: "put", key, value }) as const;

function changeOf(table: Table, written: Item, item: Item | null | undefined) {
  const key = itemsOf(table.TableName) + db.createKey(written, table);
  return item === null || item === undefined ? removal(key) : entryAt(key, item);
}
