/** Keys of the table and its indexes that many write or read at once: each is one partition. */
import { INDEX_SHARDS, WORK_SHARDS } from "../../shared/limits.ts";
import type { Counts } from "../counted/tally.ts";
import * as footprints from "./footprints.ts";
import type { Limit, Remedy } from "./limit.ts";
import type { Load } from "./load.ts";
import { ASSUMED, QUOTA } from "./prices-and-quotas.ts";
import { BUDGET_WEIGHT, QUEUE, shapeOf, shareOfBatches, WEBHOOK } from "./usage.ts";

/** Keys that many write to, or read: each is one partition, and nothing splits it. */
export function hotKeys(load: Load): Limit[] {
  const shape = shapeOf(load);
  const { busiestType, busiestAgent, asked, joining, queues, webhooks } = load;
  const event = footprints.emit(shape, BUDGET_WEIGHT);
  const question = footprints.ask(shape, BUDGET_WEIGHT, { reads: 0, openWaits: 0, end: "handed over" });
  const answered = footprints.answer(shape);
  const messages = [
    footprints.dispatch(shape, [QUEUE]),
    footprints.poll(shape, QUEUE, 1),
    footprints.acknowledge(shape, QUEUE, 1),
  ];
  const calls = [footprints.dispatch(shape, [WEBHOOK]), footprints.attempt(shape, WEBHOOK)];
  const inWork = (counts: readonly Counts[]): number =>
    counts.reduce((sum, one) => sum + (one.writeUnits.work ?? 0), 0);
  const shards = "raise INDEX_SHARDS; each costs every page of history one more query";
  const workShards = "raise WORK_SHARDS; each costs the reconciler one more query for each kind of work";
  const ofKey = (what: string, perEvent: number, remedy: Remedy, advice: string): Limit => ({
    what: `DynamoDB: ${what}`,
    most: QUOTA.keyWrites.value,
    unit: "writes/s of a key",
    perEvent,
    remedy,
    advice,
  });
  return [
    ofKey("by_time, one of its shards", (event.writeUnits.by_time ?? 0) / INDEX_SHARDS, "change the bus", shards),
    ofKey(
      "by_type, a shard of the busiest type",
      ((event.writeUnits.by_type ?? 0) * busiestType) / INDEX_SHARDS,
      "change the bus",
      shards,
    ),
    ofKey("work to publish, a shard", inWork([event]) / WORK_SHARDS, "change the bus", workShards),
    ofKey(
      "deadlines, a shard",
      (asked * (inWork([question, answered]) - inWork([event]))) / WORK_SHARDS,
      "change the bus",
      workShards,
    ),
    ofKey("webhook deliveries, a shard", (webhooks * inWork(calls)) / WORK_SHARDS, "change the bus", workShards),
    ofKey(
      "the queue of a subscriber of the busiest type",
      queues === 0 ? 0 : busiestType * inWork(messages),
      "use it otherwise",
      "several subscriptions, each with a filter for a part of the events; a webhook; a deployed subscriber",
    ),
    ofKey(
      "open waits of the busiest agent",
      asked *
        busiestAgent *
        ((question.writeUnits.by_agent ?? 0) - (event.writeUnits.by_agent ?? 0) + (answered.writeUnits.by_agent ?? 0)),
      "use it otherwise",
      "ask as several agents",
    ),
    {
      what: "DynamoDB: how often the subscribers of the busiest type changed",
      most: QUOTA.keyReads.value,
      unit: "reads/s of a key",
      perEvent: shareOfBatches(busiestType) / ASSUMED.taken.value + busiestType * asked,
      remedy: "use it otherwise",
      advice: "several types for what is asked so often; larger batches of dispatch (infra/queue.ts)",
    },
    {
      what: "DynamoDB: streams that listen to all types",
      most: QUOTA.keyReads.value,
      unit: "reads/s of a key",
      perEvent: asked,
      remedy: "change the bus",
      advice: "a generation of its own, as subscriptions have; or several keys",
    },
    ofKey(
      "the budget of the busiest conversation",
      load.eventsPerSecond === 0
        ? 0
        : (joining * load.conversationEventsPerSecond) / load.eventsPerSecond / BUDGET_WEIGHT,
      "use it otherwise",
      "more than one conversation",
    ),
  ];
}

/** What is written to the partition of one event, where all its deliveries stand: begun, taken on, done. */
export function writesOfOneEvent({ dataBytes, queues, webhooks }: Load): number {
  const shape = shapeOf({ dataBytes });
  const inTable = (counts: readonly Counts[]): number =>
    counts.reduce((sum, { writeUnits }) => sum + (writeUnits.table ?? 0), 0);
  const taken = [footprints.poll(shape, QUEUE, 1), footprints.acknowledge(shape, QUEUE, 1)];
  // A poll writes its presence too, elsewhere.
  const ofQueue = inTable([footprints.dispatch(shape, [QUEUE]), ...taken]) - 1;
  const ofWebhook = inTable([footprints.dispatch(shape, [WEBHOOK]), footprints.attempt(shape, WEBHOOK)]);
  return inTable([footprints.emit(shape, BUDGET_WEIGHT)]) + queues * ofQueue + webhooks * ofWebhook;
}
