/** Dispatch: every event goes through one queue to the function that brings it to the run-time subscriptions. */
import { Stack } from "aws-cdk-lib";
import type { IRuleTarget } from "aws-cdk-lib/aws-events";
import { PolicyStatement } from "aws-cdk-lib/aws-iam";
import type { Queue } from "aws-cdk-lib/aws-sqs";
import { Construct } from "constructs";
import type { DeadLetters } from "./dead-letters.ts";
import type { EventBus } from "./event-bus.ts";
import type { EventTable } from "./event-table.ts";
import { NodeFunction } from "./node-function.ts";
import { addQueue, takeFromQueue } from "./queue.ts";
import { grantTableAccess } from "./table-access.ts";
import type { Webhooks } from "./webhooks.ts";

export interface DispatchProps {
  readonly table: EventTable;
  readonly bus: EventBus;
  readonly webhooks: Webhooks;
  readonly deadLetters: DeadLetters;
  readonly environment: Readonly<Record<string, string>>;
}

const TIMEOUT_SECONDS = 30;

/** Half an hour of tries: a dispatch that fails is more often an outage than a poison message, and goes on where it ended. */
const MAX_RECEIVES = 10;

export class Dispatch extends Construct {
  readonly queue: Queue;
  readonly function: NodeFunction;
  /** What the rule sends events to. */
  readonly target: IRuleTarget;

  constructor(scope: Construct, id: string, props: DispatchProps) {
    super(scope, id);
    const { bus, deadLetters } = props;
    this.queue = addQueue(this, "Queue", {
      // Dead letters tell by this name what they are of: `functions/runtime/dead-letter.ts`.
      name: `${Stack.of(this).stackName}-dispatch`,
      retentionDays: 4,
      timeoutSeconds: TIMEOUT_SECONDS,
      deadLetters: { queue: deadLetters.queue, maxReceiveCount: MAX_RECEIVES },
    });
    this.target = bus.queueTarget(this.queue, deadLetters.queue);
    this.function = new NodeFunction(this, "Fan", {
      entry: "functions/dispatch.ts",
      description: "Brings events to the subscriptions that were made at run time",
      timeoutSeconds: TIMEOUT_SECONDS,
      // Ten events, each to as many subscriptions as want it: encoding so many writes takes processor time.
      memoryMb: 512,
      environment: props.environment,
    });
    grantTableAccess(props.table.table, this.function.role, "dispatch");
    props.webhooks.letSend(this.function);
    takeFromQueue(this.function, this.queue, {
      failuresEnd: "what fails too often is a dead letter, by the queue's redrive policy",
    });
  }

  /** Lets a function have events dispatched again. */
  letSend({ function: sender, role }: NodeFunction): void {
    sender.addEnvironment("DISPATCH_QUEUE_URL", this.queue.queueUrl);
    role.addToPrincipalPolicy(new PolicyStatement({ actions: ["sqs:SendMessage"], resources: [this.queue.queueArn] }));
  }
}
