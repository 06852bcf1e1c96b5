/**
 * One page of history: the partitions of a selection, each in order, merged into one order.
 *
 * Each partition is read once, in small slices, and further only where the merge needs more: a page costs the same
 * with a thousand events and with a billion, and whether there are gaps in time or not. Where two indexes lead to the
 * same events, the page goes by the one in which less lies between them.
 */
import { comesFirst, PartitionReader } from "./history-partition.ts";
import { type HistoryWay, historyWays } from "./keys.ts";
import { MAX_ENTRIES_PER_PAGE } from "./limits.ts";
import type { EventStore } from "./ports.ts";

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

/** Reads a page. It may be shorter than its limit, even empty, and yet not the last: `next` tells. */
export async function readPage(store: EventStore, query: PageQuery): Promise<Page> {
  const walk = await bestWalk(store, query);
  while (walk.behind.length > 0) {
    if (walk.entriesRead >= MAX_ENTRIES_PER_PAGE) return walk.endEarly();
    await walk.readOn();
  }
  return walk.end();
}

/** Begins with the way that is likely to be the shortest, and tries the other one where that lets little through. */
async function bestWalk(store: EventStore, query: PageQuery): Promise<Walk> {
  const [likely, other] = historyWays(query.selection).map((way) => new Walk(store, query, way));
  const walk = likely as Walk;
  await walk.readOn();
  if (other === undefined || walk.behind.length === 0) return walk;
  await other.readOn();
  // Both have read as much by now: whoever has come farther passes less in vain.
  return other.hasComeFartherThan(walk) ? other : walk;
}

/** One way to a selection: its partitions, and what was found in them. */
class Walk {
  private readonly query: PageQuery;
  private readonly readers: readonly PartitionReader[];
  /** What was found, in order; null when more has been read since. */
  private ordered: readonly string[] | null = null;

  constructor(store: EventStore, query: PageQuery, { index, partitions }: HistoryWay) {
    this.query = query;
    const { selection, order, after, before } = query;
    const { type, agent_type } = selection;
    // The index has decided its own part of the selection.
    const filters = {
      ...(type === undefined || index === "by_type" ? {} : { type }),
      ...(agent_type === undefined || index === "by_agent" ? {} : { agent_type }),
    };
    this.readers = partitions.map(
      (partition) =>
        new PartitionReader(store, { partition, index, order, after, before, ...filters }, partitions.length === 1),
    );
  }

  get entriesRead(): number {
    return this.readers.reduce((sum, { entriesRead }) => sum + entriesRead, 0);
  }

  /** The partitions that may still hold something which belongs on the page. */
  get behind(): readonly PartitionReader[] {
    const last = this.inOrder()[this.query.limit - 1];
    return this.readers.filter(
      ({ readUpTo }) => readUpTo !== null && (last === undefined || this.isBefore(readUpTo, last)),
    );
  }

  /** Reads a slice of each of them. */
  async readOn(): Promise<void> {
    const { behind } = this;
    const share = (this.query.limit - this.known().length) / behind.length;
    const atMost = Math.ceil((MAX_ENTRIES_PER_PAGE - this.entriesRead) / behind.length);
    await Promise.all(behind.map((reader) => reader.readOn(share, atMost)));
    this.ordered = null;
  }

  hasComeFartherThan(other: Walk): boolean {
    const [ours, theirs] = [this.frontier(), other.frontier()];
    return theirs !== null && (ours === null || this.isBefore(theirs, ours));
  }

  /** The page, with nothing behind any more. */
  end(): Page {
    const found = this.inOrder();
    const positions = found.slice(0, this.query.limit);
    const isLast = found.length === positions.length && this.frontier() === null;
    return { positions, next: isLast ? null : (positions.at(-1) ?? null) };
  }

  /** What is known to be in order; goes on later from where every partition has been read to. */
  endEarly(): Page {
    return { positions: this.known(), next: this.frontier() };
  }

  /** The positions up to the frontier. */
  private known(): string[] {
    const frontier = this.frontier();
    return this.inOrder().filter((position) => frontier === null || !this.isBefore(frontier, position));
  }

  /** Where every partition has been read up to; null when all were read to their ends. */
  private frontier(): string | null {
    const places = this.readers.flatMap(({ readUpTo }) => readUpTo ?? []);
    return places.length === 0 ? null : places.reduce((first, one) => (this.isBefore(one, first) ? one : first));
  }

  /** Sorted as texts are by themselves, which is ten times as fast as by a function. */
  private inOrder(): readonly string[] {
    if (this.ordered === null) {
      const ascending = this.readers.flatMap(({ found }) => found).sort();
      this.ordered = this.query.order === "asc" ? ascending : ascending.reverse();
    }
    return this.ordered;
  }

  private isBefore(a: string, b: string): boolean {
    return comesFirst(a, b, this.query.order);
  }
}
