/** A deployed subscriber: its function, the way events come to it, and where they end when they cannot. */
import { Duration } from "aws-cdk-lib";
import type { IRuleTarget } from "aws-cdk-lib/aws-events";
import { PolicyStatement, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import { SqsDestination } from "aws-cdk-lib/aws-lambda-destinations";
import { SqsEventSource } from "aws-cdk-lib/aws-lambda-event-sources";
import { Queue, QueueEncryption } from "aws-cdk-lib/aws-sqs";
import { Construct } from "constructs";
import { type DeployedSubscriber, subscriberEnvironment } from "../shared/deployed-subscriber.ts";
import { MAX_RECEIVES } from "../shared/limits.ts";
import { acknowledge } from "./acknowledge.ts";
import type { Api } from "./api.ts";
import type { EventBus } from "./event-bus.ts";
import { NodeFunction } from "./node-function.ts";

export interface SubscriberProps {
  readonly subscriber: DeployedSubscriber;
  readonly bus: EventBus;
  readonly api: Api;
  /** Where it finds the bus: `AGENT_EVENT_BUS_URL` or `AGENT_EVENT_BUS_URLS`. */
  readonly clientEnvironment: Readonly<Record<string, string>>;
}

/** A message is hidden for six times as long as the function may take, as AWS advises for queues in front of Lambda. */
const visibilitySeconds = ({ timeoutSeconds }: DeployedSubscriber): number => 6 * timeoutSeconds;

/** EventBridge tries an unreachable target for this long: the most it offers. */
const RETRY_POLICY = { maximumEventAgeInSeconds: 24 * 3600, maximumRetryAttempts: 185 } as const;

export class Subscriber extends Construct {
  readonly name: string;
  readonly function: NodeFunction;
  /**
   * All that could not be delivered: by EventBridge (the event; the error is in the message's attributes), by the queue
   * (the event), by Lambda (the invocation's record with the event in `requestPayload`).
   */
  readonly deadLetterQueue: Queue;
  /** For `via: "queue"`. */
  readonly queue: Queue | null;
  /** What a rule sends events to. */
  readonly target: IRuleTarget;

  constructor(scope: Construct, id: string, props: SubscriberProps) {
    super(scope, id);
    const { subscriber, bus, api } = props;
    this.name = subscriber.name;
    this.deadLetterQueue = new Queue(this, "DeadLetters", {
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      retentionPeriod: Duration.days(14),
    });
    acceptFrom(bus, this.deadLetterQueue);
    this.function = new NodeFunction(this, "Handler", {
      entry: subscriber.handler,
      description: `Subscriber ${subscriber.name}`,
      timeoutSeconds: subscriber.timeoutSeconds,
      memoryMb: subscriber.memoryMb,
      environment: {
        ...props.clientEnvironment,
        ...subscriberEnvironment(subscriber, visibilitySeconds(subscriber)),
      },
    });
    api.grantCall(this.function.role, ["emit", "request", "respond", "history"]);
    this.queue = subscriber.via === "queue" ? this.takeFromQueue(bus, subscriber) : null;
    if (this.queue === null) this.takeDirectly(bus);

    const arn = this.queue === null ? this.function.function.functionArn : this.queue.queueArn;
    const targetResource = this.queue ?? this.function.function;
    const deadLetterConfig = { arn: this.deadLetterQueue.queueArn };
    this.target = { bind: () => ({ arn, targetResource, deadLetterConfig, retryPolicy: RETRY_POLICY }) };
    acknowledge(this.deadLetterQueue, { "Serverless-SQSRedrivePolicy": "it is itself the dead-letter queue" });
  }

  private takeFromQueue(bus: EventBus, subscriber: DeployedSubscriber): Queue {
    const queue = new Queue(this, "Queue", {
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      visibilityTimeout: Duration.seconds(visibilitySeconds(subscriber)),
      retentionPeriod: Duration.days(4),
      deadLetterQueue: { queue: this.deadLetterQueue, maxReceiveCount: MAX_RECEIVES },
    });
    acceptFrom(bus, queue);
    this.function.function.addEventSource(new SqsEventSource(queue, { batchSize: 10, reportBatchItemFailures: true }));
    const ends = "what fails too often ends in the dead-letter queue, by the queue's redrive policy";
    acknowledge(this.function, {
      "Serverless-LambdaDLQ": ends,
      "Serverless-LambdaEventSourceMappingDestination": ends,
    });
    return queue;
  }

  private takeDirectly(bus: EventBus): void {
    this.function.function.addPermission("Rules", {
      principal: new ServicePrincipal("events.amazonaws.com"),
      sourceArn: bus.ruleArnPattern,
    });
    // What the callback throws was answered as `rejected` and is final; only throttles are tried again, by Lambda itself.
    this.function.function.configureAsyncInvoke({
      retryAttempts: 0,
      maxEventAge: Duration.hours(6),
      onFailure: new SqsDestination(this.deadLetterQueue),
    });
    acknowledge(this.function, {
      "Serverless-LambdaDLQ": "what fails ends in the dead-letter queue, through OnFailure",
    });
    acknowledge(this.deadLetterQueue, { "AwsSolutions-SQS3": "it is itself the dead-letter queue" });
  }
}

function acceptFrom(bus: EventBus, queue: Queue): void {
  queue.addToResourcePolicy(
    new PolicyStatement({
      principals: [new ServicePrincipal("events.amazonaws.com")],
      actions: ["sqs:SendMessage"],
      resources: [queue.queueArn],
      conditions: { ArnLike: { "aws:SourceArn": bus.ruleArnPattern } },
    }),
  );
}
