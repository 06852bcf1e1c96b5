/** The table of a simulated run: atomic writes, consistent reads by id, and indexes that lag. */
import {
  deadKeys,
  deliveryWorkId,
  historyKeys,
  messageKeys,
  subscriptionWorkId,
  TABLE,
  timeKey,
  type WorkKind,
} from "../../../shared/keys.ts";
import type { AcceptAnswer, EndRequest, HistoryQuery, HistorySlice, RequestWrite } from "../../../shared/ports.ts";
import type {
  CreateOutcome,
  EventRecord,
  RequestRecord,
  RequestState,
  ResponseRecord,
} from "../../../shared/records.ts";
import type { DeliveryRecord, SubscriptionRecord } from "../../../shared/subscriptions/records.ts";
import type { DeadSlice } from "../../../shared/subscriptions/store.ts";
import { MemoryEventStore } from "../../support/memory-event-store.ts";
import { type Entries, HistoryPartitions, LaggingIndex } from "./index.ts";

export interface DatabaseOptions {
  /** The right wall clock, epoch milliseconds. */
  readonly now: () => number;
  /** Tells an index of a write, after a while. @param about what was written */
  readonly tellIndex: (about: string, apply: () => void) => void;
  readonly frozenRecords: boolean;
}

const HISTORY_PARTITIONS = Object.entries(TABLE.indexes).flatMap(([name, { partitionKey }]) =>
  name === "work" ? [] : [partitionKey],
);

export class SimulatedDatabase extends MemoryEventStore {
  /** Every terminal state of a request that was ever written. */
  readonly terminalStates: { readonly eventId: string; readonly state: RequestState }[] = [];
  private readonly work = new LaggingIndex();
  private readonly history = new HistoryPartitions();
  private readonly tellIndex: DatabaseOptions["tellIndex"];

  constructor({ now, tellIndex, frozenRecords }: DatabaseOptions) {
    super(now, frozenRecords ? frozen : same);
    this.tellIndex = tellIndex;
  }

  override putEvent(record: EventRecord): Promise<CreateOutcome<EventRecord>> {
    const { event } = record;
    const wasThere = this.events.has(event.id);
    const outcome = super.putEvent(record);
    if (wasThere) return outcome;
    const keys = historyKeys(event);
    const position = timeKey(event.timestamp, event.id);
    this.tellIndex(`history ${event.id}`, () => {
      for (const name of HISTORY_PARTITIONS) {
        const partition = keys[name];
        if (partition !== undefined) this.history.add(partition, position);
      }
    });
    this.indexEvent(event.id);
    return outcome;
  }

  override markPublished(eventId: string): Promise<void> {
    const done = super.markPublished(eventId);
    this.indexEvent(eventId);
    return done;
  }

  override leaseForRelay(eventId: string, attemptsSeen: number, until: string): Promise<boolean> {
    const leased = super.leaseForRelay(eventId, attemptsSeen, until);
    this.indexEvent(eventId);
    return leased;
  }

  override createRequest(request: RequestRecord): Promise<CreateOutcome<RequestRecord>> {
    const outcome = super.createRequest(request);
    this.indexRequest(request.eventId);
    return outcome;
  }

  override acceptAnswer(answer: AcceptAnswer): Promise<RequestWrite> {
    return this.watched(answer.eventId, () => super.acceptAnswer(answer));
  }

  override endRequest(end: EndRequest): Promise<RequestWrite> {
    return this.watched(end.eventId, () => super.endRequest(end));
  }

  override noteProgress(eventId: string): Promise<void> {
    return this.watched(eventId, () => super.noteProgress(eventId));
  }

  override replaceSubscription(next: SubscriptionRecord, seenVersion: number): Promise<boolean> {
    const written = super.replaceSubscription(next, seenVersion);
    const standing = this.subscriptions.get(JSON.stringify([next.owner, next.subscriptionId]));
    const item = `subscription ${next.subscriptionId}`;
    const id = subscriptionWorkId(next.owner, next.subscriptionId);
    this.index(item, standing?.tendAt === undefined ? [] : [["subscription", `${standing.tendAt}#${id}`]]);
    return written;
  }

  override createDelivery(delivery: DeliveryRecord): Promise<CreateOutcome<DeliveryRecord>> {
    const outcome = super.createDelivery(delivery);
    this.indexDelivery(delivery);
    return outcome;
  }

  override replaceDelivery(next: DeliveryRecord, seenFence: string): Promise<boolean> {
    const written = super.replaceDelivery(next, seenFence);
    this.indexDelivery(next);
    return written;
  }

  override async readHistory(query: HistoryQuery): Promise<HistorySlice> {
    const { type, agent_type } = query;
    return this.history.read(query, (eventId) => {
      if (type === undefined && agent_type === undefined) return true;
      const event = this.events.get(eventId)?.record.event;
      return (
        (type === undefined || event?.type === type) && (agent_type === undefined || event?.agent_type === agent_type)
      );
    });
  }

  override async findDueWork(kind: WorkKind, dueBefore: string, limit: number): Promise<string[]> {
    return this.work
      .before(kind, dueBefore)
      .slice(0, limit)
      .map(([place]) => place.slice(place.indexOf("#") + 1));
  }

