/** The function that, each minute, publishes what stayed unpublished, ends what nobody ended and looks after the rest. */
import { Duration } from "aws-cdk-lib";
import { Rule, Schedule } from "aws-cdk-lib/aws-events";
import { LambdaFunction } from "aws-cdk-lib/aws-events-targets";
import { Construct } from "constructs";
import { acknowledge } from "./acknowledge.ts";
import type { EventBus } from "./event-bus.ts";
import type { EventTable } from "./event-table.ts";
import { NodeFunction } from "./node-function.ts";
import { grantTableAccess } from "./table-access.ts";
import type { Webhooks } from "./webhooks.ts";

export interface ReconcilerProps {
  readonly table: EventTable;
  readonly bus: EventBus;
  readonly webhooks: Webhooks;
  readonly environment: Readonly<Record<string, string>>;
}

export class Reconciler extends Construct {
  readonly function: NodeFunction;

  constructor(scope: Construct, id: string, props: ReconcilerProps) {
    super(scope, id);
    this.function = new NodeFunction(this, "Reconcile", {
      entry: "functions/reconcile.ts",
      description: "Publishes what stayed unpublished, ends overdue requests, looks after deliveries",
      timeoutSeconds: 60,
      // A whole processor, for the minute after an outage: about 1,000 events a second instead of 150. Idle, it only waits.
      memoryMb: 1_769,
      environment: props.environment,
    });
    grantTableAccess(props.table.table, this.function.role, "reconcile");
    props.bus.grantPublish(this.function.role);
    props.webhooks.letSend(this.function);

    // A run that fails is not repeated: the next one, a minute later, finds the same work.
    this.function.function.configureAsyncInvoke({ retryAttempts: 0, maxEventAge: Duration.minutes(1) });
    const schedule = new Rule(this, "EachMinute", {
      description: "Runs the reconciler",
      schedule: Schedule.rate(Duration.minutes(1)),
      targets: [new LambdaFunction(this.function.function, { retryAttempts: 0, maxEventAge: Duration.minutes(1) })],
    });
    const repeated =
      "carries no data: the run a minute later finds the same work, and an alarm tells when none succeed";
    acknowledge(this.function, {
      "Serverless-LambdaAsyncFailureDestination": repeated,
      "Serverless-LambdaDLQ": repeated,
    });
    acknowledge(schedule, { "Serverless-EventBusDLQ": repeated });
  }
}
