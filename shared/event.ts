/**
 * The envelope: what an event looks like wherever it is served, stored or delivered.
 *
 * Field names are those of the wire (`snake_case`); times are ISO 8601 in UTC with milliseconds.
 */
import type { JsonObject } from "./json.ts";

/** An event as history serves it. Immutable once acknowledged. */
export interface BusEvent<Type extends string = string, Data = JsonObject> {
  /** UUIDv7; or a UUIDv8 derived from (agent, idempotency key) when the emitter gave a key. */
  readonly id: string;
  /** A name of the catalogue, for example `MESSAGE_RECEIVED`. */
  readonly type: Type;
  readonly data: Data;
  /** What kind of agent emitted it, in the emitter's own words. */
  readonly agent_type?: string;
  /** When the bus accepted it. */
  readonly timestamp: string;
  /** The conversation it belongs to: the parent's, else the event's own id. */
  readonly correlation_id: string;
  /** The event that led to this one. */
  readonly causation_id?: string;
  /** How many events lie between this one and the first of its chain; 0 for the first. */
  readonly hops: number;
  /** The authenticated agent that emitted it. Never taken from the body. */
  readonly source: string;
  /** For a request: after this moment nobody waits for the answer any more. */
  readonly deadline?: string;
  /** W3C trace context, carried on because EventBridge forwards only X-Ray's header. */
  readonly traceparent?: string;
}

/** Where and with what an answer to a delivered event is sent. */
export interface ReplyTo {
  /** Path of the respond operation, with `?as=<subscriber>` when the copy is for one subscriber. */
  readonly url: string;
  /** 128 random bits in base64url; an answer must carry it as `reply_token`. */
  readonly token: string;
  /** The request's deadline; absent when nobody waits. */
  readonly deadline?: string;
}

/** An event on its way to a subscriber: the only place where the reply token is seen. */
export interface DeliveredEvent<Type extends string = string, Data = JsonObject> extends BusEvent<Type, Data> {
  readonly reply_to: ReplyTo;
}

/** `Source` of everything the bus puts on EventBridge; rules match on it. */
export const EVENT_SOURCE = "agent-event-bus";

/** The path on which an event is answered. */
export function replyPath(eventId: string, subscriber?: string): string {
  const path = `/events/${eventId}/responses`;
  return subscriber === undefined ? path : `${path}?as=${encodeURIComponent(subscriber)}`;
}

/** The copy of an event for one subscriber, or for all deployed targets when no name is given. */
export function deliveredCopy(event: BusEvent, token: string, subscriber?: string): DeliveredEvent {
  return {
    ...event,
    reply_to: {
      url: replyPath(event.id, subscriber),
      token,
      ...(event.deadline === undefined ? {} : { deadline: event.deadline }),
    },
  };
}
