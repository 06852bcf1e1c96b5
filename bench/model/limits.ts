/** What a load meets first: each limit, how much of it an event uses, and at how many events a second it is reached. */
import { DEFAULT_LIMITS, RATE_CREDIT } from "../../shared/limits.ts";
import { INDEX_NAMES } from "../counted/units.ts";
import { hotKeys } from "./hot-keys.ts";
import { type Limit, reachedAt } from "./limit.ts";
import type { Load } from "./load.ts";
import { QUOTA, REGIONS } from "./prices-and-quotas.ts";
import { concurrencyOf, countsOf, type Usage } from "./usage.ts";

/** The reserved concurrency of the deployment, and what it bounds itself (`infra/options.ts`, `infra/webhooks.ts`). */
const RESERVED = { request: 200, webhooks: 50 } as const;

/** All limits that an event touches, the first to be reached first. */
export function limitsOf(load: Load, usage: Usage): readonly Limit[] {
  const all = [...eventBridge(load, usage), ...lambda(usage), ...tables(usage), ...hotKeys(load), ...agents(load)];
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
