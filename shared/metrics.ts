/**
 * What the bus measures of itself, for whoever runs it: what is written (`functions/runtime/metrics.ts`) and what alarms
 * and the dashboard look at (`infra/`) are the same names.
 *
 * CloudWatch bills each name with each combination of values of its dimensions: so they are few, and each is bounded.
 * What AWS measures by itself (calls, errors, throttles, queues, consumed units) costs nothing and is not measured here.
 */

export const METRICS_NAMESPACE = "AgentEventBus";

/** Of every metric: the bus, by the name that its stack and its EventBridge bus share. It is called as Powertools for Lambda calls it. */
export const BUS_DIMENSION = "service";

export type MetricUnit = "Count" | "Milliseconds";

export interface MetricDefinition {
  readonly unit: MetricUnit;
  /** A dimension beside the bus: an event type of the catalogue, a deployed subscriber. */
  readonly by?: "EventType" | "Subscriber";
}

export const METRICS = {
  /** What a run of the reconciler did because nobody else had, and what it could not do. Each minute. */
  Published: { unit: "Count" },
  Ended: { unit: "Count" },
  Tended: { unit: "Count" },
  Failed: { unit: "Count" },
  /** 0 when all is well. Each minute. */
  OldestUnpublishedAge: { unit: "Milliseconds" },

  /** How requests end: each of them once, by the write that ended it. */
  WaitsAnswered: { unit: "Count" },
  WaitsFailed: { unit: "Count" },
  WaitsTimedOut: { unit: "Count" },
  WaitsCancelled: { unit: "Count" },
  /** Questions that nobody could answer, and that were not asked. */
  WaitsWithoutSubscribers: { unit: "Count" },
  /** From the question to the answer or the rejection that ended the wait. */
  ResponseTime: { unit: "Milliseconds", by: "EventType" },

  /** Calls that ended as 500 or 503: Lambda does not count them as errors. */
  FailedCalls: { unit: "Count" },
  /** As 401 or 403. */
  RefusedCalls: { unit: "Count" },
  /** As 429. */
  RateLimitedCalls: { unit: "Count" },

  /** Deliveries to run-time subscriptions that died. */
  DeadDeliveries: { unit: "Count" },
  /** Deliveries to a deployed subscriber that died. */
  DeadLetters: { unit: "Count", by: "Subscriber" },
} as const satisfies Record<string, MetricDefinition>;

export type MetricName = keyof typeof METRICS;
