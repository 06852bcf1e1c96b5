/** What a load costs, by what is billed. */
import { writeUnitsOf } from "../counted/tally.ts";
import { INDEX_NAMES, type Item, indexEntry, itemBytes } from "../counted/units.ts";
import { answered, deliveryItems, eventItems, published, requestItem, responseItem } from "./items.ts";
import type { Load } from "./load.ts";
import { ASSUMED, PRICES } from "./prices-and-quotas.ts";
import { countsOf, type PartUse, QUEUE, shapeOf, type Usage, usageOf, WEBHOOK } from "./usage.ts";

/** US dollars. */
export interface Cost {
  readonly eventBridge: number;
  readonly writes: number;
  readonly reads: number;
  /** Until what is written expires. */
  readonly storage: number;
  readonly invocations: number;
  readonly duration: number;
  readonly sqs: number;
  readonly logs: number;
  readonly dataOut: number;
}

export const COST_NAMES: Readonly<Record<keyof Cost, string>> = {
  eventBridge: "EventBridge events",
  writes: "DynamoDB writes",
  reads: "DynamoDB reads",
  storage: "DynamoDB storage and backup",
  invocations: "Lambda invocations",
  duration: "Lambda duration",
  sqs: "SQS requests",
  logs: "logs",
  dataOut: "data to the internet",
};

const MILLION = 1_000_000;
const GB = 1_000_000_000;
const BILLED_EVENT_BYTES = 64 * 1_024;
/** What an event has on its way beside its data. */
const ENVELOPE_BYTES = 600;
const MONTH_DAYS = 30;

export const totalOf = (cost: Cost): number => Object.values(cost).reduce((sum: number, one: number) => sum + one, 0);

/** Of a million average events of a load. */
export function costOfMillion(load: Load, usage: Usage = usageOf(load)): Cost {
  const parts = Object.values(usage.parts);
  const { calls, readUnits } = countsOf(usage);
  const each = (of: (part: PartUse) => number): number =>
    MILLION * parts.reduce((sum, part) => sum + part.invocations * of(part), 0);
  const writeUnits = writeUnitsOf(countsOf(usage));
  const sqs = usage.platformSqs + (calls["sqs SendMessageBatch"] ?? 0);
  const stored = storedOf(load, usage);
  const gbMonths = (bytes: number): number => ((bytes * MILLION) / GB) * (load.retentionDays / MONTH_DAYS);
  return {
    eventBridge: PRICES.eventBridgeEvents.value * Math.ceil((load.dataBytes + ENVELOPE_BYTES) / BILLED_EVENT_BYTES),
    writes: writeUnits * PRICES.dynamoWrites.value,
    reads: readUnits * PRICES.dynamoReads.value,
    storage:
      gbMonths(stored.table + stored.indexes) * PRICES.dynamoStorage.value +
      gbMonths(stored.table) * PRICES.dynamoBackup.value,
    invocations: (each(() => 1) / MILLION) * PRICES.lambdaInvocations.value,
    duration: each(({ ms, memoryMb }) => (ms / 1_000) * (memoryMb / 1_024)) * PRICES.lambdaDuration.value,
    sqs: sqs * PRICES.sqsRequests.value,
    logs: (each(() => ASSUMED.logBytes.value) / GB) * PRICES.logs.value,
    dataOut: (each(({ bytesOut }) => bytesOut) / GB) * PRICES.dataOut.value,
  };
}

/** Bytes that an average event leaves in the table and in its indexes, until it expires. */
function storedOf(load: Load, { parts, waits }: Usage): { table: number; indexes: number } {
  const shape = shapeOf(load);
  const { meta, body } = eventItems(shape, "event");
  const kept: readonly (readonly [count: number, item: Item])[] = [
    [1, published(meta)],
    ...(body === null ? [] : [[1, body] as const]),
    [parts.ask.invocations, answered(requestItem(shape))],
    [parts.ask.invocations * waits.answered, responseItem(shape)],
    [load.queues, deliveryItems(shape, QUEUE).done],
    [load.webhooks, deliveryItems(shape, WEBHOOK).done],
  ];
  const own = ASSUMED.storedBytes.value;
  const entriesOf = (item: Item): number =>
    INDEX_NAMES.reduce((sum, index) => {
      const entry = indexEntry(item, index);
      return entry === null ? sum : sum + itemBytes(entry) + own;
    }, 0);
  return {
    table: kept.reduce((sum, [count, item]) => sum + count * (itemBytes(item) + own), 0),
    indexes: kept.reduce((sum, [count, item]) => sum + count * entriesOf(item), 0),
  };
}
