/** The bus, as an agent sees it. */
import type { BusEvent, DeliveredEvent } from "../shared/event.ts";
import type { BuiltInEventTypes } from "../shared/event-types/catalogue.ts";
import type { EventWithResponses } from "../shared/history.ts";
import type { JsonObject } from "../shared/json.ts";
import type { Verdict } from "../shared/respond.ts";
import type {
  Answerable,
  BatchOptions,
  BatchReceipt,
  Connection,
  Delivered,
  EmitOptions,
  EmitReceipt,
  EventInput,
  RespondOptions,
  TypeName,
  WaitOptions,
  WaitOutcome,
} from "./calls.ts";
import { urlsFromEnvironment } from "./config.ts";
import type { BusOfContext, SubscriberContext } from "./context.ts";
import type { CallbackResult, Delivery } from "./delivery.ts";
import { emit, emitBatch } from "./emit.ts";
import { type BusUrls, resolveEndpoints, targetOf } from "./endpoints.ts";
import { type HistoryQuery, history, read } from "./history.ts";
import { liveEvents, type StreamOptions } from "./live-stream.ts";
import { respond } from "./respond.ts";
import { DEFAULT_RETRY, type RetryPolicy } from "./retry.ts";
import { createSign, type SigningOptions } from "./signing.ts";
import { openSubscription, type SubscribeOptions, type Subscription } from "./subscription.ts";
import { createTransport, type Fetch } from "./transport.ts";
import { ask, join } from "./wait.ts";

/** Without `url` and `urls`: the environment's AGENT_EVENT_BUS_URLS and AGENT_EVENT_BUS_URL, else `npm run dev`'s. */
export interface AgentEventBusOptions extends SigningOptions {
  /** One base URL for everything. */
  readonly url?: string | undefined;
  /** The URL of each function, as an object or as the JSON of the stack's `Urls` output; `url` serves what it lacks. */
  readonly urls?: BusUrls | string | undefined;
  /** `agent_type` of what is emitted without one of its own. */
  readonly agentType?: string | undefined;
  /** In place of the global `fetch`. */
  readonly fetch?: Fetch | undefined;
  readonly retry?: Partial<RetryPolicy> | undefined;
}

/** An event type as the catalogue lists it. */
export interface EventTypeListing {
  readonly name: string;
  readonly group: string;
  readonly description: string;
  /** Whether `data` is checked against a schema. */
  readonly has_schema: boolean;
}

/**
 * A client of the bus for Node, browsers and Lambda; `Types` maps event types to their `data`:
 * `new AgentEventBus<EventTypesOf<typeof config>>()`.
 *
 * Every method throws `AgentEventBusError` when the bus refuses, fails or cannot be reached, and the signal's reason
 * when its signal aborts. What changes something is retried under one key, so that it has its effect once.
 */
export class AgentEventBus<Types extends object = BuiltInEventTypes> implements BusOfContext<Types> {
  private readonly connection: Connection;

  /** @throws Error that says which URL cannot be used */
  constructor(options: AgentEventBusOptions = {}) {
    const isPlaced = options.url !== undefined || options.urls !== undefined;
    const endpoints = resolveEndpoints(isPlaced ? options : urlsFromEnvironment());
    const fetch: Fetch = options.fetch ?? ((url, init) => globalThis.fetch(url, init));
    this.connection = {
      transport: createTransport(endpoints, createSign(options), fetch),
      retry: { ...DEFAULT_RETRY, ...options.retry },
      agentType: options.agentType,
    };
  }

  /** Publishes an event. Once it resolves the event is recorded and will reach its subscribers. */
  emit<T extends TypeName<Types>>(type: T, data: Types[T], options: EmitOptions = {}): Promise<EmitReceipt> {
    return emit(this.connection, type, data, options);
  }

  /** Publishes up to 100 events; each is acknowledged or refused by itself, in the order given. */
  emitBatch(events: readonly EventInput<Types>[], options: BatchOptions = {}): Promise<BatchReceipt> {
    return emitBatch(this.connection, events, options);
  }

  /**
   * Publishes an event and waits for the answer, over as many calls as it takes. A timeout is an outcome, not an error.
   * @throws AgentEventBusError `no_subscribers` when nobody can answer; `outcome_unknown` (retryable) when how the wait
   * ended could not be learned
   */
  emitAndWait<T extends TypeName<Types>>(type: T, data: Types[T], options: WaitOptions): Promise<WaitOutcome> {
    return ask(this.connection, type, data, options);
  }

  /**
   * Joins the wait of a request of one's own again and resolves with how it ended.
   * @throws AgentEventBusError `not_found`
   */
  resume(eventId: string, options: Pick<WaitOptions, "signal" | "onProgress"> = {}): Promise<WaitOutcome> {
    return join(this.connection, eventId, options);
  }

  /** Cancels a request of one's own; one that has ended stays as it is. Resolves with how it ended. */
  cancel(eventId: string, options: { readonly signal?: AbortSignal | undefined } = {}): Promise<WaitOutcome> {
    return read<WaitOutcome>(this.connection, targetOf("cancel", { event_id: eventId }), options.signal);
  }

  /** Answers an event; the verdict says whether it counts. */
  respond(event: Answerable, response: JsonObject, options: RespondOptions = {}): Promise<Verdict> {
    return respond(this.connection, event, response, options);
  }

  /** Events that were, page by page as they are read. */
  history(query: HistoryQuery = {}): AsyncGenerator<BusEvent, void> {
    return history(this.connection, query);
  }

  /**
   * One event, the state of its request, and all its responses with their verdicts.
   * @throws AgentEventBusError `not_found`
   */
  getEvent(eventId: string, options: { readonly signal?: AbortSignal | undefined } = {}): Promise<EventWithResponses> {
    return read<EventWithResponses>(this.connection, targetOf("show", { event_id: eventId }), options.signal);
  }

  /** The catalogue of this deployment. */
  async eventTypes(options: { readonly signal?: AbortSignal | undefined } = {}): Promise<readonly EventTypeListing[]> {
    const { event_types } = await read<{ event_types: EventTypeListing[] }>(
      this.connection,
      targetOf("types"),
      options.signal,
    );
    return event_types;
  }

  /** Events as they come, without a gap or a duplicate, until the signal aborts or the loop is left. */
  stream<T extends TypeName<Types>>(
    options: StreamOptions & { readonly type: T },
  ): AsyncGenerator<Delivered<Types, T>, void>;
  stream(options?: StreamOptions): AsyncGenerator<DeliveredEvent, void>;
  stream(options: StreamOptions = {}): AsyncGenerator<DeliveredEvent, void> {
    return liveEvents(this.connection, options);
  }

  /**
   * Calls back with each event of a type (`*`: of any) and answers it with what the callback returns; nothing returned
   * is no answer, an error thrown is one (`rejected`). Resolves once the subscription is open: from then on it can be
   * asked.
   */
  subscribe<T extends TypeName<Types>>(
    eventType: T,
    callback: (
      event: Delivered<Types, T>,
      context: SubscriberContext<Types>,
    ) => CallbackResult | Promise<CallbackResult>,
    options?: SubscribeOptions,
  ): Promise<Subscription>;
  subscribe(eventType: "*", callback: Delivery<Types>["callback"], options?: SubscribeOptions): Promise<Subscription>;
  subscribe(eventType: string, callback: unknown, options: SubscribeOptions = {}): Promise<Subscription> {
    // The stream carries events of this type only, which is what the overloads promise the callback.
    return openSubscription(this.connection, this, eventType, callback as Delivery<Types>["callback"], options);
  }
}
