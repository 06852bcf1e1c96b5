/** A store in memory that has history's indexes as the table has them, and counts what is read of them. */

import { historyKeys, TABLE } from "../../shared/keys.ts";
import type { HistoryQuery, HistorySlice } from "../../shared/ports.ts";
import type { CreateOutcome, EventRecord } from "../../shared/records.ts";
import { MemoryEventStore } from "./memory-event-store.ts";

interface Entry {
  readonly position: string;
  readonly type: string;
  readonly agent_type: string | undefined;
}

/** Events are put into it in the order of their times. Records are given out as they are: nobody changes them. */
export class CountingHistory extends MemoryEventStore {
  private readonly partitions = new Map<string, Entry[]>();
  private items = 0;

  constructor(now: () => number) {
    super(now, (record) => record);
  }

  /** How many index entries and events were read since the last time. */
  takeItems(): number {
    const { items } = this;
    this.items = 0;
    return items;
  }

  override async putEvent(record: EventRecord): Promise<CreateOutcome<EventRecord>> {
    const attributes = historyKeys(record.event);
    const { type, agent_type } = record.event;
    for (const index of ["by_type", "by_agent", "by_conversation", "by_time"] as const) {
      const partition = attributes[TABLE.indexes[index].partitionKey];
      if (partition === undefined) continue;
      const entries = this.partitions.get(partition) ?? [];
      entries.push({ position: attributes["time_sk"] ?? "", type, agent_type });
      this.partitions.set(partition, entries);
    }
    return super.putEvent(record);
  }

  override async readHistory({ order, after, before, limit, ...query }: HistoryQuery): Promise<HistorySlice> {
    const entries = this.partitions.get(query.partition) ?? [];
    const within = entries.slice(firstBehind(entries, after), firstBehind(entries, before, false));
    const read = order === "asc" ? within.slice(0, limit) : within.slice(-limit).reverse();
    this.items += read.length;
    const matching = read.filter(
      ({ type, agent_type }) =>
        (query.type === undefined || type === query.type) &&
        (query.agent_type === undefined || agent_type === query.agent_type),
    );
    return {
      positions: matching.map(({ position }) => position),
      readUpTo: read.length < limit ? null : (read.at(-1)?.position ?? null),
    };
  }

  override async getEvents(eventIds: readonly string[]): Promise<EventRecord[]> {
    const records = await super.getEvents(eventIds);
    this.items += records.length;
    return records;
  }
}

/** Where the entries begin that come behind a position; with those at it, when it is not theirs to be left out. */
function firstBehind(entries: readonly Entry[], position: string, isExclusive = true): number {
  let [low, high] = [0, entries.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    const one = (entries[middle] as Entry).position;
    if (one < position || (isExclusive && one === position)) low = middle + 1;
    else high = middle;
  }
  return low;
}
