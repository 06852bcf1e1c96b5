/** The EventBridge bus that fans events out, and the archive when one is wanted. */
import { Duration, Stack } from "aws-cdk-lib";
import { EventBus as EventBridgeBus } from "aws-cdk-lib/aws-events";
import { type IRole, PolicyStatement } from "aws-cdk-lib/aws-iam";
import { Construct } from "constructs";
import { EVENT_SOURCE } from "../shared/event.ts";

export interface EventBusProps {
  readonly name: string;
  /** Days for which an archive keeps every event; null: no archive. */
  readonly archiveDays: number | null;
}

export class EventBus extends Construct {
  readonly bus: EventBridgeBus;
  /**
   * Matches the rules of this bus. Targets trust it instead of each rule by its name: a queue's policy takes 20
   * statements (SQS quota), and a subscriber may want more event types than that.
   */
  readonly ruleArnPattern: string;

  constructor(scope: Construct, id: string, props: EventBusProps) {
    super(scope, id);
    this.bus = new EventBridgeBus(this, "Bus", {
      eventBusName: props.name,
      description: "Events of AI agents, on their way to the deployed subscribers",
    });
    this.ruleArnPattern = Stack.of(this).formatArn({
      service: "events",
      resource: "rule",
      resourceName: `${props.name}/*`,
    });
    if (props.archiveDays !== null)
      this.bus.archive("Archive", {
        eventPattern: { source: [EVENT_SOURCE] },
        retention: Duration.days(props.archiveDays),
        description: "Every event, as it was delivered",
      });
  }

  grantPublish(role: IRole): void {
    role.addToPrincipalPolicy(
      new PolicyStatement({ actions: ["events:PutEvents"], resources: [this.bus.eventBusArn] }),
    );
  }
}
