/**
 * One read for all who look for the same at the same time: the live streams, which a new event wakes together.
 *
 * All writes go through this process, so what was read stays true until the next event is recorded.
 */
import type { EventStore } from "../shared/ports.ts";

/** More than all streams together ask for between two events; a bound, not a target. */
const MAX_KEPT = 256;
/** Events expire by the clock, not by a write. */
const KEPT_MS = 1_000;

export function sharingStore(store: EventStore): EventStore {
  let kept = new Map<string, Promise<unknown>>();
  let keptSince = 0;

  const share = <T>(key: string, read: () => Promise<T>): Promise<T> => {
    if (kept.size >= MAX_KEPT || performance.now() - keptSince > KEPT_MS) forget();
    const underWay = kept.get(key) as Promise<T> | undefined;
    if (underWay !== undefined) return underWay;
    const reading = read();
    const place = kept;
    place.set(key, reading);
    reading.catch(() => place.delete(key));
    return reading;
  };
  const forget = (): void => {
    kept = new Map();
    keptSince = performance.now();
  };

  return Object.assign(Object.create(store) as EventStore, {
    readHistory: (query) => share(JSON.stringify(query), () => store.readHistory(query)),
    getEvents: (eventIds) => share(JSON.stringify(eventIds), () => store.getEvents(eventIds)),
    // A read that began before may have missed it: it is forgotten once the event stands.
    putEvent: (record) => store.putEvent(record).finally(forget),
  } satisfies Partial<EventStore>);
}
