/** What happens on the bus, over time, and what it costs. */
import { Dashboard, type IMetric } from "aws-cdk-lib/aws-cloudwatch";
import type { IFunction } from "aws-cdk-lib/aws-lambda";
import type { Queue } from "aws-cdk-lib/aws-sqs";
import type { Construct } from "constructs";
import { DISPATCH } from "../shared/deployed-subscriber.ts";
import type { MetricName } from "../shared/metrics.ts";
import { API_FUNCTIONS } from "../shared/routes.ts";
import { costs } from "./cost-graphs.ts";
import { graph, measured, most, PERIOD, type Row, sum } from "./metrics.ts";
import type { Watched } from "./watched.ts";

/** A function as graphs name it. */
interface Named {
  readonly name: string;
  readonly lambda: IFunction;
}

export function addDashboard(scope: Construct, watched: Watched): void {
  const calls: Named[] = API_FUNCTIONS.map((name) => ({ name, lambda: watched.api.functions[name].function }));
  const workers: Named[] = [
    { name: "dispatch", lambda: watched.dispatch.function.function },
    { name: "deliver-webhook", lambda: watched.webhooks.function.function },
    { name: "dead-letters", lambda: watched.deadLetters.function.function },
    { name: "reconcile", lambda: watched.reconciler.function.function },
  ];
  const subscribers: Named[] = watched.subscribers.map(({ name, function: handler }) => ({
    name,
    lambda: handler.function,
  }));
  new Dashboard(scope, "Dashboard", {
    widgets: [
      callGraphs(scope, calls, workers),
      waitGraphs(scope, watched),
      deliveryGraphs(scope, watched, subscribers),
      queueGraphs(watched),
      costs(watched, [...calls, ...workers, ...subscribers]),
    ],
  });
}

function callGraphs(scope: Construct, calls: readonly Named[], workers: readonly Named[]): Row {
  const all = [...calls, ...workers];
  const notWell = counts(scope, { FailedCalls: "failed", RefusedCalls: "refused", RateLimitedCalls: "rate limited" });
  return [
    graph(
      "Calls",
      calls.map(({ name, lambda }) => lambda.metricInvocations({ ...sum, label: name })),
    ),
    graph(
      "Duration (p99)",
      all.map(({ name, lambda }) => lambda.metricDuration({ statistic: "p99", period: PERIOD, label: name })),
    ),
    graph("Errors, throttles, calls that did not go well", [
      ...all.flatMap(({ name, lambda }) => [
        lambda.metricErrors({ ...sum, label: `${name} errors` }),
        lambda.metricThrottles({ ...sum, label: `${name} throttles` }),
      ]),
      ...notWell,
    ]),
  ];
}

function waitGraphs(scope: Construct, { eventTypes }: Watched): Row {
  const p95 = { statistic: "p95", period: PERIOD } as const;
  return [
    graph(
      "How requests ended",
      counts(scope, {
        WaitsAnswered: "answered",
        WaitsFailed: "rejected",
        WaitsTimedOut: "timed out",
        WaitsCancelled: "cancelled",
        WaitsWithoutSubscribers: "nobody could answer",
      }),
    ),
    graph(
      "Response time by event type (p95, ms)",
      eventTypes.map((type) => measured(scope, "ResponseTime", { ...p95, label: type }, type)),
    ),
    graph("Reconciler", [
      measured(scope, "OldestUnpublishedAge", { ...most, label: "oldest unpublished event (ms)" }),
      ...counts(scope, {
        Published: "published late",
        Ended: "requests ended",
        Tended: "looked after",
        Failed: "failed",
      }),
    ]),
  ];
}

function deliveryGraphs(scope: Construct, { dispatch, webhooks }: Watched, subscribers: readonly Named[]): Row {
  const names = [DISPATCH, ...subscribers.map(({ name }) => name)];
  return [
    graph("Dead deliveries", [
      ...names.map((name) => measured(scope, "DeadLetters", { ...sum, label: name }, name)),
      ...counts(scope, { DeadDeliveries: "of run-time subscriptions" }),
    ]),
    graph("Dispatch", [
      dispatch.queue.metricNumberOfMessagesSent({ ...sum, label: "events to dispatch" }),
      webhooks.queue.metricNumberOfMessagesSent({ ...sum, label: "webhooks sent for" }),
    ]),
    graph(
      "Subscriber errors",
      subscribers.map(({ name, lambda }) => lambda.metricErrors({ ...sum, label: name })),
    ),
  ];
}

function queueGraphs({ dispatch, webhooks, subscribers }: Watched): Row {
  return [
    graph("Oldest message (s)", [
      oldestMessage(dispatch.queue, "dispatch"),
      oldestMessage(webhooks.queue, "webhooks"),
      ...subscribers.flatMap(({ name, queue }) => (queue === null ? [] : [oldestMessage(queue, name)])),
    ]),
    graph("Webhooks that wait", [
      webhooks.queue.metricApproximateNumberOfMessagesNotVisible({ ...most, label: "for their next attempt" }),
      webhooks.queue.metricApproximateNumberOfMessagesVisible({ ...most, label: "for a function" }),
    ]),
  ];
}

const oldestMessage = (queue: Queue, label: string): IMetric =>
  queue.metricApproximateAgeOfOldestMessage({ ...most, label });

/** How many there were, of metrics of the bus itself. */
function counts(scope: Construct, labels: Partial<Record<MetricName, string>>): IMetric[] {
  return Object.entries(labels).map(([name, label]) => measured(scope, name as MetricName, { ...sum, label }));
}
