/** How one subscribes with a callback, over the live stream or durably, and what one gets. */
import type { EventPattern } from "../shared/event-pattern.ts";
import type { Logger } from "../shared/ports.ts";
import type { QueueSettings } from "./subscriptions.ts";

interface CommonOptions {
  /** How many callbacks run at once; 10 by default. What comes meanwhile waits. */
  readonly concurrency?: number | undefined;
  /** False for an observer: it is not expected to answer, and what its callback returns is not sent. */
  readonly answers?: boolean | undefined;
  /** Closes the subscription when it aborts. */
  readonly signal?: AbortSignal | undefined;
  /** Where failures of callbacks and answers are noted; one JSON line each on the console by default. */
  readonly log?: Logger | undefined;
}

/** Over the live stream: events from now on, each once, for as long as the subscription is open. */
export interface LiveOptions extends CommonOptions {
  readonly durable?: undefined;
  /**
   * The subscriber's name; several that share one are one subscriber, whose first answer counts. Random when not given.
   */
  readonly as?: string | undefined;
  /** Only events of this conversation. */
  readonly correlationId?: string | undefined;
  /** A cursor to go on from; without it, from now. */
  readonly after?: string | undefined;
}

/** Over a pull queue: nothing is missed while the subscriber is away, and what fails comes again. */
export interface DurableOptions extends CommonOptions, QueueSettings {
  /**
   * The subscriber's name, which is the queue's: who comes back under it goes on where it was. Processes that share it
   * share the work. One name goes with one event type and one filter: the last one that subscribes says which.
   */
  readonly durable: string;
  /** Only events that fit this EventBridge event pattern. */
  readonly filter?: EventPattern | undefined;
}

export type SubscribeOptions = LiveOptions | DurableOptions;

/** An open subscription. */
export interface Subscription {
  /** The name under which it answers. */
  readonly subscriber: string;
  /** Of a durable one: its id, for `deleteSubscription` and the like. */
  readonly subscriptionId?: string;
  /**
   * Takes no more events and resolves when the callbacks that run have ended and answered. A durable subscription gives
   * back what it had taken and not begun; its last poll has a second to bring that, and what the bus still takes for it
   * later comes again by itself. Its queue stays, and events go on gathering there: `deleteSubscription` ends that.
   */
  close(): Promise<void>;
  /** Resolves when it has ended: closed, or given up for a reason that was logged. Never rejects. */
  readonly closed: Promise<void>;
}

export const DEFAULT_CONCURRENCY = 10;

const LIVE_ONLY = ["as", "correlationId", "after"] as const;
const DURABLE_ONLY = ["filter", "visibility", "maxAttempts"] as const;

/** For callers whose compiler did not see it. @throws Error that names what does not go together */
export function checkOptions(options: SubscribeOptions): void {
  const given = options as Partial<Record<string, unknown>>;
  const firstOf = (names: readonly string[]): string | undefined => names.find((name) => given[name] !== undefined);
  const misplaced = firstOf(options.durable === undefined ? DURABLE_ONLY : LIVE_ONLY);
  if (misplaced !== undefined)
    throw new Error(
      options.durable === undefined
        ? `subscribe: "${misplaced}" goes only with "durable".`
        : `subscribe: "${misplaced}" does not go with "durable": a durable subscriber answers under that name, and gets every event of its type that fits its filter.`,
    );
  const { concurrency = DEFAULT_CONCURRENCY } = options;
  if (!Number.isInteger(concurrency) || concurrency < 1)
    throw new Error(`subscribe: "concurrency" must be a whole number of at least 1, not ${concurrency}.`);
}
