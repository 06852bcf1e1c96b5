/** What is wrong with a `bus.config.ts`. Named by `#bus-config-faults` everywhere but in deployed functions. */
import { faultOfArn, faultsOfPolicy } from "./agents/declared-policy.ts";
import { type AwsClient, faultOfAwsClient } from "./aws-client.ts";
import type { BusDeclaration, EventTypeDeclaration } from "./bus-config.ts";
import type { DeployedSubscriber } from "./deployed-subscriber.ts";
import { checkPattern } from "./event-pattern.ts";
import { BUILT_IN_EVENT_TYPES, type Catalogue, EVENT_TYPE_NAME } from "./event-types/catalogue.ts";
import { nearestName } from "./event-types/nearest-name.ts";
import { type Limits, MAX_CALLS_PER_SECOND, MAX_COUNTED, MIN_RETENTION_DAYS } from "./limits.ts";

/** What was declared, and what it comes to with its defaults. */
export interface FilledInBus {
  readonly declaration: BusDeclaration;
  readonly catalogue: Catalogue;
  readonly subscribers: readonly DeployedSubscriber[];
  readonly limits: Limits;
  readonly awsClient: AwsClient;
}

/** Every fault, in words that name its place. */
export function faultsOfBus({ declaration, catalogue, subscribers, limits, awsClient }: FilledInBus): string[] {
  const faultOfClient = faultOfAwsClient(awsClient);
  return [
    ...faultsOfTypes(declaration.eventTypes ?? {}),
    ...faultsOfSubscribers(subscribers, catalogue),
    ...faultsOfLimits(limits),
    ...faultsOfAgents(declaration, catalogue),
    ...(faultOfClient === null ? [] : [faultOfClient]),
  ];
}

function faultsOfTypes(own: Readonly<Record<string, EventTypeDeclaration>>): string[] {
  return Object.keys(own).flatMap((name) => {
    if (Object.hasOwn(BUILT_IN_EVENT_TYPES, name)) return [`eventTypes.${name}: this name is built in`];
    if (!EVENT_TYPE_NAME.test(name))
      return [`eventTypes["${name}"]: expected a name like ORDER_PLACED (${EVENT_TYPE_NAME.source})`];
    return [];
  });
}

function faultsOfSubscribers(subscribers: readonly DeployedSubscriber[], catalogue: Catalogue): string[] {
  const seen = new Set<string>();
  return subscribers.flatMap((subscriber, i) => {
    const at = `subscribers[${i}] (${subscriber.name})`;
    const faults: string[] = [];
    if (!/^[a-z][a-z0-9-]{0,39}$/.test(subscriber.name))
      faults.push(`${at}: name must match [a-z][a-z0-9-]*, up to 40 characters`);
    if (seen.has(subscriber.name)) faults.push(`${at}: another subscriber has this name`);
    seen.add(subscriber.name);
    if (subscriber.on.length === 0) faults.push(`${at}: "on" names no event type`);
    for (const type of subscriber.on)
      if (!Object.hasOwn(catalogue, type))
        faults.push(
          `${at}: there is no event type "${type}". Did you mean ${nearestName(type, Object.keys(catalogue))}?`,
        );
    if (subscriber.via !== "direct" && subscriber.via !== "queue")
      faults.push(`${at}: via must be "direct" or "queue"`);
    if (!isWholeNumber(subscriber.timeoutSeconds, 1, 900))
      faults.push(`${at}: timeoutSeconds must be a whole number from 1 to 900`);
    if (!isWholeNumber(subscriber.memoryMb, 128, 10_240))
      faults.push(`${at}: memoryMb must be a whole number from 128 to 10240`);
    if (subscriber.policy !== undefined) faults.push(...faultsOfPolicy(subscriber.policy, catalogue, `${at}: policy`));
    if (subscriber.filter !== undefined)
      faults.push(...checkPattern(subscriber.filter).map((fault) => `${at}: filter${fault.pointer}: ${fault.detail}`));
    return faults;
  });
}

function faultsOfAgents({ agents = {}, defaultPolicy = {} }: BusDeclaration, catalogue: Catalogue): string[] {
  return [
    ...faultsOfPolicy(defaultPolicy, catalogue, "defaultPolicy"),
    ...Object.entries(agents).flatMap(([arn, policy]) => {
      const fault = faultOfArn(arn);
      const at = `agents["${arn}"]`;
      return [...(fault === null ? [] : [`${at}: ${fault}`]), ...faultsOfPolicy(policy, catalogue, at)];
    }),
  ];
}

function faultsOfLimits(limits: Limits): string[] {
  const faults: string[] = [];
  if (!(limits.holdSeconds > 0 && limits.holdSeconds <= 890))
    faults.push("limits.holdSeconds: expected a number over 0 and up to 890 (a function lives 900 s)");
  if (!isWholeNumber(limits.retentionDays, MIN_RETENTION_DAYS))
    faults.push(`limits.retentionDays: expected a whole number of at least ${MIN_RETENTION_DAYS}`);
  if (!isWholeNumber(limits.eventsPerConversation, 1))
    faults.push("limits.eventsPerConversation: expected a whole number of at least 1");
  const { perSecond, burst } = limits.ratePerAgent;
  if (!(perSecond > 0 && perSecond <= MAX_CALLS_PER_SECOND))
    faults.push(`limits.ratePerAgent.perSecond: expected a number over 0 and up to ${MAX_CALLS_PER_SECOND}`);
  if (!isWholeNumber(burst, 1)) faults.push("limits.ratePerAgent.burst: expected a whole number of at least 1");
  for (const name of ["openWaitsPerAgent", "subscriptionsPerAgent", "subscriptionsPerType"] as const)
    if (!isWholeNumber(limits[name], 1, MAX_COUNTED))
      faults.push(`limits.${name}: expected a whole number from 1 to ${MAX_COUNTED}`);
  return faults;
}

function isWholeNumber(value: number, atLeast: number, atMost = Number.MAX_SAFE_INTEGER): boolean {
  return Number.isInteger(value) && value >= atLeast && value <= atMost;
}