  override async findMessages(subscriptionId: string, visibleBefore: string, limit: number): Promise<string[]> {
    return this.work
      .before(messageKeys(subscriptionId, "", "").work_pk, visibleBefore)
      .slice(0, limit)
      .map(([place]) => place.slice(place.indexOf("#") + 1));
  }

  override async findDead(
    owner: string,
    subscriptionId: string | undefined,
    after: string,
    limit: number,
  ): Promise<DeadSlice> {
    const places = this.work
      .before(deadKeys(owner, "", "", "").work_pk, "~")
      .map(([place]) => place)
      .filter((place) => place > after && (subscriptionId === undefined || place.startsWith(`${subscriptionId}#`)));
    const read = places.slice(0, limit);
    return {
      refs: read.map((place) => ({
        subscriptionId: place.slice(0, place.indexOf("#")),
        eventId: place.slice(place.lastIndexOf("#") + 1),
      })),
      next: places.length > read.length ? (read.at(-1) ?? null) : null,
    };
  }

  /** Everything there is, for who judges the run. */
  everything(): {
    readonly events: readonly EventRecord[];
    readonly requests: readonly RequestRecord[];
    readonly responses: readonly ResponseRecord[];
    readonly deliveries: readonly DeliveryRecord[];
    readonly subscriptions: readonly SubscriptionRecord[];
  } {
    return {
      events: [...this.events.values()].map(({ record }) => record),
      requests: [...this.requests.values()].map(({ record }) => record),
      responses: [...this.responses.values()].flatMap((ofEvent) => [...ofEvent.values()]),
      deliveries: [...this.deliveries.values()],
      subscriptions: [...this.subscriptions.values()],
    };
  }

  /** Removes what has expired, as the table does when it likes. */
  removeExpired(): void {
    for (const [id, { record }] of this.events) if (this.isPast(record.expiresAt)) this.events.delete(id);
    for (const [id, { expiresAt }] of this.requests)
      if (expiresAt !== null && this.isPast(expiresAt)) this.requests.delete(id);
    for (const ofEvent of this.responses.values())
      for (const [id, { expiresAt }] of ofEvent) if (this.isPast(expiresAt)) ofEvent.delete(id);
    for (const [key, { expiresAt }] of this.deliveries) if (this.isPast(expiresAt)) this.deliveries.delete(key);
  }

  /** For broken variants: a request is pending again, whatever came of it. */
  protected reopen(eventId: string): void {
    const stored = this.requests.get(eventId);
    if (stored !== undefined) stored.record = { ...stored.record, state: "PENDING" };
  }

  /** For broken variants: what a write would have to have seen. */
  protected answersOf(eventId: string): number {
    return this.requests.get(eventId)?.record.acceptedIds.length ?? 0;
  }

  protected fenceOf({ eventId, subscriptionId }: DeliveryRecord): string {
    return this.deliveries.get(JSON.stringify([eventId, subscriptionId]))?.fence ?? "";
  }

  /** Does something to a request, and notes the terminal state that it then has, if it changed. */
  private watched<T>(eventId: string, write: () => Promise<T>): Promise<T> {
    const before = this.requests.get(eventId)?.record;
    const outcome = write();
    const after = this.requests.get(eventId)?.record;
    if (after === undefined || after === before) return outcome;
    if (after.state !== "PENDING") this.terminalStates.push({ eventId, state: after.state });
    this.indexRequest(eventId);
    return outcome;
  }

  private indexEvent(eventId: string): void {
    const stored = this.events.get(eventId);
    if (stored === undefined) return;
    this.index(`event ${eventId}`, stored.record.published ? [] : [["publish", `${stored.relayDueAt}#${eventId}`]]);
  }

  private indexRequest(eventId: string): void {
    const record = this.requests.get(eventId)?.record;
    if (record === undefined) return;
    const entries: Entries = record.state === "PENDING" ? [["deadline", `${record.deadline}#${eventId}`]] : [];
    this.index(`request ${eventId}`, entries);
  }

  private indexDelivery({ eventId, subscriptionId }: DeliveryRecord): void {
    const record = this.deliveries.get(JSON.stringify([eventId, subscriptionId]));
    if (record !== undefined) this.index(`delivery ${eventId} ${subscriptionId}`, entriesOfDelivery(record));
  }

  private index(item: string, entries: Entries): void {
    this.work.write(item, entries, (apply) => this.tellIndex(item, apply));
  }
}

/** As in the table: due for the reconciler, or a message that can be taken, or one of the dead. */
function entriesOfDelivery(record: DeliveryRecord): Entries {
  const { eventId, subscriptionId, owner, kind, state, tendAt, nextAttemptAt, endedAt } = record;
  if (state === "DEAD") {
    const { work_pk, work_sk } = deadKeys(owner, subscriptionId, endedAt ?? "", eventId);
    return [[work_pk, work_sk]];
  }
  if (state !== "PENDING") return [];
  if (tendAt !== undefined) return [["delivery", `${tendAt}#${deliveryWorkId(eventId, subscriptionId)}`]];
  if (kind !== "queue") return [];
  const { work_pk, work_sk } = messageKeys(subscriptionId, eventId, nextAttemptAt);
  return [[work_pk, work_sk]];
}

const same = <T>(value: T): T => value;

/** Whoever changes what he was given fails. */
function frozen<T>(value: T): T {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return value;
  for (const member of Object.values(value)) frozen(member);
  return Object.freeze(value);
}
