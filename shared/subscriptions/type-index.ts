/**
 * The index of those who subscribe to a type: written after the subscription itself, read for every event.
 *
 * A generation counts the changes of a type. Whoever reads the entries keeps them for as long as the generation, which
 * is read consistently each time, is the same: a subscription is in effect for the next event once its agent has the
 * answer, and while nothing changes an event, or a batch of one type, costs one small read.
 */
import type { BusEvent } from "../event.ts";
import { matchesPattern } from "../event-pattern.ts";
import { inLanes } from "../lanes.ts";
import { FAN_OUT_LANES } from "../limits.ts";
import type { Deps, EventStore } from "../ports.ts";
import type { SubscriptionEntry, SubscriptionRecord } from "./records.ts";

interface Known {
  readonly generation: number;
  readonly entries: readonly SubscriptionEntry[];
}

const known = new WeakMap<EventStore, Map<string, Known>>();

/** Looked up in this very turn, by type. */
const lookedUp = new WeakMap<EventStore, Map<string, Promise<readonly SubscriptionEntry[]>>>();

/**
 * All run-time subscriptions of a type, disabled ones too. Those who ask in one turn, as the events of a batch do, are told
 * by one look: it is made after all of them asked.
 */
export function subscriptionsOf(
  { store }: Pick<Deps, "store">,
  eventType: string,
): Promise<readonly SubscriptionEntry[]> {
  const inThisTurn = lookedUp.get(store) ?? new Map<string, Promise<readonly SubscriptionEntry[]>>();
  lookedUp.set(store, inThisTurn);
  const shared = inThisTurn.get(eventType);
  if (shared !== undefined) return shared;
  const looking = lookUp(store, eventType);
  inThisTurn.set(eventType, looking);
  queueMicrotask(() => inThisTurn.delete(eventType));
  return looking;
}

async function lookUp(store: EventStore, eventType: string): Promise<readonly SubscriptionEntry[]> {
  const byType = known.get(store) ?? new Map<string, Known>();
  known.set(store, byType);
  const generation = await store.getGeneration(eventType);
  const kept = byType.get(eventType);
  if (kept?.generation === generation) return kept.entries;
  // Read after the generation: what is newer than it is read again, what is older never stays.
  const entries = await store.getEntries(eventType);
  byType.set(eventType, { generation, entries });
  return entries;
}

/** Whether a subscription gets a copy of an event of its type. */
export function wantsCopy(entry: SubscriptionEntry, event: BusEvent): boolean {
  return entry.status === "active" && (entry.filter === undefined || matchesPattern(entry.filter, event));
}

/** Brings the index up to date with a subscription; an older state of it never overwrites a newer one. */
export async function indexSubscription(
  { store }: Pick<Deps, "store">,
  subscription: SubscriptionRecord,
): Promise<void> {
  const types = [...new Set([...subscription.indexedTypes, ...subscription.eventTypes])];
  await inLanes(FAN_OUT_LANES, types, async (eventType) => {
    await store.putEntry(entryOf(subscription, eventType));
    await store.bumpGeneration(eventType);
  });
}

function entryOf(subscription: SubscriptionRecord, eventType: string): SubscriptionEntry {
  const { subscriptionId, owner, name, target, filter, answers, status, activeSince, version } = subscription;
  const isWanted = status !== "deleted" && subscription.eventTypes.includes(eventType);
  return {
    eventType,
    subscriptionId,
    owner,
    name,
    kind: target.kind,
    ...(filter === undefined ? {} : { filter }),
    answers,
    status: isWanted ? status : "removed",
    activeSince,
    version,
  };
}
