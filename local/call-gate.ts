/**
 * How many calls are under way at once. On AWS each function has so many environments and no more; here each has so many
 * places. What comes beyond them is turned away at once and unread: so the calls that were let in take as long as they
 * do when all places are taken, however many come, and a flood on one function leaves the others alone.
 */
import { COSTS } from "../functions/runtime/call-cost.ts";
import type { Agent } from "../shared/agents/agent.ts";
import { BusError } from "../shared/errors.ts";
import { type ApiFunction, matchRoute } from "../shared/routes.ts";

/** Calls of one function that are worked on at once: twice as many as it takes to keep everything busy, so each takes twice as long. */
const WORKING_PLACES = 128;

/** Calls of one function that wait for something to come: they cost a socket and some memory. */
const HELD_PLACES = 4_000;

/** So many of each one agent may have, that there are some left for others. */
const WORKING_PLACES_PER_AGENT = 96;
const HELD_PLACES_PER_AGENT = 3_000;

/** A place is free again when any call has ended. */
const RETRY_AFTER_MS = 1_000;

export interface GateLimits {
  readonly working: number;
  readonly workingPerAgent: number;
  readonly held: number;
  readonly heldPerAgent: number;
}

/** What is known of a call before it is read. */
interface Arrival {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
}

/** A place that a call has. */
export interface Place {
  /** Whose call it is, once that is known. @throws BusError `rate_limited` when the agent has too many */
  takeFor(agent: Pick<Agent, "id" | "isOpen">): void;
  /** To be called once, when the call has ended. */
  leave(): void;
}

export interface CallGate {
  /** @throws BusError `overloaded` when there is no place */
  enter(arrival: Arrival): Place;
}

const DEFAULT_LIMITS: GateLimits = {
  working: WORKING_PLACES,
  workingPerAgent: WORKING_PLACES_PER_AGENT,
  held: HELD_PLACES,
  heldPerAgent: HELD_PLACES_PER_AGENT,
};

export function createCallGate(limits: GateLimits = DEFAULT_LIMITS): CallGate {
  const { working, workingPerAgent, held, heldPerAgent } = limits;
  const taken = new Map<string, number>();
  const count = (what: string, by: number): void => {
    const now = (taken.get(what) ?? 0) + by;
    if (now > 0) taken.set(what, now);
    else taken.delete(what);
  };
  const takenBy = (what: string): number => taken.get(what) ?? 0;

  return {
    enter(arrival) {
      const room = roomFor(arrival);
      if (room === null) return { takeFor: () => {}, leave: () => {} };
      const { name, isHeld } = room;
      const most = isHeld ? held : working;
      if (takenBy(name) >= most)
        throw new BusError("overloaded", `${most} such calls are under way, as many as this bus takes on at once.`, {
          retryAfterMs: RETRY_AFTER_MS,
        });
      const mine = [name];
      count(name, 1);
      return {
        takeFor({ id, isOpen = false }) {
          // Where nobody proves who he is, all are one agent: there are no others.
          if (isOpen && !isHeld) return;
          const ofAgent = `${name} of ${id}`;
          const most = isHeld ? heldPerAgent : workingPerAgent;
          if (takenBy(ofAgent) >= most)
            throw new BusError("rate_limited", `An agent may have ${most} such calls under way at once.`, {
              retryAfterMs: RETRY_AFTER_MS,
            });
          mine.push(ofAgent);
          count(ofAgent, 1);
        },
        leave() {
          for (const what of mine.splice(0)) count(what, -1);
        },
      };
    },
  };
}

/** Where a call belongs; null for what costs nothing and is always told. */
function roomFor({ method, path, query }: Arrival): { readonly name: string; readonly isHeld: boolean } | null {
  const match = matchRoute(method, path);
  if (match.kind === "unmatched") return { name: UNMATCHED_BY, isHeld: false };
  if (COSTS[match.operation].tokens === 0) return null;
  const isHeld = match.operation === "request" || match.operation === "stream" || Number(query.get("wait")) > 0;
  return { name: isHeld ? `${match.servedBy}, held` : match.servedBy, isHeld };
}

/** It tells what is not there. */
const UNMATCHED_BY: ApiFunction = "history";
