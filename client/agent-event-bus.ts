/** The bus, as an agent sees it. */

import type { Redriven } from "../shared/deliveries/redrive.ts";
import type { ListedDelivery } from "../shared/deliveries/view.ts";
import type { BusEvent, DeliveredEvent } from "../shared/event.ts";
import type { BuiltInEventTypes } from "../shared/event-types/catalogue.ts";
import type { Explanation } from "../shared/explain.ts";
import type { EventWithResponses } from "../shared/history.ts";
import type { JsonObject } from "../shared/json.ts";
import type { Verdict } from "../shared/respond.ts";
import type { RotatedSecret } from "../shared/subscriptions/subscribe.ts";
import type { SubscriptionView } from "../shared/subscriptions/view.ts";
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
import { type AgentEventBusOptions, connect } from "./connection.ts";
import type { BusOfContext, SubscriberContext } from "./context.ts";
import { type DeadQuery, deadDeliveries, explain, type RedriveOptions, redrive } from "./deliveries.ts";
import type { CallbackResult, Delivery } from "./delivery.ts";
import { openDurableSubscription } from "./durable-subscription.ts";
import { emit, emitBatch } from "./emit.ts";
import { targetOf } from "./endpoints.ts";
import { type EventTypeListing, eventTypes, type HistoryQuery, history } from "./history.ts";
import { liveEvents, type StreamOptions } from "./live-stream.ts";
import { openLiveSubscription } from "./live-subscription.ts";
import { type PageOptions, read } from "./read.ts";
import { respond } from "./respond.ts";
import { checkOptions, type SubscribeOptions, type Subscription } from "./subscribe-options.ts";
import {
  type CreatedSubscription,
  changeSubscription,
  createSubscription,
  deleteSubscription,
  getSubscription,
  rotateSecret,
  type SubscriptionChange,
  type SubscriptionInput,
  subscriptions,
} from "./subscriptions.ts";
import { ask, join } from "./wait.ts";

/** To call off what is under way. */
interface Abortable {
  readonly signal?: AbortSignal | undefined;
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
    this.connection = connect(options);
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
  cancel(eventId: string, options: Abortable = {}): Promise<WaitOutcome> {
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
  getEvent(eventId: string, options: Abortable = {}): Promise<EventWithResponses> {
    return read<EventWithResponses>(this.connection, targetOf("show", { event_id: eventId }), options.signal);
  }

  /** The catalogue of this deployment. */
  eventTypes(options: Abortable = {}): Promise<readonly EventTypeListing[]> {
    return eventTypes(this.connection, options.signal);
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
   * is no answer. Resolves once the subscription is open: from then on it can be asked.
   *
   * Over the live stream an error thrown is an answer (`rejected`). With `durable: "name"` over a pull queue, which
   * keeps events while the subscriber is away: it is acknowledged once the callback has ended and its answer was sent;
   * an error thrown brings the event again, and is told with the last try, or at once by a `RejectedError`.
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
  async subscribe(eventType: string, callback: unknown, options: SubscribeOptions = {}): Promise<Subscription> {
    checkOptions(options);
    // What arrives are events of this type only, which is what the overloads promise the callback.
    const toCall = callback as Delivery<Types>["callback"];
    return options.durable === undefined
      ? openLiveSubscription(this.connection, this, eventType, toCall, options)
      : openDurableSubscription(this.connection, this, eventType, toCall, options);
  }

  /**
   * Makes a webhook or a pull queue, effective for the next event; or brings the one of that name up to date. A new
   * webhook comes with its `secret`, this once; if that was lost, `rotateSecret` gives another.
   */
  createSubscription(
    subscription: SubscriptionInput<TypeName<Types>>,
    options: Abortable = {},
  ): Promise<CreatedSubscription> {
    return createSubscription(this.connection, subscription, options.signal);
  }

  /** One's own subscriptions, page by page as they are read. */
  subscriptions(options: PageOptions = {}): AsyncGenerator<SubscriptionView, void> {
    return subscriptions(this.connection, options);
  }

  /** @throws AgentEventBusError `not_found` */
  getSubscription(subscriptionId: string, options: Abortable = {}): Promise<SubscriptionView> {
    return getSubscription(this.connection, subscriptionId, options.signal);
  }

  /** Changes what is given and leaves the rest. @throws AgentEventBusError `not_found` */
  changeSubscription(
    subscriptionId: string,
    change: SubscriptionChange<TypeName<Types>>,
    options: Abortable = {},
  ): Promise<SubscriptionView> {
    return changeSubscription(this.connection, subscriptionId, change, options.signal);
  }

  /** Ends a subscription; what is on its way to it ends dead. @throws AgentEventBusError `not_found` */
  deleteSubscription(subscriptionId: string, options: Abortable = {}): Promise<void> {
    return deleteSubscription(this.connection, subscriptionId, options.signal);
  }

  /** A new secret for a webhook; for 24 h the old one signs too. Not tried again once the bus may have made one. */
  rotateSecret(subscriptionId: string, options: Abortable = {}): Promise<RotatedSecret> {
    return rotateSecret(this.connection, subscriptionId, options.signal);
  }

  /** What could not be delivered to one's own subscriptions and to the deployed subscribers, page by page. */
  deadDeliveries(query: DeadQuery = {}): AsyncGenerator<ListedDelivery, void> {
    return deadDeliveries(this.connection, query);
  }

  /** Sends dead deliveries again; `remaining` in the result says that there are more. */
  redrive(options: RedriveOptions = {}): Promise<Redriven> {
    return redrive(this.connection, options);
  }

  /** Why each subscriber of its type did or did not get an event. @throws AgentEventBusError `not_found` */
  explain(eventId: string, options: Abortable = {}): Promise<Explanation> {
    return explain(this.connection, eventId, options.signal);
  }
}
