import { Match } from "aws-cdk-lib/assertions";
import { describe, expect, it } from "vitest";
import { subscriberRoleName } from "../../shared/agents/subscriber-role.ts";
import { only, subscriber, synthesize } from "./synthesize.ts";

const QUEUE = "AWS::SQS::Queue";
const FUNCTION = "AWS::Lambda::Function";
const RULE = "AWS::Events::Rule";

const filter = {
  data: { language: [{ prefix: "de" }], parent: [null], $or: [{ a: [1] }, { b: [{ exists: false }] }] },
};
const template = synthesize({
  subscribers: [
    subscriber(),
    subscriber({ name: "normalizer", on: ["MESSAGE_RECEIVED"], via: "queue", answers: false }),
    subscriber({
      name: "german",
      on: ["MESSAGE_RECEIVED", "MESSAGE_PROCESSED"],
      filter,
    }),
  ],
});

const idOf = (type: string, idStart: string): string => {
  const id = Object.keys(template.findResources(type)).find((one) => one.startsWith(idStart));
  if (id === undefined) throw new Error(`no ${type} ${idStart}`);
  return id;
};

describe("who a deployed subscriber is", () => {
  it("is known by its role, whose name is its own in every region and beside every other bus", () => {
    const roles = (stackName: string): unknown[] =>
      Object.values(
        synthesize({
          subscribers: [subscriber(), subscriber({ name: "normalizer" })],
          context: { stackName },
        }).findResources("AWS::IAM::Role"),
      ).flatMap(({ Properties }) => Properties.RoleName ?? []);
    const named = [...roles("Staging"), ...roles("Production")];
    expect(named).toEqual(
      ["Staging", "Production"].flatMap((bus) =>
        ["librarian", "normalizer"].map((name) => ({
          "Fn::Join": ["", [subscriberRoleName(bus, name, ""), { Ref: "AWS::Region" }]],
        })),
      ),
    );
  });
});

describe("a direct subscriber", () => {
  it("is invoked by the rule itself, which tries for 24 hours and then keeps the event in a dead-letter queue [deliver-1]", () => {
    template.hasResourceProperties(RULE, {
      EventPattern: { source: ["agent-event-bus"], "detail-type": ["CONTEXT_REQUESTED"] },
      Targets: [
        {
          Id: Match.anyValue(),
          Arn: { "Fn::GetAtt": [idOf(FUNCTION, "Subscriberlibrarian"), "Arn"] },
          RetryPolicy: { MaximumEventAgeInSeconds: 86_400, MaximumRetryAttempts: 185 },
          DeadLetterConfig: { Arn: { "Fn::GetAtt": [idOf(QUEUE, "DeadLettersQueue"), "Arn"] } },
        },
      ],
    });
  });

  it("is not run again when its callback fails, and what failed is kept [deliver-2]", () => {
    template.hasResourceProperties("AWS::Lambda::EventInvokeConfig", {
      FunctionName: { Ref: idOf(FUNCTION, "Subscriberlibrarian") },
      MaximumRetryAttempts: 0,
      MaximumEventAgeInSeconds: 21_600,
      DestinationConfig: {
        OnFailure: { Destination: { "Fn::GetAtt": [idOf(QUEUE, "DeadLettersQueue"), "Arn"] } },
      },
    });
  });

  it("is reached only by rules of this bus", () => {
    template.hasResourceProperties("AWS::Lambda::Permission", {
      FunctionName: { "Fn::GetAtt": [idOf(FUNCTION, "Subscriberlibrarian"), "Arn"] },
      Principal: "events.amazonaws.com",
      SourceArn: { "Fn::Join": ["", Match.arrayWith([":rule/AgentEventBus/*"])] },
    });
  });
});

