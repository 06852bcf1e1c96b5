/**
 * Where everything ends that EventBridge, a queue or Lambda gave up, and the function that records it in the table:
 * there it is listed, and from there it is sent again.
 */

import { Stack } from "aws-cdk-lib";
import type { Queue } from "aws-cdk-lib/aws-sqs";
import { Construct } from "constructs";
import { acknowledge } from "./acknowledge.ts";
import type { EventBus } from "./event-bus.ts";
import type { EventTable } from "./event-table.ts";
import { NodeFunction } from "./node-function.ts";
import { addQueue, takeFromQueue } from "./queue.ts";
import { subscriberPrefix } from "./subscriber-name.ts";
import { grantTableAccess } from "./table-access.ts";

export interface DeadLettersProps {
  readonly table: EventTable;
  readonly bus: EventBus;
  readonly environment: Readonly<Record<string, string>>;
}

const TIMEOUT_SECONDS = 30;

export class DeadLetters extends Construct {
  /**
   * Three kinds of message come: from EventBridge (the event; the error is in the message's attributes), from another
   * queue (the event), from Lambda (the invocation's record with the event in `requestPayload`).
   */
  readonly queue: Queue;
  readonly function: NodeFunction;

  constructor(scope: Construct, id: string, props: DeadLettersProps) {
    super(scope, id);
    this.queue = addQueue(this, "Queue", {
      name: `${Stack.of(this).stackName}-dead-letters`,
      retentionDays: 14,
      timeoutSeconds: TIMEOUT_SECONDS,
    });
    props.bus.letSend(this.queue);
    this.function = new NodeFunction(this, "Record", {
      entry: "functions/dead-letters.ts",
      description: "Records what could not be delivered",
      timeoutSeconds: TIMEOUT_SECONDS,
      memoryMb: 256,
      environment: { ...props.environment, SUBSCRIBER_PREFIX: subscriberPrefix(this) },
    });
    grantTableAccess(props.table.table, this.function.role, "dead-letters");
    takeFromQueue(this.function, this.queue, {
      failuresEnd: "what cannot be recorded stays in the queue, is tried again for 14 days, and alarms",
    });
    acknowledge(this.queue, {
      "Serverless-SQSRedrivePolicy": "it is itself the dead-letter queue; what cannot be recorded stays in it",
    });
  }
}
