/**
 * Metrics as log lines, which CloudWatch makes metrics of: no call, no permission. Written by Powertools in the embedded
 * metric format:
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
 *
 * What happens in a call is only noted; it is written once the caller has its answer, and Powertools is loaded when there
 * is something to write for the first time. Most calls of most functions have nothing to write.
 */
import type { Metrics as EmfMetrics } from "@aws-lambda-powertools/metrics";
import { METRICS, METRICS_NAMESPACE, type MetricDefinition, type MetricName } from "../../shared/metrics.ts";
import type { Logger } from "../../shared/ports.ts";

export interface Metrics {
  /** Notes a value. @param of the value of the metric's own dimension, for one that has it */
  add(name: MetricName, value: number, of?: string): void;
  /** Writes what was noted since, as one line for each value of a dimension. Never throws. */
  write(): Promise<void>;
}

interface Noted {
  readonly name: MetricName;
  readonly value: number;
}

/** @param bus the name of the bus: its dimension tells it from others in the account */
export function createMetrics(bus: string, log: Logger): Metrics {
  let noted = new Map<string, Noted[]>();
  let emf: EmfMetrics | null = null;
  return {
    add(name, value, of) {
      const { by }: MetricDefinition = METRICS[name];
      const group = by === undefined || of === undefined ? "" : `${by} ${of}`;
      const inGroup = noted.get(group);
      if (inGroup === undefined) noted.set(group, [{ name, value }]);
      else inGroup.push({ name, value });
    },
    async write() {
      if (noted.size === 0) return;
      const groups = noted;
      noted = new Map();
      try {
        emf ??= await createEmf(bus);
        for (const [group, values] of groups) writeGroup(emf, group, values);
      } catch (error) {
        // A measure that is lost must not make a call fail that went well.
        log.warn("metrics could not be written", { error: String(error) });
      }
    },
  };
}

async function createEmf(bus: string): Promise<EmfMetrics> {
  const { Metrics } = await import("@aws-lambda-powertools/metrics");
  return new Metrics({ namespace: METRICS_NAMESPACE, serviceName: bus });
}

/** Values of one name become a list, of which CloudWatch counts each. */
function writeGroup(emf: EmfMetrics, group: string, values: readonly Noted[]): void {
  const space = group.indexOf(" ");
  if (space > 0) emf.addDimension(group.slice(0, space), group.slice(space + 1));
  for (const { name, value } of values) emf.addMetric(name, METRICS[name].unit, value);
  emf.publishStoredMetrics();
}
