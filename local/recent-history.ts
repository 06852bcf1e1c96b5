/**
 * The newest of history, in memory: each live stream looks at it when it opens and twice a second, each time at the last
 * seconds of all partitions of what it follows. (What is new it is told in between: `arrivals.ts`.)
 *
 * All events go through this process. So what was read of a partition up to its end stays whole when each event that is
 * recorded from then on is added; what cannot be told for certain is forgotten, and read anew.
 */
import { LAST_POSITION } from "../shared/history-page.ts";
import { historyKeys, TABLE } from "../shared/keys.ts";
import type { EventStore, HistoryQuery, HistorySlice } from "../shared/ports.ts";
import type { EventRecord } from "../shared/records.ts";

/** Of each partition; streams look back some seconds. */
const MAX_POSITIONS = 8_192;
/** What is longer is looked at by somebody who catches up: once, and then no more. */
const READ_AT_ONCE = 1_000;
/** A type has eight, and a conversation one; a bound, not a target. */
const MAX_PARTITIONS = 1_024;

/** The end of one partition. */
interface Tail {
  /** It is whole after this position. */
  from: string;
  /** In order. Those that were added while it is being read stand here, too. */
  positions: string[];
  /** Null once it is read. */
  reading: Promise<void> | null;
}

/** Ends of partitions, by index and partition. Survives reloads: streams of old code must hear of what new code records. */
export type RecentHistory = Map<string, Tail>;

export const createRecentHistory = (): RecentHistory => new Map();

/** The store, which reads what streams look at once, and from then on knows it. */
export function withRecentHistory(store: EventStore, tails: RecentHistory): EventStore {
  async function readHistory(query: HistoryQuery): Promise<HistorySlice> {
    if (!isOfTail(query)) return store.readHistory(query);
    const known = tails.get(placeOf(query));
    if (known === undefined || known.from > query.after) return readTail(query);
    await known.reading;
    // Forgotten meanwhile, it is read like any other.
    return tails.get(placeOf(query)) === known ? sliceOf(known, query) : store.readHistory(query);
  }

  /** Reads a stretch; where that is the rest of its partition, it is known from now on. */
  async function readTail(query: HistoryQuery): Promise<HistorySlice> {
    if (tails.size >= MAX_PARTITIONS) tails.clear();
    const place = placeOf(query);
    let read: () => void = () => {};
    const reading = new Promise<void>((resolve) => {
      read = resolve;
    });
    const tail: Tail = { from: query.after, positions: [], reading };
    tails.set(place, tail);
    try {
      const { positions, readUpTo } = await store.readHistory({ ...query, limit: Math.max(query.limit, READ_AT_ONCE) });
      for (const position of positions) insert(tail, position);
      if (readUpTo !== null) forget(place, tail);
      return sliceOf({ positions }, query);
    } catch (error) {
      forget(place, tail);
      throw error;
    } finally {
      tail.reading = null;
      read();
    }
  }

  /** Unless another has taken its place. */
  function forget(place: string, tail: Tail | undefined): void {
    if (tails.get(place) === tail) tails.delete(place);
  }

  return Object.assign(Object.create(store) as EventStore, {
    readHistory,
    async putEvent(record) {
      const places = placesOf(record);
      try {
        const put = await store.putEvent(record);
        for (const [place, position] of places) {
          const tail = tails.get(place);
          if (tail === undefined) continue;
          if (put.kind === "created") insert(tail, position);
          // What stands may have been recorded when nobody knew whether it was.
          else tails.delete(place);
        }
        return put;
      } catch (error) {
        // It may have been recorded.
        for (const [place] of places) tails.delete(place);
        throw error;
      }
    },
  } satisfies Partial<EventStore>);
}

/** Whether it asks for all that comes after a position. */
const isOfTail = ({ order, before, type, agent_type }: HistoryQuery): boolean =>
  order === "asc" && before === LAST_POSITION && type === undefined && agent_type === undefined;

const placeOf = ({ index, partition }: Pick<HistoryQuery, "index" | "partition">): string => `${index} ${partition}`;

/** Where an event stands in each of the indexes of history. */
function placesOf({ event }: EventRecord): [place: string, position: string][] {
  const keys = historyKeys(event);
  const position = keys[TABLE.indexes.by_time.sortKey] as string;
  return (["by_type", "by_agent", "by_conversation", "by_time"] as const).flatMap((index) => {
    const partition = keys[TABLE.indexes[index].partitionKey];
    return partition === undefined ? [] : [[placeOf({ index, partition }), position] as [string, string]];
  });
}

/** As the index would answer: cut when there are as many as were asked for, whether there are more or not. */
function sliceOf(
  { positions }: { readonly positions: readonly string[] },
  { after, limit }: HistoryQuery,
): HistorySlice {
  const start = placeAfter(positions, after);
  const found: readonly string[] = positions.slice(start, start + limit);
  return { positions: found, readUpTo: found.length < limit ? null : (found.at(-1) ?? null) };
}

function insert(tail: Tail, position: string): void {
  const { positions } = tail;
  if (position <= tail.from) return;
  const place = placeAfter(positions, position);
  if (positions[place - 1] === position) return;
  positions.splice(place, 0, position);
  if (positions.length <= MAX_POSITIONS) return;
  const left = positions.splice(0, MAX_POSITIONS / 2);
  tail.from = left.at(-1) as string;
}

/** How many positions are not after this one. Nearly always it is one of the last. */
function placeAfter(positions: readonly string[], position: string): number {
  let low = 0;
  let high = positions.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((positions[middle] as string) <= position) low = middle + 1;
    else high = middle;
  }
  return low;
}
