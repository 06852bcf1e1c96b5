import { Match } from "aws-cdk-lib/assertions";
import { describe, expect, it } from "vitest";
import { readDeadLetter } from "../../functions/runtime/dead-letter.ts";
import { DISPATCH } from "../../shared/deployed-subscriber.ts";
import { only, subscriber, synthesize } from "./synthesize.ts";

const QUEUE = "AWS::SQS::Queue";
const FUNCTION = "AWS::Lambda::Function";
const MAPPING = "AWS::Lambda::EventSourceMapping";
const DAY = 24 * 3600;

const template = synthesize({
  subscribers: [subscriber(), subscriber({ name: "normalizer", on: ["MESSAGE_RECEIVED"], via: "queue" })],
});
const attribute = (idStart: string, name = "Arn") => ({
  "Fn::GetAtt": [Match.stringLikeRegexp(`^${idStart}`), name],
});
const reference = (idStart: string) => ({ Ref: Match.stringLikeRegexp(`^${idStart}`) });
const queue = (idStart: string) => only(template, QUEUE, idStart).Properties;

interface FunctionProperties {
  readonly FunctionName?: string;
  readonly Timeout: number;
  readonly MemorySize: number;
  readonly Environment: { readonly Variables: Readonly<Record<string, unknown>> };
}
const functionOf = (idStart: string) => only<FunctionProperties>(template, FUNCTION, idStart).Properties;

describe("dispatch", () => {
  it("gets every event of the bus, tried for 24 hours and then kept as a dead letter [deliver-1]", () => {
    template.hasResourceProperties("AWS::Events::Rule", {
      EventBusName: reference("EventBus"),
      EventPattern: { source: ["agent-event-bus"] },
      Targets: [
        {
          Id: Match.anyValue(),
          Arn: attribute("DispatchQueue"),
          RetryPolicy: { MaximumEventAgeInSeconds: 86_400, MaximumRetryAttempts: 185 },
          DeadLetterConfig: { Arn: attribute("DeadLettersQueue") },
        },
      ],
    });
  });

  it("takes ten events at a time, gives back only those that failed, and gives up after ten tries", () => {
    template.hasResourceProperties(MAPPING, {
      EventSourceArn: attribute("DispatchQueue"),
      BatchSize: 10,
      FunctionResponseTypes: ["ReportBatchItemFailures"],
    });
    template.hasResourceProperties(QUEUE, {
      QueueName: "AgentEventBus-dispatch",
      VisibilityTimeout: 6 * functionOf("DispatchFan").Timeout,
      RedrivePolicy: { maxReceiveCount: 10, deadLetterTargetArn: attribute("DeadLettersQueue") },
    });
  });
});

describe("webhooks", () => {
  it("wait for their next attempt in one queue, for days if need be", () => {
    expect(queue("WebhooksQueue")).toMatchObject({
      QueueName: "AgentEventBus-webhooks",
      MessageRetentionPeriod: 14 * DAY,
      VisibilityTimeout: 6 * functionOf("WebhooksDeliver").Timeout,
    });
  });

  it("that are slow leave the account's concurrency to others", () => {
    template.hasResourceProperties(MAPPING, {
      EventSourceArn: attribute("WebhooksQueue"),
      ScalingConfig: { MaximumConcurrency: 50 },
      FunctionResponseTypes: ["ReportBatchItemFailures"],
    });
  });

  it("of which nothing can be made are put aside where nothing takes them", () => {
    template.hasResourceProperties(QUEUE, {
      QueueName: "AgentEventBus-webhooks",
      RedrivePolicy: { maxReceiveCount: 100, deadLetterTargetArn: attribute("WebhooksAbandoned") },
    });
    template.resourcePropertiesCountIs(MAPPING, { EventSourceArn: attribute("WebhooksAbandoned") }, 0);
  });

  it("are sent for by who dispatches, redrives and looks after them, and hidden by who calls them: all know the queue", () => {
    const knows = Object.entries(template.findResources(FUNCTION))
      .filter(([, one]) => one.Properties.Environment.Variables.WEBHOOK_QUEUE_URL !== undefined)
      .map(([id]) => id.replace(/Function.*/, ""));
    expect(knows.sort()).toEqual(["ApiDeliveries", "DispatchFan", "ReconcilerReconcile", "WebhooksDeliver"]);
  });
});

