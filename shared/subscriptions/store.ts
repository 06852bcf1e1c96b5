/** What the record of everything keeps of run-time subscriptions and deliveries: the rest of `EventStore`. */
import type { CreateOutcome } from "../records.ts";
import type { DeliveryRecord, DeliveryRef, SubscriptionEntry, SubscriptionRecord } from "./records.ts";

export interface SubscriptionStore {
  /** Also one that is deleted, as long as it is remembered. */
  getSubscription(owner: string, subscriptionId: string): Promise<SubscriptionRecord | null>;
  /** An agent's, in the order of the ids, from after an id on; deleted ones too. */
  listSubscriptions(owner: string, after: string, limit: number): Promise<SubscriptionRecord[]>;
  /** Writes a subscription if it still has the version that was seen; 0: there is none. Whether it was written. */
  replaceSubscription(next: SubscriptionRecord, seenVersion: number): Promise<boolean>;

  /** Puts an entry, unless a newer one stands there. */
  putEntry(entry: SubscriptionEntry): Promise<void>;
  /** All entries of a type but the removed ones. */
  getEntries(eventType: string): Promise<SubscriptionEntry[]>;
  /** How many there are, counted up to `atMost`; may lag behind. */
  countEntries(eventType: string, atMost: number): Promise<number>;
  /** How often the entries of a type have changed; consistent. */
  getGeneration(eventType: string): Promise<number>;
  /** Says that the entries of a type have changed, once they have. */
  bumpGeneration(eventType: string): Promise<void>;
}

/** A stretch of an owner's dead deliveries. */
export interface DeadSlice {
  readonly refs: readonly DeliveryRef[];
  /** Where to read on; null at the end. */
  readonly next: string | null;
}

export interface DeliveryStore {
  /** Never overwrites: one event, one subscription, one delivery (I5). */
  createDelivery(delivery: DeliveryRecord): Promise<CreateOutcome<DeliveryRecord>>;
  getDelivery(ref: DeliveryRef): Promise<DeliveryRecord | null>;
  /** Those that exist, in no order. */
  getDeliveriesOf(refs: readonly DeliveryRef[]): Promise<DeliveryRecord[]>;
  /** All of an event. */
  getDeliveries(eventId: string): Promise<DeliveryRecord[]>;
  /** Writes a delivery if its fence is still the one that was seen. Whether it was written. */
  replaceDelivery(next: DeliveryRecord, seenFence: string): Promise<boolean>;
  /** Ids of the events whose messages are visible before an instant (ISO 8601), oldest first; may lag behind. */
  findMessages(subscriptionId: string, visibleBefore: string, limit: number): Promise<string[]>;
  /** An owner's dead deliveries, of one subscription or of all; may lag behind. @param after where to read on, or "" */
  findDead(owner: string, subscriptionId: string | undefined, after: string, limit: number): Promise<DeadSlice>;
}
