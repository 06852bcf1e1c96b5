/**
 * Fills the embedded store's LevelDB with the items of a table, as dynalite would have written them: places and values
 * come from dynalite's own code. What stands in the store is the same byte for byte (a test compares); it is only written
 * in the order of its keys, a hundred thousand events at a time, which takes two minutes for a million where puts take an hour.
 */
import db, { type Item, type Table } from "dynalite/db/index.js";
import { Level } from "level";
import { TABLE_NAME } from "../../local/table.ts";

/** The names under which dynalite keeps its tables, their items, and their indexes. */
const TABLE_KEY = `table~${TABLE_NAME}`;
const ITEMS = `item-${TABLE_NAME}~`;
const indexOf = (index: string): string => `index-global~${TABLE_NAME}~${index}~`;

/** Events whose entries are held and sorted at once, in about 1 GB of memory. */
const CHUNK = 100_000;
/** Entries written at once. */
const BATCH = 5_000;
/** What LevelDB collects before it writes a file. */
const WRITE_BUFFER_BYTES = 64 * 1024 * 1024;

export interface LoadOptions {
  /** The folder of the LevelDB, in which dynalite has made the table; nobody may have it open. */
  readonly path: string;
  readonly count: number;
  readonly itemsAt: (age: number) => readonly Item[];
  readonly progress?: (text: string) => void;
}

export async function bulkLoad({ path, count, itemsAt, progress }: LoadOptions): Promise<void> {
  const level = new Level<string, string>(path, { valueEncoding: "utf8", writeBufferSize: WRITE_BUFFER_BYTES });
  await level.open();
  try {
    const table = JSON.parse((await level.get(TABLE_KEY)) ?? "") as Table;
    // The oldest first, as they would have come.
    for (let age = count - 1; age >= 0; age -= CHUNK) {
      const entries: Entry[] = [];
      for (let one = age; one > age - CHUNK && one >= 0; one--)
        for (const item of itemsAt(one)) entries.push(...entriesOf(table, item));
      await writeSorted(level, entries);
      progress?.(`${count - Math.max(0, age - CHUNK + 1)} of ${count} events are written`);
    }
  } finally {
    await level.close();
  }
}

type Entry = readonly [key: string, value: string];

/** An item, and its places in the indexes. */
function entriesOf(table: Table, item: Item): Entry[] {
  const { puts } = db.getIndexActions(table.GlobalSecondaryIndexes ?? [], null, item, table);
  return [
    [ITEMS + db.createKey(item, table), JSON.stringify(item)],
    ...puts.map(({ index, key, item: entry }): Entry => [indexOf(index) + key, JSON.stringify(entry)]),
  ];
}

async function writeSorted(level: Level<string, string>, entries: Entry[]): Promise<void> {
  entries.sort(([a], [b]) => (a < b ? -1 : 1));
  for (let at = 0; at < entries.length; at += BATCH)
    await level.batch(entries.slice(at, at + BATCH).map(([key, value]) => ({ type: "put", key, value })));
}
