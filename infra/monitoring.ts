/** Alarms on what must not happen unseen, and a dashboard of what does. */
import { Duration } from "aws-cdk-lib";
import { SnsAction } from "aws-cdk-lib/aws-cloudwatch-actions";
import { Topic } from "aws-cdk-lib/aws-sns";
import { Construct } from "constructs";
import { DISPATCH } from "../shared/deployed-subscriber.ts";
import { MAX_RETRY_AFTER_MS } from "../shared/limits.ts";
import { API_FUNCTIONS } from "../shared/routes.ts";
import { type AlarmDefinition, newAlarm } from "./alarm.ts";
import { addDashboard } from "./dashboard.ts";
import type { DeadLetters } from "./dead-letters.ts";
import type { Dispatch } from "./dispatch.ts";
import type { EventTable } from "./event-table.ts";
import { measured, most, ofTable, PERIOD, sum } from "./metrics.ts";
import type { NodeFunction } from "./node-function.ts";
import type { Reconciler } from "./reconciler.ts";
import type { Subscriber } from "./subscriber.ts";
import type { Watched } from "./watched.ts";
import type { Webhooks } from "./webhooks.ts";

export interface MonitoringProps extends Watched {
  /** ARN of the SNS topic that every alarm notifies; without it alarms are only seen in CloudWatch. */
  readonly alarmTopic?: string;
}

/** Late enough that retries are over, early enough to mend things: a queue keeps its messages for four days. */
const OLDEST_MESSAGE_SECONDS = 3600;

/** Nothing waits in the dispatch queue but for a fault, or for too few functions. */
const OLDEST_DISPATCH_SECONDS = 900;

/** An endpoint may ask for ten hours until the next attempt. */
const OLDEST_WEBHOOK_SECONDS = MAX_RETRY_AFTER_MS / 1_000 + 3600;

/** Twice what all environments of `deliver-webhook` call at once. */
const MANY_DUE = 1_000;

/**
 * What waits for its next attempt is in flight to SQS, which has about 120,000 of these in a queue and then gives out
 * nothing: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-queues.html
 */
const MANY_IN_FLIGHT = 100_000;

/** Some calls fail on any day; ten in five minutes are a service that fails or throttles. */
const MANY_FAILED = 10;

/** Of a table that grows with its load a few requests are throttled now and then, and are tried again. */
const MANY_THROTTLED = 10;

/** What agents may live with. For a quarter of an hour in a row it is more than a slow answer. */
const MANY_TIMED_OUT = 10;

/** Somebody tries what it may not, again and again: a policy that is wrong, a key that has expired or leaked. */
const MANY_REFUSED = 50;

/** For a quarter of an hour in a row: an agent in a loop, or one that needs more than it is given. */
const MANY_RATE_LIMITED = 100;

/** The relay publishes within 90 s: one late event may be seen at this age once, not run after run. */
const OLDEST_UNPUBLISHED_MS = 60_000;

export class Monitoring extends Construct {
  private readonly action: SnsAction | null;

  constructor(scope: Construct, id: string, props: MonitoringProps) {
    super(scope, id);
    this.action =
      props.alarmTopic === undefined ? null : new SnsAction(Topic.fromTopicArn(this, "Topic", props.alarmTopic));
    for (const name of API_FUNCTIONS) this.watchFunction(name, props.api.functions[name]);
    this.watchCalls();
    this.watchTable(props.table);
    this.watchReconciler(props.reconciler);
    this.watchDispatch(props.dispatch);
    this.watchWebhooks(props.webhooks);
    this.watchDeadLetters(props.deadLetters);
    for (const subscriber of props.subscribers) this.watchSubscriber(subscriber);
    addDashboard(this, props);
  }

  private watchFunction(name: string, { function: lambda }: NodeFunction): void {
    this.addAlarm(`Errors-${name}`, {
      metric: lambda.metricErrors(sum),
      description: `${name} crashed or ran out of time`,
      runbook: "Errors",
    });
    this.addAlarm(`Throttles-${name}`, {
      metric: lambda.metricThrottles(sum),
      description: `Calls of ${name} were turned away: too many at once`,
      runbook: "Throttles",
    });
  }

  private watchCalls(): void {
    this.addAlarm("FailedCalls", {
      metric: measured(this, "FailedCalls", sum),
      description: "Calls end as 500 or 503: the table or another service fails or throttles",
      runbook: "FailedCalls",
      threshold: MANY_FAILED,
    });
    this.addAlarm("WaitTimeouts", {
      metric: measured(this, "WaitsTimedOut", sum),
      description: "Requests keep timing out: those who are to answer do not, or are too slow",
      runbook: "WaitTimeouts",
      threshold: MANY_TIMED_OUT,
      periods: 3,
    });
    this.addAlarm("RefusedCalls", {
      metric: measured(this, "RefusedCalls", sum),
      description: "Calls are refused again and again: the log says whose",
      runbook: "RefusedCalls",
      threshold: MANY_REFUSED,
    });
    this.addAlarm("RateLimitedCalls", {
      metric: measured(this, "RateLimitedCalls", sum),
      description: "An agent runs into its limits all the time: the log says which",
      runbook: "RateLimitedCalls",
      threshold: MANY_RATE_LIMITED,
      periods: 3,
    });
  }

