/**
 * A small real `EventStore` in memory, for unit tests and simulations: atomic, consistent, gone with the process. Each
 * method does all its work before it returns, so that nothing comes in between.
 */
import {
  type HeldKind,
  type HistoryIndex,
  historyKeys,
  type ItemKey,
  TABLE,
  timeKey,
  type WorkKind,
} from "../../shared/keys.ts";
import type {
  AcceptAnswer,
  EndRequest,
  EventStore,
  HeldCount,
  HistoryQuery,
  HistorySlice,
  RequestWrite,
} from "../../shared/ports.ts";
import type {
  CreateOutcome,
  EnvelopeRecord,
  EventRecord,
  ListenerLease,
  RequestRecord,
  ResponseRecord,
} from "../../shared/records.ts";
import { countsUntil } from "../../shared/subscriptions/records.ts";
import { type AnswerTimes, mergedAnswerTimes } from "../../shared/wait-policy/answer-times.ts";
import type { StoredAnswerTimes } from "../../shared/wait-policy/store.ts";
import { type Copy, MemorySubscriptions } from "./memory-subscriptions.ts";

export interface StoredEvent {
  record: EventRecord;
  relayDueAt: string;
}

export interface StoredRequest {
  record: RequestRecord;
  expiresAt: number | null;
}

export class MemoryEventStore extends MemorySubscriptions implements EventStore {
  protected readonly events = new Map<string, StoredEvent>();
  protected readonly requests = new Map<string, StoredRequest>();
  protected readonly responses = new Map<string, Map<string, ResponseRecord>>();
  protected readonly listeners = new Map<string, ListenerLease>();
  protected readonly counts = new Map<string, number>();
  protected readonly answerTimes = new Map<string, StoredAnswerTimes>();
  protected readonly secrets = new Map<string, string>();
  private readonly clock: () => number;

  /** @param copy what is kept and what is given out; where nobody changes a record, it need not be copied */
  constructor(now: () => number = Date.now, copy: Copy = structuredClone) {
    super(now, copy);
    this.clock = now;
  }

  async putEvent(record: EventRecord): Promise<CreateOutcome<EventRecord>> {
    const standing = this.events.get(record.event.id);
    if (standing !== undefined && !this.isPast(standing.record.expiresAt))
      return { kind: "exists", record: this.copy(standing.record) };
    this.events.set(record.event.id, { record: this.copy(record), relayDueAt: record.event.timestamp });
    return { kind: "created" };
  }

  async getEvent(eventId: string): Promise<EventRecord | null> {
    const record = this.events.get(eventId)?.record;
    return record === undefined || this.isPast(record.expiresAt) ? null : this.copy(record);
  }

  async getEnvelope(eventId: string): Promise<EnvelopeRecord | null> {
    const record = await this.getEvent(eventId);
    if (record === null) return null;
    const { data: _, ...event } = record.event;
    return { ...record, event };
  }

  async getEnvelopes(eventIds: readonly string[]): Promise<EnvelopeRecord[]> {
    const envelopes = await Promise.all(eventIds.map((id) => this.getEnvelope(id)));
    return envelopes.filter((envelope) => envelope !== null);
  }

  async getEvents(eventIds: readonly string[]): Promise<EventRecord[]> {
    const records = await Promise.all(eventIds.map((id) => this.getEvent(id)));
    return records.filter((record) => record !== null);
  }

  async markPublished(eventId: string): Promise<void> {
    this.changeEvent(eventId, { published: true });
  }

  async leaseForRelay(eventId: string, attemptsSeen: number, until: string): Promise<boolean> {
    const stored = this.events.get(eventId);
    if (stored === undefined || stored.record.published || stored.record.relayAttempts !== attemptsSeen) return false;
    this.changeEvent(eventId, { relayAttempts: attemptsSeen + 1 });
    stored.relayDueAt = until;
    return true;
  }

  async createRequest(request: RequestRecord): Promise<CreateOutcome<RequestRecord>> {
    const standing = this.requests.get(request.eventId);
    if (standing !== undefined && !(standing.expiresAt !== null && this.isPast(standing.expiresAt)))
      return { kind: "exists", record: this.copy(standing.record) };
    this.requests.set(request.eventId, { record: this.copy(request), expiresAt: null });
    return { kind: "created" };
  }

