import { Match } from "aws-cdk-lib/assertions";
import { describe, expect, it } from "vitest";
import { deadLetterMetrics, reconcileMetrics } from "../../functions/runtime/metrics.ts";
import { API_FUNCTIONS } from "../../shared/routes.ts";
import { only, subscriber, synthesize } from "./synthesize.ts";

const ALARM = "AWS::CloudWatch::Alarm";
const TOPIC = "arn:aws:sns:eu-west-1:111122223333:oncall";
const WORKERS = ["dispatch", "deliver-webhook", "dead-letters"];

const template = synthesize({
  subscribers: [subscriber(), subscriber({ name: "normalizer", on: ["MESSAGE_RECEIVED"], via: "queue" })],
  context: { alarmTopic: TOPIC },
});
const alarm = (name: string) => only(template, ALARM, `Monitoring${name}`).Properties;
const ofQueue = (idStart: string) => [
  { Name: "QueueName", Value: { "Fn::GetAtt": [Match.stringLikeRegexp(`^${idStart}`), "QueueName"] } },
];
const hasAlarm = (properties: object) => template.hasResourceProperties(ALARM, properties);

describe("alarms", () => {
  it("come when events die, queues stand still, calls fail or the reconciler does, and go to the topic", () => {
    const alarms = Object.entries(template.findResources(ALARM));
    const watched = [...API_FUNCTIONS, ...WORKERS].map((name) => name.replace("-", ""));
    expect(alarms.map(([id]) => id.replace(/^Monitoring|[0-9A-F]{8}$/g, "")).sort()).toEqual(
      [
        ...watched.flatMap((name) => [`Errors${name}`, `Throttles${name}`]),
        ...["DeadLettersdispatch", "DeadLetterslibrarian", "DeadLettersnormalizer"],
        ...["DispatchBehind", "OldestMessagenormalizer"],
        ...["WebhooksBehind", "DueWebhooks", "WaitingWebhooks", "AbandonedWebhooks"],
        ...["DeadLettersBehind", "UnrecordedDeadLetters"],
        ...["ReconcileErrors", "ReconcileFailures", "ReconcileSilent", "UnpublishedEvents"],
      ].sort(),
    );
    for (const [, { Properties }] of alarms) expect(Properties.AlarmActions).toEqual([TOPIC]);
  });

  it("have a metric of their own each, for an emulator takes no other", () => {
    template.resourcePropertiesCountIs(ALARM, { Metrics: Match.anyValue() }, 0);
  });

  it("a reconciler that stopped is noticed, although it then measures nothing", () => {
    hasAlarm({
      MetricName: "Invocations",
      ComparisonOperator: "LessThanThreshold",
      TreatMissingData: "breaching",
    });
  });

  it("events that stay unpublished are noticed by their age, and work that keeps failing is too", () => {
    const functionName = { Ref: Match.stringLikeRegexp("^ReconcilerReconcileFunction") };
    const ofReconciler = { Namespace: "AgentEventBus", Dimensions: [{ Name: "FunctionName", Value: functionName }] };
    const report = { published: 0, ended: 0, tended: 0, failed: 0, oldest_unpublished_ms: 0 };
    const { _aws } = JSON.parse(reconcileMetrics(report, "Reconcile", 0));
    const written: string[] = _aws.CloudWatchMetrics[0].Metrics.map(({ Name }: { Name: string }) => Name);
    for (const [MetricName, properties] of [
      ["OldestUnpublishedAge", { Statistic: "Maximum", Threshold: 60_000, Period: 60, EvaluationPeriods: 3 }],
      ["Failed", { Statistic: "Sum", Threshold: 1, Period: 300, EvaluationPeriods: 2 }],
    ] as const) {
      expect(written).toContain(MetricName);
      hasAlarm({ ...ofReconciler, MetricName, ...properties });
    }
  });

  it("each dead letter is noticed under the name of its subscriber, as the function that records it writes it", () => {
    for (const [id, name] of [
      ["DeadLetterslibrarian", "librarian"],
      ["DeadLettersnormalizer", "normalizer"],
      ["DeadLettersdispatch", "(dispatch)"],
    ] as const) {
      const subscriberName = `AgentEventBus-agent-${name}`;
      const { _aws, ...values } = JSON.parse(deadLetterMetrics(subscriberName, 0));
      const { Namespace, Dimensions, Metrics } = _aws.CloudWatchMetrics[0];
      expect(values).toEqual({ Subscriber: subscriberName, DeadLetters: 1 });
      expect(alarm(id)).toMatchObject({
        Namespace,
        MetricName: Metrics[0].Name,
        Dimensions: Dimensions[0].map((dimension: string) => ({ Name: dimension, Value: values[dimension] })),
        Statistic: "Sum",
        Threshold: 1,
      });
    }
  });

  it("another bus in the account has other dead letters", () => {
    const staging = synthesize({ subscribers: [subscriber()], context: { stackName: "Staging" } });
    expect(only(staging, ALARM, "MonitoringDeadLetterslibrarian").Properties).toMatchObject({
      Dimensions: [{ Name: "Subscriber", Value: "Staging-agent-librarian" }],
    });
  });

  it("dead letters that nothing takes are noticed, and those that cannot be recorded, which SQS leaves out of the age", () => {
    const Dimensions = ofQueue("DeadLettersQueue");
    hasAlarm({ MetricName: "ApproximateAgeOfOldestMessage", Dimensions, Threshold: 3600 });
    hasAlarm({
      MetricName: "ApproximateNumberOfMessagesNotVisible",
      Dimensions,
      Threshold: 1,
      EvaluationPeriods: 3,
    });
  });

  it("webhooks that wait because their endpoints ask for it alarm nobody; more than the queue can hide do", () => {
    const Dimensions = ofQueue("WebhooksQueue");
    const tenHours = 10 * 3600;
    hasAlarm({ MetricName: "ApproximateAgeOfOldestMessage", Dimensions, Threshold: tenHours + 3600 });
    hasAlarm({ MetricName: "ApproximateNumberOfMessagesNotVisible", Dimensions, Threshold: 100_000 });
  });

  it("a subscriber may be called like a part of the bus", () => {
    const names = ["dispatch", "webhooks", "dead-letters", "deliver-webhook", "emit", "reconcile"];
    const subscribers = names.map((name) => subscriber({ name, via: "queue" }));
    expect(() => synthesize({ subscribers })).not.toThrow();
  });
});
