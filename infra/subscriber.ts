/** A deployed subscriber: its function, and the way events come to it. */
import { Duration, Stack } from "aws-cdk-lib";
import type { IRuleTarget } from "aws-cdk-lib/aws-events";
import { SqsDestination } from "aws-cdk-lib/aws-lambda-destinations";
import type { Queue } from "aws-cdk-lib/aws-sqs";
import { Construct } from "constructs";
import { subscriberRoleName } from "../shared/agents/subscriber-role.ts";
import { type DeployedSubscriber, subscriberEnvironment } from "../shared/deployed-subscriber.ts";
import { MAX_RECEIVES } from "../shared/limits.ts";
import { acknowledge } from "./acknowledge.ts";
import type { Api } from "./api.ts";
import type { DeadLetters } from "./dead-letters.ts";
import type { EventBus } from "./event-bus.ts";
import { NodeFunction } from "./node-function.ts";
import { addQueue, hiddenSeconds, takeFromQueue } from "./queue.ts";
import { physicalName } from "./subscriber-name.ts";

export interface SubscriberProps {
  readonly subscriber: DeployedSubscriber;
  readonly bus: EventBus;
  readonly api: Api;
  /** Where all ends that could not be delivered. */
  readonly deadLetters: DeadLetters;
  /** Where it finds the bus: `AGENT_EVENT_BUS_URL` or `AGENT_EVENT_BUS_URLS`. */
  readonly clientEnvironment: Readonly<Record<string, string>>;
}

export class Subscriber extends Construct {
  readonly name: string;
  readonly function: NodeFunction;
  /** For `via: "queue"`. */
  readonly queue: Queue | null;
  /** What a rule sends events to. */
  readonly target: IRuleTarget;

  constructor(scope: Construct, id: string, props: SubscriberProps) {
    super(scope, id);
    const { subscriber, bus, api } = props;
    const deadLetters = props.deadLetters.queue;
    const { stackName, region } = Stack.of(this);
    this.name = subscriber.name;
    this.function = new NodeFunction(this, "Handler", {
      entry: subscriber.handler,
      name: physicalName(this, subscriber.name),
      roleName: subscriberRoleName(stackName, subscriber.name, region),
      description: `Subscriber ${subscriber.name}`,
      timeoutSeconds: subscriber.timeoutSeconds,
      memoryMb: subscriber.memoryMb,
      environment: {
        ...props.clientEnvironment,
        ...subscriberEnvironment(subscriber, hiddenSeconds(subscriber.timeoutSeconds)),
      },
    });
    api.grantCall(this.function.role, ["emit", "request", "respond", "history"]);
    if (subscriber.via === "queue") {
      this.queue = this.takeFromQueue(subscriber, deadLetters);
      this.target = bus.queueTarget(this.queue, deadLetters);
    } else {
      this.queue = null;
      this.target = this.takeDirectly(bus, deadLetters);
    }
  }

  private takeFromQueue({ name, timeoutSeconds }: DeployedSubscriber, deadLetters: Queue): Queue {
    const queue = addQueue(this, "Queue", {
      name: physicalName(this, name),
      retentionDays: 4,
      timeoutSeconds,
      deadLetters: { queue: deadLetters, maxReceiveCount: MAX_RECEIVES },
    });
    takeFromQueue(this.function, queue, {
      failuresEnd: "what fails too often is a dead letter, by the queue's redrive policy",
    });
    return queue;
  }

  private takeDirectly(bus: EventBus, deadLetters: Queue): IRuleTarget {
    // What the callback throws was answered as `rejected` and is final; only throttles are tried again, by Lambda itself.
    this.function.function.configureAsyncInvoke({
      retryAttempts: 0,
      maxEventAge: Duration.hours(6),
      onFailure: new SqsDestination(deadLetters),
    });
    acknowledge(this.function, { "Serverless-LambdaDLQ": "what fails is a dead letter, through OnFailure" });
    return bus.functionTarget(this.function.function, deadLetters);
  }
}