describe("a queued subscriber", () => {
  it("takes up to ten events at a time and gives back only those that failed [deliver-6]", () => {
    template.hasResourceProperties("AWS::Lambda::EventSourceMapping", {
      EventSourceArn: { "Fn::GetAtt": [idOf(QUEUE, "SubscribernormalizerQueue"), "Arn"] },
      BatchSize: 10,
      FunctionResponseTypes: ["ReportBatchItemFailures"],
    });
  });

  it("has five tries at an event, none begun while another may still run [deliver-7]", () => {
    const { Timeout } = only<{ Timeout: number }>(template, FUNCTION, "Subscribernormalizer").Properties;
    expect(only(template, QUEUE, "SubscribernormalizerQueue").Properties).toMatchObject({
      VisibilityTimeout: 6 * Timeout,
      MessageRetentionPeriod: 4 * 24 * 3600,
      RedrivePolicy: {
        maxReceiveCount: 5,
        deadLetterTargetArn: { "Fn::GetAtt": [idOf(QUEUE, "DeadLettersQueue"), "Arn"] },
      },
    });
  });

  it("can want more event types than a queue's policy has statements", () => {
    const on = Array.from({ length: 40 }, (_, i) => `TYPE_${i}`);
    const wide = synthesize({ subscribers: [subscriber({ name: "watcher", on, via: "queue" })] });
    const { PolicyDocument } = only<{ PolicyDocument: { Statement: unknown[] } }>(
      wide,
      "AWS::SQS::QueuePolicy",
      "SubscriberwatcherQueue",
    ).Properties;
    expect(Object.keys(wide.findResources(RULE)).filter((id) => id.startsWith("Subscriptionstype"))).toHaveLength(40);
    expect(PolicyDocument.Statement.length).toBeLessThanOrEqual(20);
  });
});

describe("every subscriber", () => {
  it("has queues that are encrypted and refuse plain HTTP", () => {
    for (const queue of Object.values(template.findResources(QUEUE)))
      expect(queue.Properties).toMatchObject({ SqsManagedSseEnabled: true });
    for (const policy of Object.values(template.findResources("AWS::SQS::QueuePolicy")))
      expect(policy.Properties.PolicyDocument.Statement).toContainEqual(
        expect.objectContaining({ Effect: "Deny", Condition: { Bool: { "aws:SecureTransport": "false" } } }),
      );
  });

  it("is told its name, where the bus is, how it is to answer and when what failed comes again", () => {
    const variables = (idStart: string) =>
      only<{ Environment: { Variables: Record<string, unknown> } }>(template, FUNCTION, idStart).Properties.Environment
        .Variables;
    expect(variables("Subscriberlibrarian")).toEqual({
      AGENT_EVENT_BUS_SUBSCRIBER: "librarian",
      AGENT_EVENT_BUS_URLS: expect.anything(),
    });
    expect(variables("Subscribernormalizer")).toEqual({
      AGENT_EVENT_BUS_SUBSCRIBER: "normalizer",
      AGENT_EVENT_BUS_URLS: expect.anything(),
      AGENT_EVENT_BUS_MAX_RECEIVES: "5",
      AGENT_EVENT_BUS_RETRY_SECONDS: "360",
      AGENT_EVENT_BUS_ANSWERS: "false",
    });
  });

  it("goes through the one URL in front of the bus when there is one", () => {
    const fronted = synthesize({ subscribers: [subscriber()], context: { publicUrl: "https://bus.example/" } });
    expect(only(fronted, FUNCTION, "Subscriberlibrarian").Properties).toMatchObject({
      Environment: {
        Variables: { AGENT_EVENT_BUS_URL: "https://bus.example", AGENT_EVENT_BUS_SUBSCRIBER: "librarian" },
      },
    });
    expect(JSON.stringify(fronted.findResources(FUNCTION))).not.toContain("AGENT_EVENT_BUS_URLS");
  });

  it("gets what its filter lets through, and the filter arrives as it was written", () => {
    const rule = only<{ EventPattern: object; Targets: { Arn: unknown }[] }>(
      template,
      RULE,
      "Subscriptionsfiltergerman",
    );
    expect(rule.Properties.EventPattern).toEqual({
      source: ["agent-event-bus"],
      "detail-type": ["MESSAGE_RECEIVED", "MESSAGE_PROCESSED"],
      detail: filter,
    });
    expect(rule.Properties.Targets.map((target) => target.Arn)).toEqual([
      { "Fn::GetAtt": [idOf(FUNCTION, "Subscribergerman"), "Arn"] },
    ]);
  });

  it("shares the rule of its event type with four others; the sixth has the next rule", () => {
    const six = Array.from({ length: 6 }, (_, i) => subscriber({ name: `agent-${i}` }));
    const rules = Object.values(synthesize({ subscribers: six }).findResources(RULE)).filter(
      (rule) => rule.Properties.EventPattern?.["detail-type"] !== undefined,
    );
    expect(rules.map((rule) => rule.Properties.Targets.length).sort()).toEqual([1, 5]);
  });
});
