/** One partition of a history index, read slice by slice; how large a slice is goes by how much it is to give. */
import type { EventStore, HistoryQuery } from "./ports.ts";

/** Index entries are about 200 bytes: a slice of this many is well under the 1 MB that a query returns. */
const MAX_SLICE = 1_000;
/** DynamoDB bills a query for 4 KB at least: where a filter leaves some out, fewer than these cost as much. */
const MIN_FILTERED_SLICE = 16;
/** A guess from few entries may be far off: no slice is more than so many times as large as the one before it. */
const MAX_GROWTH = 4;
/**
 * A page is spread over the partitions as chance has it. With so many standard deviations on top of its share, one in two
 * hundred pages needs a second round; a slice of up to 20 entries costs the same anyway, as DynamoDB bills by 4 KB.
 */
const DEVIATIONS = 3;
/** One more tells whether there is more; and where newer ones come last, a slice begins with the one it goes on behind. */
const BESIDE = 2;

export const comesFirst = (a: string, b: string, order: HistoryQuery["order"]): boolean =>
  order === "asc" ? a < b : a > b;

export class PartitionReader {
  /** The positions that match, in order. */
  readonly found: string[] = [];
  /** Entries asked for, matching or not. */
  entriesRead = 0;
  /** The last position read, matching or not; null once nothing is left. */
  readUpTo: string | null;

  private readonly store: EventStore;
  private readonly query: Omit<HistoryQuery, "limit">;
  private readonly isAlone: boolean;
  private readonly isFiltered: boolean;
  private lastSlice = Number.POSITIVE_INFINITY;

  /** @param isAlone whether the whole of a selection is in this one partition */
  constructor(store: EventStore, query: Omit<HistoryQuery, "limit">, isAlone: boolean) {
    this.store = store;
    this.query = query;
    this.isAlone = isAlone;
    this.isFiltered = query.type !== undefined || query.agent_type !== undefined;
    this.readUpTo = query.order === "asc" ? query.after : query.before;
  }

  /** Reads a slice that is likely to give so many. @param atMost entries */
  async readOn(wanted: number, atMost: number): Promise<void> {
    const limit = this.sliceFor(wanted, atMost);
    const { query } = this;
    const from = this.readUpTo ?? "";
    const slice = await this.store.readHistory({
      ...query,
      ...(query.order === "asc" ? { after: from } : { before: from }),
      limit,
    });
    this.entriesRead += limit;
    this.lastSlice = limit;
    this.found.push(...slice.positions);
    this.readUpTo = slice.readUpTo;
  }

  private sliceFor(wanted: number, atMost: number): number {
    const isFirst = this.entriesRead === 0;
    // Alone, it has nobody among whom chance could spread what it holds.
    const likely = wanted + (this.isAlone ? 0 : (isFirst ? DEVIATIONS : 1) * Math.sqrt(wanted));
    // Of what was read so far so much matched; one more of each, so that none does not mean never.
    const passing = isFirst ? 1 : (this.found.length + 1) / (this.entriesRead + 1);
    const size = Math.max(Math.ceil(likely / passing) + BESIDE, this.isFiltered ? MIN_FILTERED_SLICE : 0);
    return Math.min(size, MAX_GROWTH * this.lastSlice, MAX_SLICE, atMost + BESIDE);
  }
}
