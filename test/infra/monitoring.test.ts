import { Match } from "aws-cdk-lib/assertions";
import { describe, expect, it } from "vitest";
import { BUILT_IN_EVENT_TYPES } from "../../shared/event-types/catalogue.ts";
import { METRICS, type MetricName } from "../../shared/metrics.ts";
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
const ofBus = { Namespace: "AgentEventBus", Dimensions: [{ Name: "service", Value: "AgentEventBus" }] };
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
        ...["FailedCalls", "RefusedCalls", "RateLimitedCalls", "WaitTimeouts"],
        ...["TableReadsThrottled", "TableWritesThrottled"],
      ].sort(),
    );
    for (const [, { Properties }] of alarms) expect(Properties.AlarmActions).toEqual([TOPIC]);
  });

  it("have a metric of their own each, for an emulator takes no other", () => {
    template.resourcePropertiesCountIs(ALARM, { Metrics: Match.anyValue() }, 0);
  });

  it("a reconciler that stopped is noticed, although it then measures nothing [cleanup-1]", () => {
    hasAlarm({
      MetricName: "Invocations",
      ComparisonOperator: "LessThanThreshold",
      TreatMissingData: "breaching",
    });
  });

  it("events that stay unpublished are noticed by their age, and work that keeps failing is too [emit-15]", () => {
    for (const [MetricName, properties] of [
      ["OldestUnpublishedAge", { Statistic: "Maximum", Threshold: 60_000, Period: 60, EvaluationPeriods: 3 }],
      ["Failed", { Statistic: "Sum", Threshold: 1, Period: 300, EvaluationPeriods: 2 }],
    ] as const)
      hasAlarm({ ...ofBus, MetricName, ...properties });
  });

  it("calls that fail, are refused or run into a limit are noticed once they are many, and so are time-outs", () => {
    const forAWhile = { Statistic: "Sum", Period: 300, EvaluationPeriods: 3 };
    hasAlarm({ ...ofBus, MetricName: "FailedCalls", Threshold: 10, EvaluationPeriods: 1 });
    hasAlarm({ ...ofBus, MetricName: "RefusedCalls", Threshold: 50, EvaluationPeriods: 1 });
    hasAlarm({ ...ofBus, MetricName: "RateLimitedCalls", Threshold: 100, ...forAWhile });
    hasAlarm({ ...ofBus, MetricName: "WaitsTimedOut", Threshold: 10, ...forAWhile });
  });

  it("a table that throttles is noticed [emit-17]", () => {
    const Dimensions = [{ Name: "TableName", Value: { Ref: Match.stringLikeRegexp("^EventsTable") } }];
    for (const MetricName of ["ReadThrottleEvents", "WriteThrottleEvents"])
      hasAlarm({ Namespace: "AWS/DynamoDB", MetricName, Dimensions, Threshold: 10, EvaluationPeriods: 2 });
  });

  it("each dead letter is noticed under the name of its subscriber, as the function that records it writes it", () => {
    for (const [id, name] of [
      ["DeadLetterslibrarian", "librarian"],
      ["DeadLettersnormalizer", "normalizer"],
      ["DeadLettersdispatch", "(dispatch)"],
    ] as const) {
      expect(alarm(id)).toMatchObject({
        Namespace: "AgentEventBus",
        MetricName: "DeadLetters",
        Dimensions: [
          { Name: "Subscriber", Value: name },
          { Name: "service", Value: "AgentEventBus" },
        ],
        Statistic: "Sum",
        Threshold: 1,
      });
    }
  });

  it("another bus in the account has other dead letters", () => {
    const staging = synthesize({ subscribers: [subscriber()], context: { stackName: "Staging" } });
    expect(only(staging, ALARM, "MonitoringDeadLetterslibrarian").Properties).toMatchObject({
      Dimensions: [
        { Name: "Subscriber", Value: "librarian" },
        { Name: "service", Value: "Staging" },
      ],
    });
    // By this name the functions write what they measure.
    expect(only(staging, "AWS::Events::EventBus").Properties).toMatchObject({ Name: "Staging" });
  });

  it("dead letters that nothing takes are noticed, and those that cannot be recorded, which SQS leaves out of the age [deliver-8]", () => {
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

describe("the dashboard", () => {
  interface Widget {
    readonly properties: { readonly title: string; readonly metrics: readonly (readonly unknown[])[] };
  }
  /** The body with names in place of what only CloudFormation knows. */
  const widgets = (): Widget[] => {
    const { DashboardBody } = only<{ DashboardBody: { "Fn::Join": [string, unknown[]] } }>(
      template,
      "AWS::CloudWatch::Dashboard",
    ).Properties;
    const text = DashboardBody["Fn::Join"][1].map((part) => (typeof part === "string" ? part : "x")).join("");
    return (JSON.parse(text) as { widgets: Widget[] }).widgets;
  };
  const metricsIn = (title: string) =>
    widgets()
      .filter((widget) => widget.properties.title.startsWith(title))
      .flatMap(({ properties }) => properties.metrics);

  it("shows everything that the bus measures of itself", () => {
    const shown = new Set(widgets().flatMap(({ properties }) => properties.metrics.map(([, name]) => name)));
    for (const name of Object.keys(METRICS) as MetricName[]) expect(shown).toContain(name);
  });

  it("shows how fast each event type is answered", () => {
    const types = metricsIn("Response time by event type").map((metric) => metric[metric.indexOf("EventType") + 1]);
    expect(types).toEqual(expect.arrayContaining(Object.keys(BUILT_IN_EVENT_TYPES)));
  });

  it("shows what drives the bill: the table, the time of functions, events and messages", () => {
    const names = (title: string) => new Set(metricsIn(title).map(([, name]) => name));
    expect(names("Cost: units")).toEqual(
      new Set(["ConsumedReadCapacityUnits", "ConsumedWriteCapacityUnits", "ReadThrottleEvents", "WriteThrottleEvents"]),
    );
    expect(metricsIn("Cost: time")).toHaveLength(API_FUNCTIONS.length + WORKERS.length + 3);
    expect(names("Cost: events")).toEqual(
      new Set(["NumberOfMessagesSent", "NumberOfMessagesReceived", "NumberOfEmptyReceives"]),
    );
  });
});
