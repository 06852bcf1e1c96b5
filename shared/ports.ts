/**
 * What the domain needs from outside. Two ports have AWS behind them, `EventStore` and `EventPublisher`;
 * the rest of `Deps` are plain functions.
 */

import type { Agent } from "./agents/agent.ts";
import type { AgentStore } from "./agents/store.ts";
import type { DeployedSubscriber } from "./deployed-subscriber.ts";
import type { DeliveredEvent } from "./event.ts";
import type { Catalogue } from "./event-types/catalogue.ts";
import type { HeldKind, ItemKey, WorkKind } from "./keys.ts";
import type { Limits } from "./limits.ts";
import type { RateLimiter } from "./rate-limit/limiter.ts";
import type {
  CreateOutcome,
  EnvelopeRecord,
  EventRecord,
  ListenerLease,
  RequestRecord,
  ResponseRecord,
} from "./records.ts";
import type { DeliveryRef } from "./subscriptions/records.ts";
import type { DeliveryStore, SubscriptionStore } from "./subscriptions/store.ts";
import type { AnswerTimesStore } from "./wait-policy/store.ts";

/** The outcome of a write on a request that is conditional on its state. */
export type RequestWrite =
  | { readonly kind: "written"; readonly request: RequestRecord }
  | { readonly kind: "refused"; readonly request: RequestRecord | null };

/** An answer that counts, and what it makes of the request. */
export interface AcceptAnswer {
  readonly eventId: string;
  /** The token that came with it: compared in the write's condition too. */
  readonly replyToken: string;
  readonly responseId: string;
  /** The subscriber it speaks for, if it does. */
  readonly subscriber?: string;
  /** The key of just this subscriber, when it is known. */
  readonly speaker?: string;
  /** How many answers the writer saw. The write is refused if there are more by now. */
  readonly answersSeen: number;
  /** The state the request is in with this answer. */
  readonly state: "PENDING" | "ANSWERED" | "FAILED";
  /** When, in ISO 8601; used when `state` is terminal, like the next. */
  readonly at: string;
  /** Epoch seconds. TTL is set on a request only by the write that ends it. */
  readonly expiresAt: number;
}

/** The end of a request that no answer gave it. */
export interface EndRequest {
  readonly eventId: string;
  readonly state: "TIMED_OUT" | "CANCELLED";
  /** ISO 8601. */
  readonly at: string;
  readonly reason?: string;
  /** Epoch seconds. */
  readonly expiresAt: number;
}

/** How many there are, and when the first of them ends (ISO 8601); null unless there are as many as were asked for. */
export interface HeldCount {
  readonly count: number;
  readonly firstEndsAt: string | null;
}

/** One stretch of one index partition, oldest or newest first. */
export interface HistoryQuery {
  readonly partition: string;
  readonly index: "by_type" | "by_agent" | "by_conversation" | "by_time";
  readonly order: "asc" | "desc";
  /** Bounds on `<timestamp>#<id>`: `after` exclusive, `before` exclusive. */
  readonly after: string;
  readonly before: string;
  /** How many index entries to read at most, matching or not. */
  readonly limit: number;
  /** Filters that the index does not decide. */
  readonly type?: string;
  readonly agent_type?: string;
}

export interface HistorySlice {
  /** `<timestamp>#<id>` of the matching entries, in order. */
  readonly positions: readonly string[];
  /** The last position read, matching or not; null when the stretch is exhausted. */
  readonly readUpTo: string | null;
}

/**
 * The record of everything. Every write is a single-item conditional write; every read by id is consistent.
 *
 * Methods throw `BusError("unavailable")` when the outcome is unknown (I11). What has expired does not exist: it is not
 * read, and a new record may take its place.
 */
export interface EventStore extends SubscriptionStore, DeliveryStore, AgentStore, AnswerTimesStore {
  /** `BODY` when data is large, then `META`, the commit point (I1). Never overwrites (I5). */
  putEvent(record: EventRecord): Promise<CreateOutcome<EventRecord>>;
  getEvent(eventId: string): Promise<EventRecord | null>;
  /** The same without its data, in one small read. */
  getEnvelope(eventId: string): Promise<EnvelopeRecord | null>;
  /** Those that exist, in no order. Whether each is published may lag behind. */
  getEnvelopes(eventIds: readonly string[]): Promise<EnvelopeRecord[]>;
  /** Events that exist and have not expired, in the order of the ids. Whether each is published may lag behind. */
  getEvents(eventIds: readonly string[]): Promise<EventRecord[]>;
  markPublished(eventId: string): Promise<void>;

  createRequest(request: RequestRecord): Promise<CreateOutcome<RequestRecord>>;
  getRequest(eventId: string): Promise<RequestRecord | null>;
  /** Those that exist, in no order; consistent as one is. */
  getRequests(eventIds: readonly string[]): Promise<RequestRecord[]>;
  /** Counts an answer if the request is `PENDING`, the token fits and nobody came in between (I2). */
  acceptAnswer(answer: AcceptAnswer): Promise<RequestWrite>;
  /** Ends a request if it is `PENDING` (I2). */
  endRequest(end: EndRequest): Promise<RequestWrite>;
  /** Tells waiters that there is progress to read; without effect once the request has ended. */
  noteProgress(eventId: string): Promise<void>;

