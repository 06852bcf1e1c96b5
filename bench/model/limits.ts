/** What a load meets first: each limit, how much of it an event uses, and at how many events a second it is reached. */
import { DEFAULT_LIMITS, INDEX_SHARDS, RATE_CREDIT, WORK_SHARDS } from "../../shared/limits.ts";
import type { Counts } from "../counted/tally.ts";
import { INDEX_NAMES } from "../counted/units.ts";
import * as footprints from "./footprints.ts";
import type { Load } from "./load.ts";
import { ASSUMED, QUOTA, REGIONS } from "./prices-and-quotas.ts";
import {
  BUDGET_WEIGHT,
  concurrencyOf,
  countsOf,
  QUEUE,
  shapeOf,
  shareOfBatches,
  type Usage,
  WEBHOOK,
} from "./usage.ts";

/** Who can do something about a limit: AWS raises it for who asks; the bus has a constant; whoever uses it does otherwise. */
export type Remedy = "ask AWS" | "change the bus" | "use it otherwise";

export interface Limit {
  readonly what: string;
  /** Of it there are so many a second, or at once. */
  readonly most: number;
  readonly unit: string;
  /** What an event a second uses of it. */
  readonly perEvent: number;
  readonly remedy: Remedy;
  /** What to do about it. */
  readonly advice: string;
}

/** Events a second at which a limit is reached. */
export const reachedAt = ({ most, perEvent }: Limit): number =>
  perEvent === 0 ? Number.POSITIVE_INFINITY : most / perEvent;

/** The reserved concurrency of the deployment, and what it bounds itself (`infra/options.ts`, `infra/webhooks.ts`). */
const RESERVED = { request: 200, webhooks: 50 } as const;

/** All limits that an event touches, the first to be reached first. */
export function limitsOf(load: Load, usage: Usage): readonly Limit[] {
  const all = [...eventBridge(load, usage), ...lambda(usage), ...tables(usage), ...partitions(load), ...agents(load)];
  return all.filter(({ perEvent }) => perEvent > 0).sort((a, b) => reachedAt(a) - reachedAt(b));
}

function eventBridge(load: Load, usage: Usage): Limit[] {
  const { putEvents, invocations } = REGIONS[load.region];
  return [
    {
      what: `EventBridge: PutEvents in ${load.region}`,
      most: putEvents,
      unit: "requests/s",
      perEvent: countsOf(usage).calls["eventbridge PutEvents"] ?? 0,
      remedy: "ask AWS",
      advice: "a higher quota; emit in batches: ten events are one request",
    },
    {
      what: `EventBridge: invocations in ${load.region}`,
      most: invocations,
      unit: "deliveries/s",
      perEvent: usage.deliveries,
      remedy: "ask AWS",
      advice: "a higher quota; what is over it comes later, not never",
    },
  ];
}

function lambda({ parts }: Usage): Limit[] {
  const all = Object.values(parts);
  const environments = all.reduce((sum, one) => sum + concurrencyOf(one), 0);
  const invocations = all.reduce((sum, one) => sum + one.invocations, 0);
  const { concurrency, invocationsPerEnvironment, environmentsOfQueue, messagesInFlight } = QUOTA;
  return [
    {
      what: "Lambda: waits, in the concurrency reserved for them",
      most: RESERVED.request,
      unit: "environments",
      perEvent: concurrencyOf(parts.ask),
      remedy: "change the bus",
      advice: "deploy with -c reservedConcurrency=<more>,100,100; hold for less long, and let clients come back",
    },
    {
      what: "Lambda: webhooks, in the concurrency that they may take",
      most: RESERVED.webhooks,
      unit: "environments",
      perEvent: concurrencyOf(parts.webhooks),
      remedy: "change the bus",
      advice: "raise MAX_CONCURRENCY in infra/webhooks.ts",
    },
    {
      what: "Lambda: dispatch, by what takes from its queue",
      most: environmentsOfQueue.value,
      unit: "environments",
      perEvent: concurrencyOf(parts.dispatch),
      remedy: "change the bus",
      advice: "several dispatch queues, each with a rule of its own for a part of the types",
    },
    {
      what: "SQS: events that dispatch has taken and not deleted",
      most: messagesInFlight.value,
      unit: "messages",
      perEvent: parts.dispatch.ms / 1_000,
      remedy: "ask AWS",
      advice: "a higher quota",
    },
    {
      what: "Lambda: concurrency of the account",
      most: concurrency.value,
      unit: "environments",
      perEvent: environments,
      remedy: "ask AWS",
      advice: "a higher quota",
    },
    {
      what: "Lambda: invocations of the account",
      most: concurrency.value * invocationsPerEnvironment.value,
      unit: "invocations/s",
      perEvent: invocations,
      remedy: "ask AWS",
      advice: "comes with the quota of concurrency, ten for each",
    },
  ];
}

function tables(usage: Usage): Limit[] {
  const { writeUnits, readUnits } = countsOf(usage);
  const advice = "a higher quota; warm the table up beforehand";
  const writes = (["table", ...INDEX_NAMES] as const).map(
    (place): Limit => ({
      what: place === "table" ? "DynamoDB: writes of the table" : `DynamoDB: writes of index ${place}`,
      most: QUOTA.tableWrites.value,
      unit: "units/s",
      perEvent: writeUnits[place] ?? 0,
      remedy: "ask AWS",
      advice,
    }),
  );
  return [
    ...writes,
    {
      what: "DynamoDB: reads of the table and its indexes",
      most: QUOTA.tableReads.value,
      unit: "units/s",
      perEvent: readUnits,
      remedy: "ask AWS",
      advice,
    },
  ];
}

/** Keys that many write to, or read: each is one partition, and nothing splits it. */
function partitions(load: Load): Limit[] {
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

/** What the bus grants an agent, and what its bucket takes. */
function agents({ busiestAgent, asked }: Load): Limit[] {
  const tokens = busiestAgent * (1 - asked + 2 * asked + asked);
  return [
    {
      what: "The bus: calls of the busiest agent",
      most: DEFAULT_LIMITS.ratePerAgent.perSecond,
      unit: "tokens/s",
      perEvent: tokens,
      remedy: "change the bus",
      advice: "limits.ratePerAgent in bus.config.ts, up to 20,000",
    },
    {
      what: "DynamoDB: the bucket of the busiest agent",
      most: QUOTA.keyWrites.value,
      unit: "writes/s of a key",
      perEvent: tokens / (RATE_CREDIT + 1),
      remedy: "use it otherwise",
      advice: "call as several agents",
    },
  ];
}
