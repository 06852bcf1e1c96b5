/** The EventBridge bus that fans events out, what its rules may send to, and the archive when one is wanted. */
import { Duration, Stack } from "aws-cdk-lib";
import { EventBus as EventBridgeBus, type IRuleTarget } from "aws-cdk-lib/aws-events";
import { type IRole, PolicyStatement, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import type { IFunction } from "aws-cdk-lib/aws-lambda";
import type { IQueue } from "aws-cdk-lib/aws-sqs";
import { Construct, type IConstruct } from "constructs";
import { EVENT_SOURCE } from "../shared/event.ts";

export interface EventBusProps {
  readonly name: string;
  /** Days for which an archive keeps every event; null: no archive. */
  readonly archiveDays: number | null;
}

/** EventBridge tries an unreachable target for this long: the most it offers. */
const RETRY_POLICY = { maximumEventAgeInSeconds: 24 * 3600, maximumRetryAttempts: 185 } as const;

const RULES = new ServicePrincipal("events.amazonaws.com");

export class EventBus extends Construct {
  readonly bus: EventBridgeBus;
  /**
   * Matches the rules of this bus. Targets trust it instead of each rule by its name: a queue's policy takes 20
   * statements (SQS quota), and a subscriber may want more event types than that.
   */
  private readonly ruleArnPattern: string;

  constructor(scope: Construct, id: string, props: EventBusProps) {
    super(scope, id);
    this.bus = new EventBridgeBus(this, "Bus", {
      eventBusName: props.name,
      description: "Events of AI agents, on their way to the subscribers",
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

  /** Lets the rules of this bus send to a queue. */
  letSend(queue: IQueue): void {
    queue.addToResourcePolicy(
      new PolicyStatement({
        principals: [RULES],
        actions: ["sqs:SendMessage"],
        resources: [queue.queueArn],
        conditions: { ArnLike: { "aws:SourceArn": this.ruleArnPattern } },
      }),
    );
  }

  /** A queue that rules send events to. @param deadLetters for what they could not send */
  queueTarget(queue: IQueue, deadLetters: IQueue): IRuleTarget {
    this.letSend(queue);
    return target(queue.queueArn, queue, deadLetters);
  }

  /** A function that rules call with events. @param deadLetters for those that they could not call it with */
  functionTarget(called: IFunction, deadLetters: IQueue): IRuleTarget {
    called.addPermission("Rules", { principal: RULES, sourceArn: this.ruleArnPattern });
    return target(called.functionArn, called, deadLetters);
  }
}

function target(arn: string, targetResource: IConstruct, deadLetters: IQueue): IRuleTarget {
  const deadLetterConfig = { arn: deadLetters.queueArn };
  return { bind: () => ({ arn, targetResource, deadLetterConfig, retryPolicy: RETRY_POLICY }) };
}
