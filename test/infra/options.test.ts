import { Match } from "aws-cdk-lib/assertions";
import { describe, expect, it } from "vitest";
import { reconcileMetrics } from "../../functions/runtime/metrics.ts";
import { API_FUNCTIONS } from "../../shared/routes.ts";
import { busStack, only, subscriber, synthesize } from "./synthesize.ts";

describe("what a deployment may choose", () => {
  it("keeps an archive of all events only when asked to, for as long as history keeps them", () => {
    synthesize().resourceCountIs("AWS::Events::Archive", 0);
    synthesize({ context: { archive: "true" }, limits: { retentionDays: 30 } }).hasResourceProperties(
      "AWS::Events::Archive",
      {
        EventPattern: { source: ["agent-event-bus"] },
        RetentionDays: 30,
      },
    );
  });

  it("two buses stand side by side in one account under different names", () => {
    const stack = busStack({ context: { stackName: "Staging" } });
    expect(stack.stackName).toBe("Staging");
    expect(only(synthesize({ context: { stackName: "Staging" } }), "AWS::Events::EventBus").Properties).toMatchObject({
      Name: "Staging",
    });
  });

  it("alarms when events die, queues stand still, calls fail or the reconciler does", () => {
    const subscribers = [subscriber(), subscriber({ name: "normalizer", on: ["MESSAGE_RECEIVED"], via: "queue" })];
    const template = synthesize({ subscribers, context: { alarmTopic: "arn:aws:sns:eu-west-1:111122223333:oncall" } });
    const alarms = Object.entries(template.findResources("AWS::CloudWatch::Alarm"));
    expect(alarms.map(([id]) => id.replace(/^Monitoring|[0-9A-F]{8}$/g, "")).sort()).toEqual([
      "DeadLetterslibrarian",
      "DeadLettersnormalizer",
      ...API_FUNCTIONS.map((name) => `Errors${name}`).sort(),
      "OldestMessagenormalizer",
      "ReconcileErrors",
      "ReconcileFailures",
      "ReconcileSilent",
      ...API_FUNCTIONS.map((name) => `Throttles${name}`).sort(),
      "UnpublishedEvents",
    ]);
    for (const [, alarm] of alarms)
      expect(alarm.Properties.AlarmActions).toEqual(["arn:aws:sns:eu-west-1:111122223333:oncall"]);
  });

  it("a reconciler that stopped is noticed, although it then measures nothing", () => {
    synthesize().hasResourceProperties("AWS::CloudWatch::Alarm", {
      MetricName: "Invocations",
      ComparisonOperator: "LessThanThreshold",
      TreatMissingData: "breaching",
    });
  });

  it("events that stay unpublished are noticed by their age, and work that keeps failing is too", () => {
    const template = synthesize();
    const functionName = { Ref: Match.stringLikeRegexp("^ReconcilerReconcileFunction") };
    const ofReconciler = { Namespace: "AgentEventBus", Dimensions: [{ Name: "FunctionName", Value: functionName }] };
    const report = { published: 0, ended: 0, failed: 0, oldest_unpublished_ms: 0 };
    const { _aws } = JSON.parse(reconcileMetrics(report, "Reconcile", 0));
    const written: string[] = _aws.CloudWatchMetrics[0].Metrics.map(({ Name }: { Name: string }) => Name);
    for (const [MetricName, alarm] of [
      ["OldestUnpublishedAge", { Statistic: "Maximum", Threshold: 60_000, Period: 60, EvaluationPeriods: 3 }],
      ["Failed", { Statistic: "Sum", Threshold: 1, Period: 300, EvaluationPeriods: 2 }],
    ] as const) {
      expect(written).toContain(MetricName);
      template.hasResourceProperties("AWS::CloudWatch::Alarm", { ...ofReconciler, MetricName, ...alarm });
    }
  });

  it("can do without alarms and a dashboard, which cost money while nobody talks", () => {
    const template = synthesize({ subscribers: [subscriber()], context: { monitoring: "false" } });
    template.resourceCountIs("AWS::CloudWatch::Alarm", 0);
    template.resourceCountIs("AWS::CloudWatch::Dashboard", 0);
  });

  it("an emulator gets nothing reserved and nothing streamed: it can do neither", () => {
    const template = synthesize({ context: { emulator: "true" } });
    const reserved = { ReservedConcurrentExecutions: Match.anyValue() };
    template.resourcePropertiesCountIs("AWS::Lambda::Function", reserved, 0);
    template.resourcePropertiesCountIs("AWS::Lambda::Url", { InvokeMode: "BUFFERED" }, API_FUNCTIONS.length);
  });

  it.each([
    ["removal", "maybe", /-c removal: expected retain or destroy/],
    ["archive", "yes", /-c archive: expected true or false/],
    ["reservedConcurrency", "lots", /-c reservedConcurrency: expected false, or/],
    ["publicUrl", "bus.example", /-c publicUrl: expected an http or https URL/],
    ["stackName", "1st", /-c stackName: expected a letter/],
  ])("says what -c %s takes when it is given %s", (name, value, message) => {
    expect(() => busStack({ context: { [name]: value } })).toThrow(message);
  });

  it("refuses before deploying what EventBridge would refuse", () => {
    const subscribers = [subscriber({ filter: { data: { id: Array.from({ length: 600 }, (_, i) => i) } } })];
    expect(() => busStack({ subscribers })).toThrow(
      /bus.config.ts cannot be deployed:\n {2}- the pattern of rule filter:librarian/,
    );
  });
});
