/** Subscriptions and deliveries in memory: the part of `MemoryEventStore` that brings events to run-time subscribers. */
import { deadKeys, deliveryWorkId, messageKeys, subscriptionWorkId } from "../../shared/keys.ts";
import type { CreateOutcome } from "../../shared/records.ts";
import type {
  DeliveryRecord,
  DeliveryRef,
  SubscriptionEntry,
  SubscriptionRecord,
} from "../../shared/subscriptions/records.ts";
import type { DeadSlice, DeliveryStore, SubscriptionStore } from "../../shared/subscriptions/store.ts";
import { MemoryAgents } from "./memory-agents.ts";

const keyOf = (a: string, b: string): string => JSON.stringify([a, b]);
const refKey = ({ eventId, subscriptionId }: DeliveryRef): string => keyOf(eventId, subscriptionId);
/** How long a removed entry stays. */
const REMOVED_SECONDS = 86_400;

export type Copy = <T>(value: T) => T;

export class MemorySubscriptions extends MemoryAgents implements SubscriptionStore, DeliveryStore {
  protected readonly subscriptions = new Map<string, SubscriptionRecord>();
  protected readonly entries = new Map<string, { entry: SubscriptionEntry; expiresAt: number | undefined }>();
  protected readonly generations = new Map<string, number>();
  protected readonly deliveries = new Map<string, DeliveryRecord>();
  private readonly now: () => number;
  protected readonly copy: Copy;

  constructor(now: () => number, copy: Copy = structuredClone) {
    super(now);
    this.now = now;
    this.copy = copy;
  }

  async getSubscription(owner: string, subscriptionId: string): Promise<SubscriptionRecord | null> {
    const record = this.subscriptions.get(keyOf(owner, subscriptionId));
    return record === undefined || this.hasExpired(record.expiresAt) ? null : this.copy(record);
  }

  async listSubscriptions(owner: string, after: string, limit: number): Promise<SubscriptionRecord[]> {
    return [...this.subscriptions.values()]
      .filter((one) => one.owner === owner && one.subscriptionId > after && !this.hasExpired(one.expiresAt))
      .sort((a, b) => (a.subscriptionId < b.subscriptionId ? -1 : 1))
      .slice(0, limit)
      .map((one) => this.copy(one));
  }

  async replaceSubscription(next: SubscriptionRecord, seenVersion: number): Promise<boolean> {
    const key = keyOf(next.owner, next.subscriptionId);
    const standing = this.subscriptions.get(key);
    const isAsSeen =
      seenVersion === 0
        ? standing === undefined || this.hasExpired(standing.expiresAt)
        : standing?.version === seenVersion;
    if (isAsSeen) this.subscriptions.set(key, this.copy(next));
    return isAsSeen;
  }

  async putEntry(entry: SubscriptionEntry): Promise<void> {
    const key = keyOf(entry.eventType, entry.subscriptionId);
    const standing = this.entries.get(key);
    const isNewer = standing === undefined || standing.entry.version <= entry.version;
    if (!isNewer && !this.hasExpired(standing.expiresAt)) return;
    const expiresAt = entry.status === "removed" ? this.now() / 1_000 + REMOVED_SECONDS : undefined;
    this.entries.set(key, { entry: this.copy(entry), expiresAt });
  }

  async getEntries(eventType: string): Promise<SubscriptionEntry[]> {
    return [...this.entries.values()]
      .map(({ entry }) => entry)
      .filter((entry) => entry.eventType === eventType && entry.status !== "removed")
      .map((one) => this.copy(one));
  }

  async countEntries(eventType: string, atMost: number): Promise<number> {
    const ofType = [...this.entries.values()].filter(({ entry }) => entry.eventType === eventType);
    return Math.min(atMost, ofType.filter(({ entry }) => entry.status !== "removed").length);
  }

  async getGeneration(eventType: string): Promise<number> {
    return this.generations.get(eventType) ?? 0;
  }