  async getRequest(eventId: string): Promise<RequestRecord | null> {
    const stored = this.requests.get(eventId);
    if (stored === undefined || (stored.expiresAt !== null && this.isPast(stored.expiresAt))) return null;
    return this.copy(stored.record);
  }

  async getRequests(eventIds: readonly string[]): Promise<RequestRecord[]> {
    const found = await Promise.all([...new Set(eventIds)].map((eventId) => this.getRequest(eventId)));
    return found.filter((request) => request !== null);
  }

  async acceptAnswer(answer: AcceptAnswer): Promise<RequestWrite> {
    const { eventId, replyToken, responseId, subscriber, speaker, answersSeen, state, at, expiresAt } = answer;
    return this.writeRequest(
      eventId,
      (request) => request.replyToken === replyToken && request.acceptedIds.length === answersSeen,
      (request) => ({
        ...request,
        state,
        acceptedIds: [...request.acceptedIds, responseId],
        answeredBy: subscriber === undefined ? request.answeredBy : [...new Set([...request.answeredBy, subscriber])],
        ...(speaker === undefined
          ? {}
          : { answeredSpeakers: [...new Set([...(request.answeredSpeakers ?? []), speaker])] }),
        ...(state === "PENDING" ? {} : { endedAt: at }),
      }),
      state === "PENDING" ? null : expiresAt,
    );
  }

  async endRequest({ eventId, state, at, reason, expiresAt }: EndRequest): Promise<RequestWrite> {
    const ended = (request: RequestRecord): RequestRecord => ({
      ...request,
      state,
      endedAt: at,
      ...(reason === undefined ? {} : { reason }),
    });
    return this.writeRequest(eventId, () => true, ended, expiresAt);
  }

  async noteProgress(eventId: string): Promise<void> {
    const noted = (request: RequestRecord): RequestRecord => ({ ...request, progressCount: request.progressCount + 1 });
    this.writeRequest(eventId, () => true, noted, null);
  }

  async putResponse(response: ResponseRecord): Promise<CreateOutcome<ResponseRecord>> {
    const ofEvent = this.responses.get(response.eventId) ?? new Map<string, ResponseRecord>();
    this.responses.set(response.eventId, ofEvent);
    const standing = ofEvent.get(response.responseId);
    if (standing !== undefined && !this.isPast(standing.expiresAt))
      return { kind: "exists", record: this.copy(standing) };
    ofEvent.set(response.responseId, this.copy(response));
    return { kind: "created" };
  }

  async getResponse(eventId: string, responseId: string): Promise<ResponseRecord | null> {
    return (await this.getResponses(eventId)).find((response) => response.responseId === responseId) ?? null;
  }

  async getResponses(eventId: string): Promise<ResponseRecord[]> {
    const alive = [...(this.responses.get(eventId)?.values() ?? [])].filter(
      (response) => !this.isPast(response.expiresAt),
    );
    const place = (response: ResponseRecord): string => timeKey(response.timestamp, response.responseId);
    return alive.sort((a, b) => (place(a) < place(b) ? -1 : 1)).map((one) => this.copy(one));
  }

  async countResponses(eventId: string, atMost: number): Promise<number> {
    return Math.min(atMost, this.responses.get(eventId)?.size ?? 0);
  }

  async readHistory(query: HistoryQuery): Promise<HistorySlice> {
    const entries = [...this.events.values()]
      .map(({ record: { event } }) => ({ event, position: timeKey(event.timestamp, event.id) }))
      .filter(({ event, position }) => isIn(event, query) && position > query.after && position < query.before)
      .sort((a, b) => (a.position < b.position ? -1 : 1));
    if (query.order === "desc") entries.reverse();
    const read = entries.slice(0, query.limit);
    const matching = read.filter(
      ({ event }) =>
        (query.type === undefined || event.type === query.type) &&
        (query.agent_type === undefined || event.agent_type === query.agent_type),
    );
    const isExhausted = read.length < query.limit;
    return {
      positions: matching.map(({ position }) => position),
      readUpTo: isExhausted ? null : (read.at(-1)?.position ?? null),
    };
  }

