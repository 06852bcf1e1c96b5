/** Measures that alarms and the dashboard share. */
import { Duration, Stack } from "aws-cdk-lib";
import { GraphWidget, type IMetric, Metric, type MetricOptions } from "aws-cdk-lib/aws-cloudwatch";
import type { IConstruct } from "constructs";
import {
  BUS_DIMENSION,
  METRICS,
  METRICS_NAMESPACE,
  type MetricDefinition,
  type MetricName,
} from "../shared/metrics.ts";
import type { TableReference } from "./event-table.ts";

export const PERIOD = Duration.minutes(5);

/** How many there were in a period. */
export const sum = { statistic: "Sum", period: PERIOD } as const;

/** The most there were at any moment of a period. */
export const most = { statistic: "Maximum", period: PERIOD } as const;

/**
 * What the bus measures of itself.
 *
 * @param of the value of the metric's own dimension, for one that has it: an event type, a subscriber
 */
export function measured(scope: IConstruct, metricName: MetricName, options: MetricOptions, of?: string): Metric {
  const { by }: MetricDefinition = METRICS[metricName];
  if ((by === undefined) !== (of === undefined)) throw new Error(`${metricName} is measured by ${by ?? "bus only"}.`);
  const bus = { [BUS_DIMENSION]: Stack.of(scope).stackName };
  const dimensionsMap = by === undefined || of === undefined ? bus : { ...bus, [by]: of };
  return new Metric({ namespace: METRICS_NAMESPACE, metricName, dimensionsMap, ...options });
}

type TableMetric =
  | "ConsumedReadCapacityUnits"
  | "ConsumedWriteCapacityUnits"
  | "ReadThrottleEvents"
  | "WriteThrottleEvents";

/** Of the table itself or of one of its indexes: neither has the other's in it. No alarm takes a label. */
export function ofTable(
  { tableName }: TableReference,
  metricName: TableMetric,
  { label, index }: { readonly label?: string; readonly index?: string } = {},
): Metric {
  const dimensionsMap = { TableName: tableName, ...(index === undefined ? {} : { GlobalSecondaryIndexName: index }) };
  const named = label === undefined ? {} : { label };
  return new Metric({ namespace: "AWS/DynamoDB", metricName, dimensionsMap, ...named, ...sum });
}

/** Up to three graphs beside each other. */
export type Row = GraphWidget[];

export const graph = (title: string, left: IMetric[]): GraphWidget => new GraphWidget({ title, left, width: 8 });