describe("dead letters", () => {
  it("of dispatch and of all subscribers come to one queue, are kept for 14 days and tried until they are recorded [deliver-8]", () => {
    const letters = queue("DeadLettersQueue");
    expect(letters).toMatchObject({ QueueName: "AgentEventBus-dead-letters", MessageRetentionPeriod: 14 * DAY });
    expect(letters).not.toHaveProperty("RedrivePolicy");
    template.hasResourceProperties(MAPPING, {
      EventSourceArn: attribute("DeadLettersQueue"),
      FunctionResponseTypes: ["ReportBatchItemFailures"],
    });
    const elsewhere = Object.entries(template.findResources(QUEUE)).filter(([id]) => /dead/i.test(id));
    expect(elsewhere).toHaveLength(1);
  });

  it("tell by the name of a queue or a function whose they are", () => {
    const prefix = functionOf("DeadLettersRecord").Environment.Variables.SUBSCRIBER_PREFIX as string;
    const subscriberIn = (service: string, name: unknown) =>
      readDeadLetter(
        {
          body: JSON.stringify({ detail: { id: "1", type: "PING" } }),
          messageAttributes: { TARGET_ARN: { stringValue: `arn:aws:${service}:${name}`, dataType: "String" } },
        } as never,
        prefix,
      ).subscriber;
    const where = "eu-west-1:111122223333";
    expect(subscriberIn(`sqs:${where}`, queue("SubscribernormalizerQueue").QueueName)).toBe("normalizer");
    expect(subscriberIn(`lambda:${where}:function`, functionOf("Subscribernormalizer").FunctionName)).toBe(
      "normalizer",
    );
    expect(subscriberIn(`lambda:${where}:function`, functionOf("Subscriberlibrarian").FunctionName)).toBe("librarian");
    expect(subscriberIn(`sqs:${where}`, queue("DispatchQueue").QueueName)).toBe(DISPATCH);
  });
});

describe("redriving", () => {
  it("knows where everything goes that is sent again", () => {
    const { Variables } = functionOf("ApiDeliveries").Environment;
    expect(Variables).toMatchObject({
      SUBSCRIBER_PREFIX: "AgentEventBus-agent-",
      DISPATCH_QUEUE_URL: { Ref: expect.stringMatching(/^DispatchQueue/) },
      WEBHOOK_QUEUE_URL: { Ref: expect.stringMatching(/^WebhooksQueue/) },
    });
    expect(queue("SubscribernormalizerQueue").QueueName).toBe(`${Variables.SUBSCRIBER_PREFIX}normalizer`);
    expect(functionOf("Subscriberlibrarian").FunctionName).toBe(`${Variables.SUBSCRIBER_PREFIX}librarian`);
  });

  it("a subscriber whose function could not be named is refused before anything is deployed, and named", () => {
    const stackName = "A".repeat(50);
    const name = (chars: number) => [subscriber({ name: "s".repeat(chars) })];
    expect(() => synthesize({ subscribers: name(7), context: { stackName } })).not.toThrow();
    expect(() => synthesize({ subscribers: name(8), context: { stackName } })).toThrow(
      /bus.config.ts cannot be deployed:\n {2}- subscriber "s{8}": .* has 65 characters; Lambda takes 64/,
    );
  });
});

describe("in an emulator", () => {
  const emulated = synthesize({ context: { emulator: "true" } });

  it("functions reach the queues over plain HTTP, which they cannot on AWS", () => {
    const refusesHttp = (from: typeof template) =>
      Object.values(from.findResources("AWS::SQS::QueuePolicy")).filter((policy) =>
        JSON.stringify(policy).includes("aws:SecureTransport"),
      );
    expect(refusesHttp(emulated)).toEqual([]);
    expect(refusesHttp(template)).toHaveLength(Object.keys(template.findResources(QUEUE)).length);
  });

  it("has the right that it asks for where messages are sent in batches; AWS knows no such right", () => {
    const granted = (from: typeof template) => JSON.stringify(from.findResources("AWS::IAM::Policy"));
    expect(granted(emulated)).toContain("sqs:SendMessageBatch");
    expect(granted(template)).not.toContain("sqs:SendMessageBatch");
  });
});