  private watchTable({ table }: EventTable): void {
    for (const [id, metric, what] of [
      ["TableReadsThrottled", "ReadThrottleEvents", "Reads"],
      ["TableWritesThrottled", "WriteThrottleEvents", "Writes"],
    ] as const)
      this.addAlarm(id, {
        metric: ofTable(table, metric),
        description: `${what} of the table are throttled: calls become slow, or end as 503`,
        runbook: "TableThrottled",
        threshold: MANY_THROTTLED,
        periods: 2,
      });
  }

  private watchReconciler({ function: { function: reconcile } }: Reconciler): void {
    this.addAlarm("ReconcileErrors", {
      metric: reconcile.metricErrors(sum),
      description: "The reconciler fails: events may stay unpublished, requests may stay pending",
      runbook: "ReconcileErrors",
    });
    this.addAlarm("ReconcileSilent", {
      metric: reconcile.metricInvocations(sum),
      description: "The reconciler has not run for ten minutes: nothing publishes what failed to be published",
      runbook: "ReconcileSilent",
      whenBelow: true,
      periods: 2,
    });
    this.addAlarm("UnpublishedEvents", {
      metric: measured(this, "OldestUnpublishedAge", { statistic: "Maximum", period: Duration.minutes(1) }),
      description:
        "Events stay unpublished: EventBridge refuses them, or there are more than the reconciler can publish",
      runbook: "UnpublishedEvents",
      threshold: OLDEST_UNPUBLISHED_MS,
      periods: 3,
    });
    this.addAlarm("ReconcileFailures", {
      metric: measured(this, "Failed", sum),
      description: "Work of the reconciler keeps failing: its log names what",
      runbook: "ReconcileFailures",
      periods: 2,
    });
  }

  private watchDispatch({ function: dispatch, queue }: Dispatch): void {
    this.watchFunction("dispatch", dispatch);
    this.watchDeadLettersOf(DISPATCH, "Events could not be brought to the subscriptions that were made at run time");
    this.addAlarm("DispatchBehind", {
      metric: queue.metricApproximateAgeOfOldestMessage(most),
      description: "Subscriptions that were made at run time get their events a quarter of an hour late",
      runbook: "DispatchBehind",
      threshold: OLDEST_DISPATCH_SECONDS,
    });
  }

  private watchWebhooks({ function: deliver, queue, abandoned }: Webhooks): void {
    this.watchFunction("deliver-webhook", deliver);
    this.addAlarm("WebhooksBehind", {
      metric: queue.metricApproximateAgeOfOldestMessage(most),
      description: "Webhooks wait for longer than any endpoint may ask for",
      runbook: "WebhooksBehind",
      threshold: OLDEST_WEBHOOK_SECONDS,
    });
    this.addAlarm("DueWebhooks", {
      metric: queue.metricApproximateNumberOfMessagesVisible({ statistic: "Minimum", period: PERIOD }),
      description: "For half an hour more webhooks were due than could be called: endpoints are slow, or many",
      runbook: "DueWebhooks",
      threshold: MANY_DUE,
      periods: 6,
    });
    this.addAlarm("WaitingWebhooks", {
      metric: queue.metricApproximateNumberOfMessagesNotVisible(most),
      description:
        "Almost as many webhooks wait for their next attempt as the queue can hide: from 120,000 on none is delivered",
      runbook: "WaitingWebhooks",
      threshold: MANY_IN_FLIGHT,
    });
    this.addAlarm("AbandonedWebhooks", {
      metric: abandoned.metricApproximateNumberOfMessagesVisible(most),
      description: "Nothing could be made of messages in the webhook queue: the log of deliver-webhook says why",
      runbook: "AbandonedWebhooks",
    });
  }

  private watchDeadLetters({ function: record, queue }: DeadLetters): void {
    this.watchFunction("dead-letters", record);
    this.addAlarm("DeadLettersBehind", {
      metric: queue.metricApproximateAgeOfOldestMessage(most),
      description: "Dead letters are not recorded, and are lost after 14 days: nothing takes them",
      runbook: "DeadLettersBehind",
      threshold: OLDEST_MESSAGE_SECONDS,
    });
    this.addAlarm("UnrecordedDeadLetters", {
      // SQS leaves what fails again and again out of the age; between its tries it is hidden.
      metric: queue.metricApproximateNumberOfMessagesNotVisible(most),
      description: "Dead letters cannot be recorded, and are lost after 14 days: the log of dead-letters says why",
      runbook: "UnrecordedDeadLetters",
      periods: 3,
    });
  }

  private watchSubscriber({ name, queue }: Subscriber): void {
    this.watchDeadLettersOf(name, `Events for ${name} could not be delivered: see GET /deliveries`);
    if (queue !== null)
      this.addAlarm(`OldestMessage-${name}`, {
        metric: queue.metricApproximateAgeOfOldestMessage(most),
        description: `${name} is an hour behind`,
        runbook: "OldestMessage",
        threshold: OLDEST_MESSAGE_SECONDS,
      });
  }

  private watchDeadLettersOf(name: string, description: string): void {
    const metric = measured(this, "DeadLetters", sum, name);
    this.addAlarm(`DeadLetters-${name}`, { metric, description, runbook: "DeadLetters" });
  }

  private addAlarm(id: string, definition: AlarmDefinition): void {
    const alarm = newAlarm(this, id, definition);
    if (this.action !== null) alarm.addAlarmAction(this.action);
  }
}
