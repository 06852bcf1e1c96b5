/** What is recorded: events, the waits for their answers, the answers, and who listens. */
import type { BusEvent } from "./event.ts";
import type { JsonObject } from "./json.ts";

/** The outcome of a put that must not overwrite. */
export type CreateOutcome<T> = { readonly kind: "created" } | { readonly kind: "exists"; readonly record: T };

/** The event as recorded: `META` (and `BODY`). */
export interface EventRecord {
  readonly event: BusEvent;
  /** Whether it was emitted or asked: a key used for one cannot be used for the other. */
  readonly kind: "event" | "request";
  /** Over everything the caller sent that decides the effect. */
  readonly payloadHash: string;
  readonly replyToken: string;
  /** Random for each attempt to record: tells an attempt's own write, acknowledged or not, from another's. */
  readonly commitId: string;
  readonly published: boolean;
  /** How often the relay has taken it on. */
  readonly relayAttempts: number;
  /** Epoch seconds; the table's TTL. */
  readonly expiresAt: number;
}

/** An event without its data: what decisions go by. The data may be 192 KiB, and an item of its own. */
export interface EnvelopeRecord extends Omit<EventRecord, "event"> {
  readonly event: Omit<BusEvent, "data">;
}

/** Who must answer before a request ends. */
export type Expect =
  | { readonly mode: "first" }
  | { readonly mode: "count"; readonly count: number }
  | { readonly mode: "all" };

export type TerminalState = "ANSWERED" | "TIMED_OUT" | "CANCELLED" | "FAILED";
export type RequestState = "PENDING" | TerminalState;

/** The wait as recorded: `REQUEST`. */
export interface RequestRecord {
  readonly eventId: string;
  /** Of the question. Absent in records of older versions. */
  readonly eventType?: string;
  readonly state: RequestState;
  readonly expect: Expect;
  /** Names of the subscribers that could answer when the request was made. */
  readonly expected: readonly string[];
  /**
   * For each of these names the keys of those who have it (`agents/speaker.ts`): none where it is not known. Absent in
   * records of older versions.
   */
  readonly speakers?: readonly (readonly string[])[];
  /** The agent that asked; only it may read the wait or cancel it. */
  readonly requester: string;
  readonly createdAt: string;
  readonly deadline: string;
  readonly payloadHash: string;
  readonly replyToken: string;
  /** The responses that count, in no order. */
  readonly acceptedIds: readonly string[];
  /** The subscribers that gave them, as far as they said who they are. */
  readonly answeredBy: readonly string[];
  /** The keys of those who gave them, as far as they have proven who they are. */
  readonly answeredSpeakers?: readonly string[];
  /** How many progress reports have come; grows while `PENDING`. */
  readonly progressCount: number;
  readonly endedAt?: string;
  /** Why it ended, where the state does not say it: `never_published`. */
  readonly reason?: string;
}

export type ResponseStatus = "ok" | "rejected" | "progress";

/** A response as recorded: `RESPONSE#<id>`. */
export interface ResponseRecord {
  readonly responseId: string;
  readonly eventId: string;
  readonly response: JsonObject;
  readonly status: ResponseStatus;
  /** The verified agent that sent it. */
  readonly sender: string;
  /** The subscriber that it speaks for (`as`), if it does. */
  readonly subscriber?: string;
  /** Its key, when the sender has proven that it is this subscriber. */
  readonly speaker?: string;
  /** W3C trace context of who answered, if it told one. */
  readonly traceparent?: string;
  /** The request had ended when it came. */
  readonly afterEnd: boolean;
  readonly timestamp: string;
  readonly payloadHash: string;
  readonly expiresAt: number;
}

/** A live stream, or a queue that is polled: it counts as a subscriber while its lease lasts. */
export interface ListenerLease {
  /** A type of the catalogue, or `*`. */
  readonly eventType: string;
  readonly name: string;
  /** Of the stream; for a queue, the id of its subscription. */
  readonly streamId: string;
  readonly kind: "stream" | "queue";
  /** The agent whose it is. Absent in leases of older versions. */
  readonly owner?: string;
  /** It wants only events of this conversation. */
  readonly correlationId?: string;
  /** Epoch milliseconds. */
  readonly leasedUntil: number;
}
