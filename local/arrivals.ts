/**
 * What was recorded, in the order in which it was: so that a live stream that is woken is told what is new, and does not
 * look through the last seconds of all partitions to find it.
 *
 * All events go through this process. Where one may have been recorded and nobody knows whether it was, all marks lapse,
 * and the streams look for themselves.
 */
import type { BusEvent } from "../shared/event.ts";
import type { Selection } from "../shared/history-page.ts";
import { timeKey } from "../shared/keys.ts";
import type { Arrivals } from "../shared/live-stream.ts";
import type { EventStore } from "../shared/ports.ts";

/** A stream that has fallen further behind looks for itself; a bound, not a target. */
const MAX_ARRIVALS = 8_192;

/** What is kept of an event: where it stands in history, and what streams choose by. */
type Arrival = Selection & { readonly position: string };

/** Survives reloads: streams of old code must hear of what new code records. */
export interface ArrivalLog extends Arrivals {
  note(event: BusEvent): void;
  /** What came may not be all that did: no mark before now tells anything any more. */
  lapse(): void;
}

export function createArrivalLog(): ArrivalLog {
  let arrived: Arrival[] = [];
  /** How many came before the first of them. */
  let before = 0;

  const drop = (count: number): void => {
    before += count;
    arrived = arrived.slice(count);
  };

  return {
    note({ id, timestamp, type, agent_type, correlation_id }) {
      const chosenBy = { type, correlation_id, ...(agent_type === undefined ? {} : { agent_type }) };
      arrived.push({ position: timeKey(timestamp, id), ...chosenBy });
      if (arrived.length > MAX_ARRIVALS) drop(MAX_ARRIVALS / 2);
    },
    lapse() {
      drop(arrived.length);
      // Also what was marked just now.
      before++;
    },
    mark: () => before + arrived.length,
    since(mark, selection) {
      if (mark < before) return null;
      return arrived
        .slice(mark - before)
        .filter((arrival) => isOf(arrival, selection))
        .map(({ position }) => position);
    },
  };
}

const isOf = (arrival: Arrival, { type, agent_type, correlation_id }: Selection): boolean =>
  (type === undefined || arrival.type === type) &&
  (agent_type === undefined || arrival.agent_type === agent_type) &&
  (correlation_id === undefined || arrival.correlation_id === correlation_id);

/** The store, which notes what is recorded. */
export function notingStore(store: EventStore, arrivals: ArrivalLog): EventStore {
  return Object.assign(Object.create(store) as EventStore, {
    async putEvent(record) {
      try {
        const put = await store.putEvent(record);
        if (put.kind === "created") arrivals.note(record.event);
        // What stands may have been recorded when nobody knew whether it was.
        else arrivals.lapse();
        return put;
      } catch (error) {
        // It may have been recorded.
        arrivals.lapse();
        throw error;
      }
    },
  } satisfies Partial<EventStore>);
}
