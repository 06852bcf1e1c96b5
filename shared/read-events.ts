/** Events by their positions, in portions of bounded size: what is large is never held in memory all at once. */
import { utf8Bytes } from "./input.ts";
import type { EventStore } from "./ports.ts";
import type { EventRecord } from "./records.ts";

/** What a portion should have, in bytes: well below the 16 MB of a BatchGetItem and the memory of a small function. */
const PORTION_BYTES = 1_000_000;
/** A BatchGetItem takes 100 keys. */
const MAX_PORTION = 100;
/** Nothing is known of the first: as many as would be 5 MB if all were as large as they may be. */
const FIRST_PORTION = 25;

export interface EventPortion {
  readonly positions: readonly string[];
  /** Those that exist still, in the order of the positions. */
  readonly records: readonly EventRecord[];
  /** Of the records, as they are served. */
  readonly bytes: number;
}

export const eventIdAt = (position: string): string => position.slice(position.indexOf("#") + 1);

export async function* readEvents(store: EventStore, positions: readonly string[]): AsyncGenerator<EventPortion> {
  let size = FIRST_PORTION;
  for (let at = 0; at < positions.length; ) {
    const portion = positions.slice(at, at + size);
    const records = await store.getEvents(portion.map(eventIdAt));
    const bytes = records.reduce((sum, record) => sum + utf8Bytes(record.event), 0);
    yield { positions: portion, records, bytes };
    at += portion.length;
    const bytesEach = Math.max(1, bytes / Math.max(1, records.length));
    size = Math.max(1, Math.min(MAX_PORTION, Math.floor(PORTION_BYTES / bytesEach)));
  }
}
