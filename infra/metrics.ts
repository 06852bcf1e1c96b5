/** Measures that alarms and the dashboard share. */
import { Duration } from "aws-cdk-lib";
import { Metric } from "aws-cdk-lib/aws-cloudwatch";
import type { IConstruct } from "constructs";
import { subscriberPrefix } from "./subscriber-name.ts";

export const PERIOD = Duration.minutes(5);

/** How many there were in a period. */
export const sum = { statistic: "Sum", period: PERIOD } as const;

/** The most there were at any moment of a period. */
export const most = { statistic: "Maximum", period: PERIOD } as const;

/** Deliveries to a deployed subscriber that ended dead. Written by `functions/runtime/metrics.ts`. */
export const deadLettersOf = (scope: IConstruct, subscriber: string): Metric =>
  new Metric({
    namespace: "AgentEventBus",
    metricName: "DeadLetters",
    // With the stack's name in it: another bus in the account may have a subscriber of the same name.
    dimensionsMap: { Subscriber: `${subscriberPrefix(scope)}${subscriber}` },
    ...sum,
  });
