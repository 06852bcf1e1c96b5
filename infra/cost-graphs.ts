/** What drives the bill: what of the table was used, how long functions ran, what went through EventBridge and SQS. */
import type { IFunction } from "aws-cdk-lib/aws-lambda";
import { TABLE } from "../shared/keys.ts";
import { graph, ofTable, type Row, sum } from "./metrics.ts";
import type { Watched } from "./watched.ts";

export function costs(
  { table: { table }, dispatch, webhooks, subscribers }: Watched,
  functions: readonly { readonly name: string; readonly lambda: IFunction }[],
): Row {
  const indexes = Object.keys(TABLE.indexes);
  const queues = [
    { name: "dispatch", queue: dispatch.queue },
    { name: "webhooks", queue: webhooks.queue },
    ...subscribers.flatMap(({ name, queue }) => (queue === null ? [] : [{ name, queue }])),
  ];
  return [
    graph("Cost: units of the table", [
      ofTable(table, "ConsumedReadCapacityUnits", { label: "read" }),
      ofTable(table, "ConsumedWriteCapacityUnits", { label: "written" }),
      ...indexes.flatMap((index) => [
        ofTable(table, "ConsumedReadCapacityUnits", { label: `read, ${index}`, index }),
        ofTable(table, "ConsumedWriteCapacityUnits", { label: `written, ${index}`, index }),
      ]),
      ofTable(table, "ReadThrottleEvents", { label: "reads throttled" }),
      ofTable(table, "WriteThrottleEvents", { label: "writes throttled" }),
      ...indexes.map((index) => ofTable(table, "WriteThrottleEvents", { label: `writes throttled, ${index}`, index })),
    ]),
    // Waits are by far the longest: `request`, `stream`, `queue`.
    graph(
      "Cost: time of functions (ms)",
      functions.map(({ name, lambda }) => lambda.metricDuration({ ...sum, label: name })),
    ),
    graph("Cost: events and messages", [
      // One rule brings each event there, whoever wants it: so often did EventBridge take one.
      dispatch.queue.metricNumberOfMessagesSent({ ...sum, label: "events on EventBridge" }),
      ...queues.flatMap(({ name, queue }) => [
        queue.metricNumberOfMessagesReceived({ ...sum, label: `${name}: received` }),
        queue.metricNumberOfEmptyReceives({ ...sum, label: `${name}: received nothing` }),
      ]),
    ]),
  ];
}
