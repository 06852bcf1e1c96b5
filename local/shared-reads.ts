/**
 * One read for all who look for the same at the same time: the live streams, which a new event wakes together.
 *
 * All writes go through this process, so what was read stays true until the next event is recorded.
 */
import type { EventStore } from "../shared/ports.ts";
import { type ArrivalLog, createArrivalLog, notingStore } from "./arrivals.ts";
import { createRecentHistory, type RecentHistory, withRecentHistory } from "./recent-history.ts";
import { createRememberedReads, type RememberedReads, rememberingStore } from "./remembered-reads.ts";

/** More than all streams together ask for between two events; a bound, not a target. */
const MAX_KEPT = 256;
/** Events expire by the clock, not by a write; and what nobody asks for any more need not be kept. */
const KEPT_MS = 1_000;

/** What was read since the last write. Survives reloads: the streams of old code must hear of the writes of the new. */
export interface SharedReads {
  share<T>(key: string, read: () => Promise<T>): Promise<T>;
  forget(): void;
  /** What needs not be read again after a write, because it is known what that has changed. */
  readonly arrivals: ArrivalLog;
  readonly recent: RecentHistory;
  readonly remembered: RememberedReads;
}

export function createSharedReads(): SharedReads {
  let kept = new Map<string, Promise<unknown>>();
  let timer: NodeJS.Timeout | undefined;

  const forget = (): void => {
    clearTimeout(timer);
    timer = undefined;
    kept = new Map();
  };

  return {
    forget,
    arrivals: createArrivalLog(),
    recent: createRecentHistory(),
    remembered: createRememberedReads(),
    share<T>(key: string, read: () => Promise<T>): Promise<T> {
      if (kept.size >= MAX_KEPT) forget();
      const underWay = kept.get(key) as Promise<T> | undefined;
      if (underWay !== undefined) return underWay;
      const reading = read();
      const place = kept;
      place.set(key, reading);
      reading.catch(() => place.delete(key));
      timer ??= setTimeout(forget, KEPT_MS).unref();
      return reading;
    },
  };
}

export function sharingStore(store: EventStore, reads: SharedReads): EventStore {
  const looking = withRecentHistory(withSharedReads(store, reads), reads.recent);
  return rememberingStore(notingStore(looking, reads.arrivals), reads.remembered);
}

function withSharedReads(store: EventStore, { share, forget }: SharedReads): EventStore {
  return Object.assign(Object.create(store) as EventStore, {
    readHistory: (query) => share(JSON.stringify(query), () => store.readHistory(query)),
    getEvents: (eventIds) => share(JSON.stringify(eventIds), () => store.getEvents(eventIds)),
    // A read that began before may have missed it: it is forgotten once the event stands.
    putEvent: (record) => store.putEvent(record).finally(forget),
  } satisfies Partial<EventStore>);
}
