/** An alarm that says what it means, and where it is written what to do. */
import { Alarm, ComparisonOperator, type IMetric, TreatMissingData } from "aws-cdk-lib/aws-cloudwatch";
import type { Construct } from "constructs";

export interface AlarmDefinition {
  readonly metric: IMetric;
  /** What it means, for the one who is woken. */
  readonly description: string;
  /** The heading in `docs/operations.md` under which it says what to do. */
  readonly runbook: string;
  /** Alarms from this value on. Default 1. */
  readonly threshold?: number;
  /** Alarms below the threshold, and when there is nothing to measure. */
  readonly whenBelow?: boolean;
  readonly periods?: number;
}

export function newAlarm(
  scope: Construct,
  id: string,
  { metric, description, runbook, threshold = 1, whenBelow = false, periods = 1 }: AlarmDefinition,
): Alarm {
  return new Alarm(scope, id, {
    metric,
    threshold,
    evaluationPeriods: periods,
    alarmDescription: `${description}. What to do: docs/operations.md#${runbook.toLowerCase()}`,
    comparisonOperator: whenBelow
      ? ComparisonOperator.LESS_THAN_THRESHOLD
      : ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
    treatMissingData: whenBelow ? TreatMissingData.BREACHING : TreatMissingData.NOT_BREACHING,
  });
}
