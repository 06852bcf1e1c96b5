/** Webhook deliveries: the queue in which they wait for their next attempt, and the function that calls endpoints. */
import { Stack } from "aws-cdk-lib";
import { PolicyStatement } from "aws-cdk-lib/aws-iam";
import type { Queue } from "aws-cdk-lib/aws-sqs";
import { Construct } from "constructs";
import { acknowledge } from "./acknowledge.ts";
import type { EventTable } from "./event-table.ts";
import { NodeFunction } from "./node-function.ts";
import { isEmulator } from "./options.ts";
import { addQueue, takeFromQueue } from "./queue.ts";
import { grantTableAccess } from "./table-access.ts";

export interface WebhooksProps {
  readonly table: EventTable;
  readonly environment: Readonly<Record<string, string>>;
}

/** Twice what one attempt may take; the messages of a batch are worked on side by side. */
const TIMEOUT_SECONDS = 30;

/** Each calls ten endpoints at a time: slow ones must not take the account's concurrency from those who emit and answer. */
const MAX_CONCURRENCY = 50;

/** Every attempt is one, and every receive that came too early: the table counts the attempts and ends the delivery. */
const MAX_RECEIVES = 100;

export class Webhooks extends Construct {
  readonly queue: Queue;
  /**
   * Messages that nobody could make anything of. Nobody takes them from here: the deliveries are in the table, and the
   * reconciler sends for those that were forgotten.
   */
  readonly abandoned: Queue;
  readonly function: NodeFunction;

  constructor(scope: Construct, id: string, props: WebhooksProps) {
    super(scope, id);
    this.abandoned = addQueue(this, "Abandoned", { retentionDays: 14 });
    this.queue = addQueue(this, "Queue", {
      name: `${Stack.of(this).stackName}-webhooks`,
      retentionDays: 14,
      timeoutSeconds: TIMEOUT_SECONDS,
      deadLetters: { queue: this.abandoned, maxReceiveCount: MAX_RECEIVES },
    });
    this.function = new NodeFunction(this, "Deliver", {
      entry: "functions/deliver-webhook.ts",
      description: "Calls webhooks",
      timeoutSeconds: TIMEOUT_SECONDS,
      memoryMb: 256,
      // It hides there what is to be tried again; the right to do so comes with taking from the queue.
      environment: { ...props.environment, WEBHOOK_QUEUE_URL: this.queue.queueUrl },
    });
    grantTableAccess(props.table.table, this.function.role, "deliver-webhook");
    takeFromQueue(this.function, this.queue, {
      maxConcurrency: MAX_CONCURRENCY,
      failuresEnd: "the delivery is in the table, and the reconciler sends for it again",
    });
    acknowledge(this.abandoned, { "Serverless-SQSRedrivePolicy": "it is itself the dead-letter queue" });
  }

  /** Lets a function send for webhooks. */
  letSend({ function: sender, role }: NodeFunction): void {
    sender.addEnvironment("WEBHOOK_QUEUE_URL", this.queue.queueUrl);
    // An emulator asks for a right of its own where messages are sent in batches; on AWS there is no such right.
    const actions = isEmulator(this.node) ? ["sqs:SendMessage", "sqs:SendMessageBatch"] : ["sqs:SendMessage"];
    role.addToPrincipalPolicy(new PolicyStatement({ actions, resources: [this.queue.queueArn] }));
  }
}
