/** Indexes that lag: what is written to an item shows in them only after a while, in the order of its writes. */
import type { HistoryQuery, HistorySlice } from "../../../shared/ports.ts";

/** Entries of one item, by partition. */
export type Entries = readonly (readonly [partition: string, place: string])[];

interface Shown {
  version: number;
  entries: Entries;
}

export class LaggingIndex {
  private readonly partitions = new Map<string, Map<string, string>>();
  private readonly shown = new Map<string, Shown>();
  private readonly versions = new Map<string, number>();

  /** An item was written: its entries are these from now on. @param show called when the index is told, later */
  write(item: string, entries: Entries, show: (apply: () => void) => void): void {
    const version = (this.versions.get(item) ?? 0) + 1;
    this.versions.set(item, version);
    show(() => this.apply(item, version, entries));
  }

  /** Places in a partition before a bound, in order, with the items that stand there. */
  before(partition: string, bound: string): [place: string, item: string][] {
    const found: [string, string][] = [];
    for (const [item, place] of this.partitions.get(partition) ?? []) if (place < bound) found.push([place, item]);
    return found.sort((a, b) => (a[0] < b[0] ? -1 : 1));
  }

  private apply(item: string, version: number, entries: Entries): void {
    const before = this.shown.get(item);
    if (before !== undefined && before.version > version) return;
    for (const [partition] of before?.entries ?? []) this.partitions.get(partition)?.delete(item);
    for (const [partition, place] of entries) {
      const standing = this.partitions.get(partition);
      if (standing === undefined) this.partitions.set(partition, new Map([[item, place]]));
      else standing.set(item, place);
    }
    this.shown.set(item, { version, entries });
  }
}

/** Events by partition and position; they never change, so there is nothing to be removed. */
export class HistoryPartitions {
  private readonly partitions = new Map<string, string[]>();

  add(partition: string, position: string): void {
    const positions = this.partitions.get(partition);
    if (positions === undefined) {
      this.partitions.set(partition, [position]);
      return;
    }
    let place = positions.length;
    while (place > 0 && (positions[place - 1] as string) > position) place--;
    if (positions[place - 1] !== position) positions.splice(place, 0, position);
  }

  read(query: HistoryQuery, isWanted: (eventId: string) => boolean): HistorySlice {
    const within = (this.partitions.get(query.partition) ?? []).filter(
      (position) => position > query.after && position < query.before,
    );
    if (query.order === "desc") within.reverse();
    const read = within.slice(0, query.limit);
    return {
      positions: read.filter((position) => isWanted(position.slice(position.indexOf("#") + 1))),
      readUpTo: read.length < query.limit ? null : (read.at(-1) ?? null),
    };
  }
}