  async bumpGeneration(eventType: string): Promise<void> {
    this.generations.set(eventType, (this.generations.get(eventType) ?? 0) + 1);
  }

  async createDelivery(delivery: DeliveryRecord): Promise<CreateOutcome<DeliveryRecord>> {
    const standing = this.deliveries.get(refKey(delivery));
    if (standing !== undefined && !this.hasExpired(standing.expiresAt))
      return { kind: "exists", record: this.copy(standing) };
    this.deliveries.set(refKey(delivery), this.copy(delivery));
    return { kind: "created" };
  }

  async getDelivery(ref: DeliveryRef): Promise<DeliveryRecord | null> {
    const record = this.deliveries.get(refKey(ref));
    return record === undefined || this.hasExpired(record.expiresAt) ? null : this.copy(record);
  }

  async getDeliveriesOf(refs: readonly DeliveryRef[]): Promise<DeliveryRecord[]> {
    const found = await Promise.all(refs.map((ref) => this.getDelivery(ref)));
    return found.filter((record) => record !== null);
  }

  async getDeliveries(eventId: string): Promise<DeliveryRecord[]> {
    return this.getDeliveriesOf([...this.deliveries.values()].filter((one) => one.eventId === eventId));
  }

  async replaceDelivery(next: DeliveryRecord, seenFence: string): Promise<boolean> {
    const standing = this.deliveries.get(refKey(next));
    if (standing?.fence !== seenFence) return false;
    this.deliveries.set(refKey(next), this.copy(next));
    return true;
  }

  async findMessages(subscriptionId: string, visibleBefore: string, limit: number): Promise<string[]> {
    return [...this.deliveries.values()]
      .filter((one) => one.kind === "queue" && one.state === "PENDING" && one.tendAt === undefined)
      .filter((one) => one.subscriptionId === subscriptionId && !this.hasExpired(one.expiresAt))
      .map(({ eventId, nextAttemptAt }) => ({
        eventId,
        place: messageKeys(subscriptionId, eventId, nextAttemptAt).work_sk,
      }))
      .filter(({ place }) => place < visibleBefore)
      .sort((a, b) => (a.place < b.place ? -1 : 1))
      .slice(0, limit)
      .map(({ eventId }) => eventId);
  }

  async findDead(owner: string, subscriptionId: string | undefined, after: string, limit: number): Promise<DeadSlice> {
    const places = [...this.deliveries.values()]
      .filter((one) => one.state === "DEAD" && one.owner === owner)
      .filter((one) => subscriptionId === undefined || one.subscriptionId === subscriptionId)
      .map((one) => ({
        ref: one,
        place: deadKeys(owner, one.subscriptionId, one.endedAt ?? "", one.eventId).work_sk,
      }))
      .filter(({ place }) => place > after)
      .sort((a, b) => (a.place < b.place ? -1 : 1));
    const read = places.slice(0, limit);
    return {
      refs: read.map(({ ref: { eventId, subscriptionId: id } }) => ({ eventId, subscriptionId: id })),
      next: places.length > read.length ? (read.at(-1)?.place ?? null) : null,
    };
  }

  /** What the reconciler finds due, with the instants at which it is. */
  dueForTending(kind: "subscription" | "delivery"): (readonly [dueAt: string, id: string])[] {
    const due =
      kind === "subscription"
        ? [...this.subscriptions.values()].map(
            (one) => [one.tendAt, subscriptionWorkId(one.owner, one.subscriptionId)] as const,
          )
        : [...this.deliveries.values()]
            .filter(({ state }) => state === "PENDING")
            .map((one) => [one.tendAt, deliveryWorkId(one.eventId, one.subscriptionId)] as const);
    return due.flatMap(([dueAt, id]) => (dueAt === undefined ? [] : [[dueAt, id] as const]));
  }

  protected hasExpired(expiresAt: number | undefined): boolean {
    return expiresAt !== undefined && expiresAt <= this.now() / 1_000;
  }
}
