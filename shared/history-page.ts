/**
 * One page of history: the partitions of a selection, each in order, merged into one order.
 *
 * Each partition is read once, in small slices, and further only where the merge needs more: a page costs the same
 * with a thousand events and with a billion, and whether there are gaps in time or not.
 */
import { type HistoryIndex, historyPartitions } from "./keys.ts";
import { MAX_ENTRIES_PER_PAGE } from "./limits.ts";
import type { EventStore, HistoryQuery } from "./ports.ts";

/** Before and after every position; years of four digits. */
export const FIRST_POSITION = "0";
export const LAST_POSITION = "9999-12-31T23:59:59.999Z";

/** Which events; the filters combine. */
export interface Selection {
  readonly type?: string;
  readonly agent_type?: string;
  readonly correlation_id?: string;
}

export interface PageQuery {
  readonly selection: Selection;
  readonly order: "asc" | "desc";
  /** Positions (`<timestamp>#<id>`), both exclusive. */
  readonly after: string;
  readonly before: string;
  readonly limit: number;
}

export interface Page {
  /** Positions in order. */
  readonly positions: readonly string[];
  /** Where the next page starts, exclusive; null when this is the last. */
  readonly next: string | null;
}

/** Index entries are about 200 bytes: a slice of this many is well under the 1 MB that a query returns. */
const MAX_SLICE = 1_000;

/** Reads a page. It may be shorter than its limit, even empty, and yet not the last: `next` tells. */
export async function readPage(store: EventStore, query: PageQuery): Promise<Page> {
  const { index, partitions } = historyPartitions(query.selection);
  const sliceSize = Math.ceil(query.limit / partitions.length) + 2;
  const readers = partitions.map((partition) => new PartitionReader(store, query, index, partition, sliceSize));
  await Promise.all(readers.map((reader) => reader.fill()));

  const positions: string[] = [];
  while (positions.length < query.limit) {
    // The next in order is known once every partition shows its own next, or has none.
    const waiting = readers.filter((reader) => reader.isWaiting);
    const entriesRead = readers.reduce((sum, reader) => sum + reader.entriesRead, 0);
    if (waiting.length > 0 && entriesRead >= MAX_ENTRIES_PER_PAGE) return endEarly(readers, query, positions);
    if (waiting.length > 0) await Promise.all(waiting.map((reader) => reader.fill()));
    else {
      const first = firstOf(readers, query.order);
      if (first === null) return { positions, next: null };
      positions.push(first.take());
    }
  }
  const isLast = readers.every((reader) => reader.isDone);
  return { positions, next: isLast ? null : (positions.at(-1) ?? null) };
}

/** Takes what is known to be in order, and goes on later from where every partition has been read to. */
function endEarly(readers: readonly PartitionReader[], { order, limit }: PageQuery, positions: string[]): Page {
  const frontiers = readers.filter((reader) => reader.isWaiting).map((reader) => reader.readUpTo as string);
  const frontier = frontiers.reduce((best, one) => (comesFirst(one, best, order) ? one : best));
  for (;;) {
    const first = firstOf(readers, order);
    if (first === null || !comesFirst(first.head as string, frontier, order)) return { positions, next: frontier };
    positions.push(first.take());
    if (positions.length === limit) return { positions, next: positions.at(-1) as string };
  }
}

const comesFirst = (a: string, b: string, order: PageQuery["order"]): boolean => (order === "asc" ? a < b : a > b);

/** The reader whose head comes first; null when none shows any. */
function firstOf(readers: readonly PartitionReader[], order: PageQuery["order"]): PartitionReader | null {
  return readers
    .filter((reader) => reader.head !== undefined)
    .reduce<PartitionReader | null>(
      (best, reader) =>
        best === null || comesFirst(reader.head as string, best.head as string, order) ? reader : best,
      null,
    );
}

/** One partition, read slice by slice. */
class PartitionReader {
  private buffer: string[] = [];
  private exhausted = false;
  /** Matching or not. */
  entriesRead = 0;
  readUpTo: string | null = null;

  private readonly store: EventStore;
  private readonly query: PageQuery;
  private readonly index: HistoryIndex;
  private readonly partition: string;
  private sliceSize: number;

  constructor(store: EventStore, query: PageQuery, index: HistoryIndex, partition: string, sliceSize: number) {
    this.store = store;
    this.query = query;
    this.index = index;
    this.partition = partition;
    this.sliceSize = sliceSize;
  }

  get head(): string | undefined {
    return this.buffer[0];
  }

  /** It may hold more, but shows nothing yet. */
  get isWaiting(): boolean {
    return this.buffer.length === 0 && !this.exhausted;
  }

  get isDone(): boolean {
    return this.buffer.length === 0 && this.exhausted;
  }

  take(): string {
    return this.buffer.shift() as string;
  }

  async fill(): Promise<void> {
    const slice = await this.store.readHistory(this.nextSlice());
    this.entriesRead += this.sliceSize;
    this.buffer.push(...slice.positions);
    // A filter that lets little through is better served by fewer and larger slices.
    if (slice.positions.length === 0) this.sliceSize = Math.min(4 * this.sliceSize, MAX_SLICE);
    this.exhausted = slice.readUpTo === null;
    if (slice.readUpTo !== null) this.readUpTo = slice.readUpTo;
  }

  private nextSlice(): HistoryQuery {
    const { selection, order, after, before } = this.query;
    const { type, agent_type } = selection;
    return {
      partition: this.partition,
      index: this.index,
      order,
      after: order === "asc" ? (this.readUpTo ?? after) : after,
      before: order === "desc" ? (this.readUpTo ?? before) : before,
      limit: this.sliceSize,
      // The index has decided its own part of the selection.
      ...(type === undefined || this.index === "by_type" ? {} : { type }),
      ...(agent_type === undefined || this.index === "by_agent" ? {} : { agent_type }),
    };
  }
}
