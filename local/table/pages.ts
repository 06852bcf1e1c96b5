/** Stretches of LevelDB, read as far as one call reads: to a limit, or to 1 MB. */
import { type Item, sizeOf } from "./values.ts";
import type { Operation } from "./writes.ts";

/** What the table keeps texts in, by their keys, and in the order of these. */
export interface Texts {
  getSync(key: string): string | undefined;
  /** All of it, or nothing. Once it resolves, a kill of the process does not lose it. */
  batch(operations: readonly Operation[]): Promise<void>;
  values(range: Range & { readonly highWaterMarkBytes: number }): Entries;
}

export interface Entries {
  /** None at the end; fewer than asked for when they are large. */
  nextv(size: number): Promise<readonly string[]>;
  close(): Promise<void>;
}

/** Keys of LevelDB. */
export interface Range {
  readonly gte?: string;
  readonly gt?: string;
  readonly lt: string;
  readonly reverse?: boolean;
}

export interface Page {
  readonly items: readonly Item[];
  /** It was as much as was asked for, or as one call reads: whether there is more or not, as DynamoDB says it. */
  readonly isCut: boolean;
}

/** https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Query.Pagination.html */
const MAX_BYTES = 1024 * 1024;
/** Entries that are fetched at once; most queries find fewer. */
const PORTION = 100;
/** What LevelDB hands over at once. */
const PORTION_BYTES = 256 * 1024;

/** Of one moment: what is written while it reads, it does not see. */
export async function readPage(level: Texts, range: Range, limit: number): Promise<Page> {
  const entries = level.values({ ...range, highWaterMarkBytes: PORTION_BYTES });
  const items: Item[] = [];
  let bytes = 0;
  try {
    for (;;) {
      const portion = await entries.nextv(Math.min(PORTION, limit - items.length));
      // One that is not full is not the last yet: it may have met its bytes.
      if (portion.length === 0) return { items, isCut: false };
      for (const text of portion) {
        const item = JSON.parse(text) as Item;
        items.push(item);
        bytes += sizeOf(item);
        if (items.length >= limit || bytes >= MAX_BYTES) return { items, isCut: true };
      }
    }
  } finally {
    await entries.close();
  }
}