  /** Never overwrites (I4, I5). */
  putResponse(response: ResponseRecord): Promise<CreateOutcome<ResponseRecord>>;
  getResponse(eventId: string, responseId: string): Promise<ResponseRecord | null>;
  /** All responses to an event, in the order of (timestamp, id). */
  getResponses(eventId: string): Promise<ResponseRecord[]>;
  /** How many responses there are, counted up to `atMost`. */
  countResponses(eventId: string, atMost: number): Promise<number>;

  readHistory(query: HistoryQuery): Promise<HistorySlice>;

  /** Ids of the work due before an instant (ISO 8601), oldest first; may lag behind and may name what is done. */
  findDueWork(kind: WorkKind, dueBefore: string, limit: number): Promise<string[]>;
  /** Takes an unpublished event on until `until`, if nobody else has since `attemptsSeen`. */
  leaseForRelay(eventId: string, attemptsSeen: number, until: string): Promise<boolean>;

  putListener(lease: ListenerLease): Promise<void>;
  deleteListener(lease: Pick<ListenerLease, "eventType" | "name" | "streamId">): Promise<void>;
  /** The unexpired listeners of a type (or `*`). */
  getListeners(eventType: string, nowMs: number): Promise<ListenerLease[]>;

  /** What an agent has of a kind at an instant (ISO 8601); may lag behind. Counted up to `atMost`. */
  countHeld(kind: HeldKind, agentId: string, at: string, atMost: number): Promise<HeldCount>;

  /** How many events were counted for a conversation; may lag behind. */
  getConversationCount(correlationId: string): Promise<number>;
  addToConversationCount(correlationId: string, events: number, expiresAt: number): Promise<void>;

  /** A secret kept in the table: the one stored, or `candidate` if there is none yet. */
  getOrCreateSecret(key: ItemKey, candidate: string): Promise<string>;
}

/** What became of each event of one publication, in its order. */
export type PublishOutcome = { readonly kind: "published" } | { readonly kind: "failed"; readonly reason: string };

/** Hands events to their subscribers, at least once. */
export interface EventPublisher {
  /** Never throws: what failed, or may have, is `failed` and will be sent again by the relay. */
  publish(events: readonly DeliveredEvent[]): Promise<PublishOutcome[]>;
}

/** A delivery that a webhook is to be called for. */
export interface WebhookTask extends DeliveryRef {
  /** The agent whose subscription it is. */
  readonly owner: string;
}

/**
 * Brings webhook deliveries to those who make them, when it is time to. The record of the delivery decides; what is
 * brought twice is made once.
 */
export interface WebhookQueue {
  /** @throws BusError `unavailable` when any of them may not have been taken on */
  send(tasks: readonly WebhookTask[]): Promise<void>;
}

/** Hands an event to one deployed subscriber again. */
export interface DeployedTargets {
  /** @throws BusError `not_found` when there is no such subscriber any more, `unavailable` */
  redeliver(name: string, event: DeliveredEvent): Promise<void>;
}

export interface Logger {
  info(message: string, fields?: Record<string, unknown>): void;
  warn(message: string, fields?: Record<string, unknown>): void;
  error(message: string, fields?: Record<string, unknown>): void;
  /** What only whoever asked for it wants to read; absent where nobody did. */
  debug?(message: string, fields?: Record<string, unknown>): void;
  /** Fields that all further records of this logger carry; absent where it is of no work in particular. */
  note?(fields: Record<string, unknown>): void;
}

/** Everything an operation works with. */
export interface Deps {
  readonly store: EventStore;
  readonly publisher: EventPublisher;
  readonly catalogue: Catalogue;
  readonly subscribers: readonly DeployedSubscriber[];
  /**
   * Whoever is known by anything but a key, by its id: its policy as the configuration has it.
   * @param account where the caller was just verified: the AWS account of which the roles of deployed subscribers are
   */
  configuredAgent(id: string, account?: string): Agent;
  readonly limits: Limits;
  /** How often agents may call. */
  readonly limiter: RateLimiter;
  /** Wall clock, epoch milliseconds: for what is recorded. It triggers attempts and decides nothing. */
  now(): number;
  /** Monotonic clock, milliseconds: for waits. */
  monotonic(): number;
  /** A fresh UUIDv7. */
  newId(): string;
  /** For how long after its timestamp an event may still become visible in an index, in milliseconds. */
  readonly indexSettleMs: number;
  /** 128 fresh random bits, base64url. */
  newToken(): string;
  /**
   * Waits for `ms` milliseconds, or less when something is known to have changed for `topic` (an event id, or
   * `eventsTopic`) or `signal` aborts. An early return is a hint to look, never a fact.
   */
  pause(ms: number, topic: string, signal?: AbortSignal): Promise<void>;
  readonly log: Logger;
}

/** The topic of `Deps.pause` for "a new message" in a queue. */
export const messagesTopic = (subscriptionId: string): string => `messages ${subscriptionId}`;

/** The topic of `Deps.pause` for "a new event", of a type or of any. */
export const eventsTopic = (type?: string): string => (type === undefined ? "events" : `events ${type}`);
