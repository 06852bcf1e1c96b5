/**
 * Fills the embedded store's LevelDB with the items of a table, as it would have written them: places and values come from
 * its own code. What stands in the store is the same byte for byte (a test compares); it is only written in the order of its
 * keys, a hundred thousand events at a time.
 */
import { Level } from "level";
import { itemPlace, layoutOf } from "../../local/table/layout.ts";
import { changesOf } from "../../local/table/places.ts";
import type { Item } from "../../local/table/values.ts";
import type { Operation } from "../../local/table/writes.ts";
import { TABLE_NAME } from "../../local/table.ts";

const LAYOUT = layoutOf(TABLE_NAME);

/** Sorts after all of these. */
const AFTER_ALL = "~";

/** Events whose entries are held and sorted at once, in about 1 GB of memory. */
const CHUNK = 100_000;
/** Entries written at once. */
const BATCH = 5_000;
/** What LevelDB collects before it writes a file. */
const WRITE_BUFFER_BYTES = 64 * 1024 * 1024;

export interface LoadOptions {
  /** The folder of the LevelDB, in which there is the empty table; nobody may have it open. */
  readonly path: string;
  readonly count: number;
  readonly itemsAt: (age: number) => readonly Item[];
  readonly progress?: (text: string) => void;
}

type Texts = Level<string, string>;

/** `level` is LevelDB here, and in browsers something that does not have this. */
interface Compacting {
  compactRange(start: string, end: string): Promise<void>;
}

export async function bulkLoad({ path, count, itemsAt, progress }: LoadOptions): Promise<void> {
  const level: Texts = new Level<string, string>(path, { valueEncoding: "utf8", writeBufferSize: WRITE_BUFFER_BYTES });
  await level.open();
  try {
    // The oldest first, as they would have come.
    for (let age = count - 1; age >= 0; age -= CHUNK) {
      const entries: Operation[] = [];
      for (let one = age; one > age - CHUNK && one >= 0; one--)
        for (const item of itemsAt(one)) entries.push(...entriesOf(item));
      await writeSorted(level, entries);
      progress?.(`${count - Math.max(0, age - CHUNK + 1)} of ${count} events are written`);
    }
    // What LevelDB would merge later it merges now, and not while it is measured.
    await (level as Texts & Compacting).compactRange("", AFTER_ALL);
  } finally {
    await level.close();
  }
}

/** An item, and its places in the indexes. */
const entriesOf = (item: Item): Operation[] =>
  changesOf(LAYOUT, () => undefined, itemPlace(LAYOUT, item), undefined, item);

async function writeSorted(level: Texts, entries: Operation[]): Promise<void> {
  entries.sort((a, b) => (a.key < b.key ? -1 : 1));
  for (let at = 0; at < entries.length; at += BATCH) await level.batch(entries.slice(at, at + BATCH));
}
