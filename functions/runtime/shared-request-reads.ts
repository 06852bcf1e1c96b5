/**
 * Reads of requests' records, as many together as are due together: all waits of a process whose time has come in one turn of
 * the event loop make one call, and those of the same request one read.
 */
import type { EventStore } from "../../shared/ports.ts";
import type { RequestRecord } from "../../shared/records.ts";

type Reads = Pick<EventStore, "getRequest" | "getRequests">;
type Found = ReadonlyMap<string, RequestRecord>;

/** What is asked for until the end of this turn, and what it will be found to be. */
interface Turn {
  readonly eventIds: Set<string>;
  readonly reading: Promise<Found>;
}

/** Calls a function later, when all who are to read together have asked. */
type Later = (run: () => void) => void;

/** After the timers of this turn: every pause that is over has asked by then. */
const AFTER_TIMERS: Later = (run) => void setImmediate(run);

/**
 * @param later by default after the timers of this turn; sooner where waits hardly ever end by time, but are woken together
 * @returns reads one request, consistently: what was written before it was asked for is seen, so a read that has begun is never
 * joined. Fails as the store does
 */
export function createRequestReads(
  store: Reads,
  later = AFTER_TIMERS,
): (eventId: string) => Promise<RequestRecord | null> {
  let turn: Turn | null = null;

  const beginTurn = (): Turn => {
    const eventIds = new Set<string>();
    const reading = new Promise<Found>((resolve, reject) => {
      later(() => {
        turn = null;
        readTogether(store, [...eventIds]).then(resolve, reject);
      });
    });
    return { eventIds, reading };
  };

  return async (eventId) => {
    turn ??= beginTurn();
    turn.eventIds.add(eventId);
    return (await turn.reading).get(eventId) ?? null;
  };
}

async function readTogether(store: Reads, eventIds: readonly string[]): Promise<Found> {
  const [first = ""] = eventIds;
  const found = eventIds.length === 1 ? [await store.getRequest(first)] : await store.getRequests(eventIds);
  return new Map(found.filter((request) => request !== null).map((request) => [request.eventId, request]));
}
