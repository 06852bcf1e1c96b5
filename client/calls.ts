/** What callers give and get: the options and results that `AgentEventBus` and a callback's context share. */
import type { BatchReceipt, EmitReceipt } from "../shared/emit.ts";
import type { DeliveredEvent } from "../shared/event.ts";
import type { BuiltInEventTypes } from "../shared/event-types/catalogue.ts";
import type { JsonObject } from "../shared/json.ts";
import type { Expect, ResponseStatus } from "../shared/records.ts";
import type { RequestOutcome, ResponseView } from "../shared/request-outcome.ts";
import type { RetryPolicy } from "./retry.ts";
import type { Transport } from "./transport.ts";

/** What every operation works with. */
export interface Connection {
  readonly transport: Transport;
  readonly retry: RetryPolicy;
  /** `agent_type` of what is emitted without one of its own. */
  readonly agentType: string | undefined;
}

/** The names of the event types of a map from name to `data`. */
export type TypeName<Types extends object> = keyof Types & string;

/** A delivered event of one type, or of several, to be told apart by `type`. */
export type Delivered<Types extends object, Type extends TypeName<Types>> = {
  [T in Type]: DeliveredEvent<T, Types[T]>;
}[Type];

export interface EmitOptions {
  /** What kind of agent emits it. */
  readonly agentType?: string | undefined;
  /** The conversation it belongs to; the parent's, or its own, when not given. */
  readonly correlationId?: string | undefined;
  /** The event that led to this one. */
  readonly causationId?: string | undefined;
  /** Up to 255 characters. The same key and payload is the same event. A fresh one for each call when not given. */
  readonly idempotencyKey?: string | undefined;
  /**
   * W3C trace context of the caller's span. A callback's context passes its event's on; else the bus takes that of the event
   * that led to this one.
   */
  readonly traceparent?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** One event of a batch. */
export type EventInput<Types extends object> = {
  [T in TypeName<Types>]: {
    readonly type: T;
    readonly data: Types[T];
    readonly agentType?: string | undefined;
    readonly correlationId?: string | undefined;
    readonly causationId?: string | undefined;
  };
}[TypeName<Types>];

export interface BatchOptions {
  /** One for the whole batch; the place in it makes it each event's own. */
  readonly idempotencyKey?: string | undefined;
  /** W3C trace context of the caller's span. */
  readonly traceparent?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface WaitOptions extends EmitOptions {
  /** How long to wait for the answer, in seconds: 0.05 to 86,400. */
  readonly timeout: number;
  /** Who must answer before the wait ends; the first by default. */
  readonly expect?: Expect | undefined;
  /** False: wait although nobody listens. By default that fails at once with `no_subscribers`. */
  readonly requireSubscribers?: boolean | undefined;
  /** Called with each progress report, once. Makes the wait a stream of server-sent events. */
  readonly onProgress?: ((progress: ResponseView) => void) | undefined;
}

/** How a wait ended: what is recorded, and so what everybody is told. Discriminated by `status`. */
export type WaitOutcome = Omit<RequestOutcome, "status" | "response"> &
  (
    | { readonly status: "answered" /** The answer; the first of several. */; readonly response: JsonObject }
    | { readonly status: "failed" /** The rejection, if there is one. */; readonly response: JsonObject | null }
    | { readonly status: "timed_out"; readonly response: null }
    | { readonly status: "cancelled"; readonly response: null }
  );

/** Emit, and emit and wait: on the bus, and in a callback's context, which carries the conversation on. */
export interface EventCalls<Types extends object = BuiltInEventTypes> {
  /**
   * Publishes an event. Once it resolves the event is recorded and will reach its subscribers.
   * @throws AgentEventBusError; the signal's reason when it aborts
   */
  emit<T extends TypeName<Types>>(type: T, data: Types[T], options?: EmitOptions): Promise<EmitReceipt>;
  /**
   * Publishes an event and waits for the answer. A timeout is an outcome, not an error.
   * @throws AgentEventBusError: `no_subscribers` when nobody can answer; `outcome_unknown` (retryable) when how the
   * wait ended could not be learned; the signal's reason when it aborts (the request itself goes on: see `cancel`)
   */
  emitAndWait<T extends TypeName<Types>>(type: T, data: Types[T], options: WaitOptions): Promise<WaitOutcome>;
}

export interface RespondOptions {
  /** `ok` by default. `rejected` counts as an answer; `progress` keeps the wait informed and never ends it. */
  readonly status?: ResponseStatus | undefined;
  /** The same id again is the same response. A fresh one for each call when not given. */
  readonly responseId?: string | undefined;
  /** The subscriber that answers, when the event's own `reply_to` does not say. */
  readonly as?: string | undefined;
  /** W3C trace context of the span that answers; the event's own when not given. Whoever asked sees it. */
  readonly traceparent?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A delivered event, or what is needed of it to answer. */
export type Answerable = DeliveredEvent<string, unknown> | { readonly eventId: string; readonly replyToken: string };

export type { BatchReceipt, EmitReceipt, ResponseView };
