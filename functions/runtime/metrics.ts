/**
 * Metrics as a log line, which CloudWatch makes metrics of: no call, no permission.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
 */
import type { ReconcileReport } from "../../shared/reconcile.ts";

/** One run of the reconciler as one line, with its line break. `nowMs` is epoch milliseconds. */
export function reconcileMetrics(report: ReconcileReport, functionName: string, nowMs: number): string {
  const line = {
    _aws: {
      Timestamp: nowMs,
      CloudWatchMetrics: [
        {
          Namespace: "AgentEventBus",
          Dimensions: [["FunctionName"]],
          Metrics: [
            { Name: "Published", Unit: "Count" },
            { Name: "Ended", Unit: "Count" },
            { Name: "Tended", Unit: "Count" },
            { Name: "Failed", Unit: "Count" },
            { Name: "OldestUnpublishedAge", Unit: "Milliseconds" },
          ],
        },
      ],
    },
    FunctionName: functionName,
    Published: report.published,
    Ended: report.ended,
    Tended: report.tended,
    Failed: report.failed,
    OldestUnpublishedAge: report.oldest_unpublished_ms,
  };
  return `${JSON.stringify(line)}\n`;
}

/** One dead letter of a deployed subscriber as one line, with its line break. `nowMs` is epoch milliseconds. */
export function deadLetterMetrics(subscriber: string, nowMs: number): string {
  const line = {
    _aws: {
      Timestamp: nowMs,
      CloudWatchMetrics: [
        {
          Namespace: "AgentEventBus",
          Dimensions: [["Subscriber"]],
          Metrics: [{ Name: "DeadLetters", Unit: "Count" }],
        },
      ],
    },
    Subscriber: subscriber,
    DeadLetters: 1,
  };
  return `${JSON.stringify(line)}\n`;
}
