/**
 * What every question reads and hardly ever changes: who listens to its type, and whether its agent may have one more wait.
 * All writes go through this process, so what was read stays true until one of them touches it.
 */
import type { EventStore } from "../shared/ports.ts";
import type { ListenerLease } from "../shared/records.ts";

/** Types that are asked, and agents that ask; bounds, not targets. */
const MAX_TYPES = 1_000;
const MAX_AGENTS = 1_000;

/** Survives reloads: new code must hear of what old code writes. */
export interface RememberedReads {
  /** By type. */
  readonly listeners: Map<string, Promise<readonly ListenerLease[]>>;
  /** By agent. */
  readonly waits: Map<string, WaitsOfAgent>;
}

/** How many waits an agent has open at the most: those that were counted, and all that were opened since. */
interface WaitsOfAgent {
  /** Null until they have been counted. */
  atMost: number | null;
  /** Being opened at this moment: a count may show them or not. */
  underWay: number;
  /** All that were ever begun. */
  begun: number;
}

export const createRememberedReads = (): RememberedReads => ({ listeners: new Map(), waits: new Map() });

export function rememberingStore(store: EventStore, { listeners, waits }: RememberedReads): EventStore {
  /** A read that began before a write may have missed it, one that began during it, too. */
  async function changing<T>(eventType: string, write: () => Promise<T>): Promise<T> {
    listeners.delete(eventType);
    try {
      return await write();
    } finally {
      listeners.delete(eventType);
    }
  }

  function listenersOf(eventType: string, nowMs: number): Promise<readonly ListenerLease[]> {
    const known = listeners.get(eventType);
    if (known !== undefined) return known;
    if (listeners.size >= MAX_TYPES) listeners.clear();
    const reading = store.getListeners(eventType, nowMs);
    listeners.set(eventType, reading);
    reading.catch(() => {
      if (listeners.get(eventType) === reading) listeners.delete(eventType);
    });
    return reading;
  }

  /** What a call has of it stays true while others are forgotten: only those that nobody works with are. */
  function waitsOf(agentId: string): WaitsOfAgent {
    const known = waits.get(agentId);
    if (known !== undefined) return known;
    if (waits.size >= MAX_AGENTS) for (const [idle, { underWay }] of waits) if (underWay === 0) waits.delete(idle);
    const ofAgent = { atMost: null, underWay: 0, begun: 0 };
    waits.set(agentId, ofAgent);
    return ofAgent;
  }

  return Object.assign(Object.create(store) as EventStore, {
    putListener: (lease) => changing(lease.eventType, () => store.putListener(lease)),
    deleteListener: (lease) => changing(lease.eventType, () => store.deleteListener(lease)),
    // What had run out when it was read stays so; what has run out since is left out now.
    getListeners: async (eventType, nowMs) =>
      (await listenersOf(eventType, nowMs)).filter(({ leasedUntil }) => leasedUntil > nowMs),

    async createRequest(request) {
      const ofAgent = waitsOf(request.requester);
      ofAgent.begun++;
      ofAgent.underWay++;
      if (ofAgent.atMost !== null) ofAgent.atMost++;
      try {
        return await store.createRequest(request);
      } finally {
        ofAgent.underWay--;
      }
    },
    async countHeld(kind, agentId, at, atMost) {
      if (kind !== "wait") return store.countHeld(kind, agentId, at, atMost);
      const ofAgent = waitsOf(agentId);
      // Answers and deadlines only make them fewer: where there is room for all that were opened, there is room.
      if (ofAgent.atMost !== null && ofAgent.atMost < atMost) return { count: ofAgent.atMost, firstEndsAt: null };
      const { begun, underWay } = ofAgent;
      const held = await store.countHeld(kind, agentId, at, atMost);
      // It is counted no further than asked: there may be more.
      ofAgent.atMost = held.count < atMost ? held.count + underWay + ofAgent.begun - begun : null;
      return held;
    },
  } satisfies Partial<EventStore>);
}
