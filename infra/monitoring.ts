/** Alarms on what must not happen unseen, and a dashboard of what does. */
import { Duration } from "aws-cdk-lib";
import {
  Alarm,
  ComparisonOperator,
  Dashboard,
  GraphWidget,
  type IMetric,
  Metric,
  TreatMissingData,
} from "aws-cdk-lib/aws-cloudwatch";
import { SnsAction } from "aws-cdk-lib/aws-cloudwatch-actions";
import { Topic } from "aws-cdk-lib/aws-sns";
import { Construct } from "constructs";
import { API_FUNCTIONS, type ApiFunction } from "../shared/routes.ts";
import type { Api } from "./api.ts";
import type { NodeFunction } from "./node-function.ts";
import type { Reconciler } from "./reconciler.ts";
import type { Subscriber } from "./subscriber.ts";

export interface MonitoringProps {
  readonly api: Api;
  readonly reconciler: Reconciler;
  readonly subscribers: readonly Subscriber[];
  /** ARN of the SNS topic that every alarm notifies; without it alarms are only seen in CloudWatch. */
  readonly alarmTopic?: string;
}

interface AlarmDefinition {
  readonly metric: IMetric;
  /** What it means, for the one who is woken. */
  readonly description: string;
  /** Alarms from this value on. Default 1. */
  readonly threshold?: number;
  /** Alarms below the threshold, and when there is nothing to measure. */
  readonly whenBelow?: boolean;
  readonly periods?: number;
}

const PERIOD = Duration.minutes(5);

/** Late enough that retries are over, early enough to mend things: a queue keeps its messages for four days. */
const OLDEST_MESSAGE_SECONDS = 3600;

/** The relay publishes within 90 s: one late event may be seen at this age once, not run after run. */
const OLDEST_UNPUBLISHED_MS = 60_000;

export class Monitoring extends Construct {
  private readonly action: SnsAction | null;

  constructor(scope: Construct, id: string, props: MonitoringProps) {
    super(scope, id);
    this.action =
      props.alarmTopic === undefined ? null : new SnsAction(Topic.fromTopicArn(this, "Topic", props.alarmTopic));
    for (const name of API_FUNCTIONS) this.watchApiFunction(name, props.api.functions[name]);
    this.watchReconciler(props.reconciler);
    for (const subscriber of props.subscribers) this.watchSubscriber(subscriber);
    this.addDashboard(props);
  }

  private watchApiFunction(name: ApiFunction, { function: lambda }: NodeFunction): void {
    this.addAlarm(`Errors-${name}`, {
      metric: lambda.metricErrors(sum),
      description: `${name} crashed or ran out of time`,
    });
    this.addAlarm(`Throttles-${name}`, {
      metric: lambda.metricThrottles(sum),
      description: `Calls of ${name} were turned away: too many at once`,
    });
  }

  private watchReconciler({ function: { function: reconcile } }: Reconciler): void {
    this.addAlarm("ReconcileErrors", {
      metric: reconcile.metricErrors(sum),
      description: "The reconciler fails: events may stay unpublished, requests may stay pending",
    });
    this.addAlarm("ReconcileSilent", {
      metric: reconcile.metricInvocations(sum),
      description: "The reconciler has not run for ten minutes: nothing publishes what failed to be published",
      whenBelow: true,
      periods: 2,
    });
    // Written by `functions/runtime/metrics.ts`.
    const dimensionsMap = { FunctionName: reconcile.functionName };
    const ofRun = { namespace: "AgentEventBus", dimensionsMap };
    this.addAlarm("UnpublishedEvents", {
      metric: new Metric({
        ...ofRun,
        metricName: "OldestUnpublishedAge",
        statistic: "Maximum",
        period: Duration.minutes(1),
      }),
      description:
        "Events stay unpublished: EventBridge refuses them, or there are more than the reconciler can publish",
      threshold: OLDEST_UNPUBLISHED_MS,
      periods: 3,
    });
    this.addAlarm("ReconcileFailures", {
      metric: new Metric({ ...ofRun, metricName: "Failed", ...sum }),
      description: "Work of the reconciler keeps failing: its log names the events and requests",
      periods: 2,
    });
  }

  private watchSubscriber({ name, deadLetterQueue, queue }: Subscriber): void {
    this.addAlarm(`DeadLetters-${name}`, {
      metric: deadLetterQueue.metricApproximateNumberOfMessagesVisible({ statistic: "Maximum", period: PERIOD }),
      description: `Events for ${name} could not be delivered; they wait in its dead-letter queue for 14 days`,
    });
    if (queue !== null)
      this.addAlarm(`OldestMessage-${name}`, {
        metric: queue.metricApproximateAgeOfOldestMessage({ statistic: "Maximum", period: PERIOD }),
        description: `${name} is an hour behind`,
        threshold: OLDEST_MESSAGE_SECONDS,
      });
  }

  private addAlarm(
    id: string,
    { metric, description, threshold = 1, whenBelow = false, periods = 1 }: AlarmDefinition,
  ): void {
    const alarm = new Alarm(this, id, {
      metric,
      threshold,
      evaluationPeriods: periods,
      alarmDescription: description,
      comparisonOperator: whenBelow
        ? ComparisonOperator.LESS_THAN_THRESHOLD
        : ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      treatMissingData: whenBelow ? TreatMissingData.BREACHING : TreatMissingData.NOT_BREACHING,
    });
    if (this.action !== null) alarm.addAlarmAction(this.action);
  }

  private addDashboard(props: MonitoringProps): void {
    const functions = API_FUNCTIONS.map((name) => ({ name, lambda: props.api.functions[name].function }));
    new Dashboard(this, "Dashboard", {
      widgets: [
        [
          graph(
            "Calls",
            functions.map(({ name, lambda }) => lambda.metricInvocations({ ...sum, label: name })),
          ),
          graph(
            "Duration (p99)",
            functions.map(({ name, lambda }) =>
              lambda.metricDuration({ statistic: "p99", period: PERIOD, label: name }),
            ),
          ),
          graph(
            "Errors and throttles",
            functions.flatMap(({ name, lambda }) => [
              lambda.metricErrors({ ...sum, label: `${name} errors` }),
              lambda.metricThrottles({ ...sum, label: `${name} throttles` }),
            ]),
          ),
        ],
        [
          graph(
            "Dead letters",
            props.subscribers.map(({ name, deadLetterQueue }) =>
              deadLetterQueue.metricApproximateNumberOfMessagesVisible({ statistic: "Maximum", label: name }),
            ),
          ),
          graph(
            "Oldest message (s)",
            props.subscribers.flatMap(({ name, queue }) =>
              queue === null ? [] : [queue.metricApproximateAgeOfOldestMessage({ statistic: "Maximum", label: name })],
            ),
          ),
          graph(
            "Subscriber errors",
            props.subscribers.map(({ name, function: handler }) =>
              handler.function.metricErrors({ ...sum, label: name }),
            ),
          ),
        ],
      ],
    });
  }
}

const sum = { statistic: "Sum", period: PERIOD } as const;

const graph = (title: string, left: IMetric[]): GraphWidget => new GraphWidget({ title, left, width: 8 });