  async findDueWork(kind: WorkKind, dueBefore: string, limit: number): Promise<string[]> {
    const due =
      kind === "subscription" || kind === "delivery"
        ? this.dueForTending(kind)
        : kind === "publish"
          ? [...this.events.values()]
              .filter(({ record }) => !record.published)
              .map(({ record, relayDueAt }) => [relayDueAt, record.event.id] as const)
          : [...this.requests.values()]
              .filter(({ record }) => record.state === "PENDING")
              .map(({ record }) => [record.deadline, record.eventId] as const);
    return due
      .filter(([dueAt]) => dueAt < dueBefore)
      .sort()
      .slice(0, limit)
      .map(([, eventId]) => eventId);
  }

  async putListener(lease: ListenerLease): Promise<void> {
    this.listeners.set(listenerKey(lease), lease);
  }

  async deleteListener(lease: Pick<ListenerLease, "eventType" | "name" | "streamId">): Promise<void> {
    this.listeners.delete(listenerKey(lease));
  }

  async getListeners(eventType: string, nowMs: number): Promise<ListenerLease[]> {
    return [...this.listeners.values()].filter((lease) => lease.eventType === eventType && lease.leasedUntil > nowMs);
  }

  async countHeld(kind: HeldKind, agentId: string, at: string, atMost: number): Promise<HeldCount> {
    const until =
      kind === "wait"
        ? [...this.requests.values()]
            .filter(({ record }) => record.state === "PENDING" && record.requester === agentId)
            .map(({ record }) => record.deadline)
        : [...this.subscriptions.values()].filter(({ owner }) => owner === agentId).map(countsUntil);
    const held = until.filter((one) => one >= at).sort();
    const count = Math.min(atMost, held.length);
    return { count, firstEndsAt: count < atMost ? null : (held[0] ?? null) };
  }

  async getAnswerTimes(eventType: string): Promise<StoredAnswerTimes> {
    return this.knownAnswerTimes(eventType);
  }

  private knownAnswerTimes(eventType: string): StoredAnswerTimes {
    return this.answerTimes.get(eventType) ?? { times: new Map(), version: 0 };
  }

  async addAnswerTimes(eventType: string, times: AnswerTimes): Promise<StoredAnswerTimes> {
    const { times: known, version } = this.knownAnswerTimes(eventType);
    const next = { times: mergedAnswerTimes(known, times), version: version + 1 };
    this.answerTimes.set(eventType, next);
    return next;
  }

  async replaceAnswerTimes(eventType: string, next: StoredAnswerTimes, seenVersion: number): Promise<boolean> {
    if (this.answerTimes.get(eventType)?.version !== seenVersion) return false;
    this.answerTimes.set(eventType, next);
    return true;
  }

  async getConversationCount(correlationId: string): Promise<number> {
    return this.counts.get(correlationId) ?? 0;
  }

  async addToConversationCount(correlationId: string, events: number): Promise<void> {
    this.counts.set(correlationId, (this.counts.get(correlationId) ?? 0) + events);
  }

  async getOrCreateSecret({ pk, sk }: ItemKey, candidate: string): Promise<string> {
    const key = `${pk}/${sk}`;
    const secret = this.secrets.get(key) ?? candidate;
    this.secrets.set(key, secret);
    return secret;
  }

  private writeRequest(
    eventId: string,
    condition: (request: RequestRecord) => boolean,
    change: (request: RequestRecord) => RequestRecord,
    expiresAt: number | null,
  ): RequestWrite {
    const stored = this.requests.get(eventId);
    if (stored === undefined) return { kind: "refused", request: null };
    if (stored.record.state !== "PENDING" || !condition(stored.record))
      return { kind: "refused", request: this.copy(stored.record) };
    stored.record = change(stored.record);
    stored.expiresAt = expiresAt;
    return { kind: "written", request: this.copy(stored.record) };
  }

  private changeEvent(eventId: string, change: Partial<EventRecord>): void {
    const stored = this.events.get(eventId);
    if (stored !== undefined) stored.record = { ...stored.record, ...change };
  }

  protected isPast(expiresAt: number): boolean {
    return expiresAt <= this.clock() / 1_000;
  }
}

function isIn(event: EventRecord["event"], { index, partition }: { index: HistoryIndex; partition: string }): boolean {
  return historyKeys(event)[TABLE.indexes[index].partitionKey] === partition;
}

const listenerKey = ({ eventType, name, streamId }: Pick<ListenerLease, "eventType" | "name" | "streamId">): string =>
  JSON.stringify([eventType, name, streamId]);
