/**
 * Metrics as log lines in the embedded metric format, which CloudWatch makes metrics of: no call, no permission.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
 *
 * What happens in a call is only noted; it is written once the caller has its answer.
 */
import {
  BUS_DIMENSION,
  METRICS,
  METRICS_NAMESPACE,
  type MetricDefinition,
  type MetricName,
} from "../../shared/metrics.ts";
import type { Logger } from "../../shared/ports.ts";

export interface Metrics {
  /** Notes a value. @param of the value of the metric's own dimension, for one that has it */
  add(name: MetricName, value: number, of?: string): void;
  /** Writes what was noted since: a line for each value of a dimension. Never throws. */
  write(): void;
}

/** What was measured under the same dimensions, by name. */
interface Group {
  readonly dimensions: Readonly<Record<string, string>>;
  readonly values: Map<MetricName, number[]>;
}

/** A metric has so many values in one line. */
const MAX_VALUES = 100;

/** @param bus the name of the bus: its dimension tells it from others in the account */
export function createMetrics(bus: string, log: Logger): Metrics {
  let noted = new Map<string, Group>();
  return {
    add(name, value, of) {
      const { by }: MetricDefinition = METRICS[name];
      const own = by === undefined || of === undefined ? {} : { [by]: of };
      const { values } = presentIn(noted, `${by} ${of}`, () => ({
        dimensions: { [BUS_DIMENSION]: bus, ...own },
        values: new Map<MetricName, number[]>(),
      }));
      presentIn(values, name, () => []).push(value);
    },
    write() {
      if (noted.size === 0) return;
      const groups = noted;
      noted = new Map();
      try {
        for (const group of groups.values()) for (const line of linesOf(group)) process.stdout.write(`${line}\n`);
      } catch (error) {
        // A measure that is lost must not make a call fail that went well.
        log.warn("metrics could not be written", { error: String(error) });
      }
    },
  };
}

function presentIn<Key, Value>(map: Map<Key, Value>, key: Key, create: () => Value): Value {
  const present = map.get(key) ?? create();
  map.set(key, present);
  return present;
}

/** One line, or as many as the longest list of values needs. */
function linesOf({ dimensions, values }: Group): string[] {
  const lines: string[] = [];
  for (let rest = [...values]; rest.length > 0; ) {
    lines.push(
      lineOf(
        dimensions,
        rest.map(([name, all]) => [name, all.slice(0, MAX_VALUES)] as const),
      ),
    );
    rest = rest.flatMap(([name, all]) => (all.length > MAX_VALUES ? [[name, all.slice(MAX_VALUES)]] : []));
  }
  return lines;
}

/** Of values of one name CloudWatch counts each. */
function lineOf(
  dimensions: Readonly<Record<string, string>>,
  measured: readonly (readonly [MetricName, readonly number[]])[],
): string {
  return JSON.stringify({
    _aws: {
      Timestamp: Date.now(),
      CloudWatchMetrics: [
        {
          Namespace: METRICS_NAMESPACE,
          Dimensions: [Object.keys(dimensions)],
          Metrics: measured.map(([name]) => ({ Name: name, Unit: METRICS[name].unit })),
        },
      ],
    },
    ...dimensions,
    ...Object.fromEntries(measured.map(([name, values]) => [name, values.length === 1 ? values[0] : values])),
  });
}
