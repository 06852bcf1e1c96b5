/** The shape of `bus.config.ts`, and what is checked of it before anything runs or is deployed. */
import type { StandardSchemaV1 } from "@standard-schema/spec";
import { type DeclaredPolicy, faultOfArn, faultsOfPolicy } from "./agents/declared-policy.ts";
import { DEFAULT_POLICY, type Policy } from "./agents/policy.ts";
import { type AwsClient, DEFAULT_AWS_CLIENT, faultOfAwsClient } from "./aws-client.ts";
import type { DeployedSubscriber } from "./deployed-subscriber.ts";
import { checkPattern, type EventPattern } from "./event-pattern.ts";
import {
  BUILT_IN_EVENT_TYPES,
  type BuiltInEventTypes,
  type Catalogue,
  EVENT_TYPE_NAME,
  type EventType,
} from "./event-types/catalogue.ts";
import { nearestName } from "./event-types/nearest-name.ts";
import { DEFAULT_LIMITS, type Limits, MAX_CALLS_PER_SECOND, MAX_COUNTED, MIN_RETENTION_DAYS } from "./limits.ts";

/** A type of the deployment's own. */
export interface EventTypeDeclaration {
  /** For readers and `GET /event-types`; `custom` if not given. */
  readonly group?: string;
  readonly description?: string;
  /** Any Standard Schema (https://standardschema.dev): Valibot, Zod, ArkType and others. */
  readonly schema?: StandardSchemaV1;
}

export interface SubscriberDeclaration {
  /** Unique; `[a-z][a-z0-9-]*`, up to 40 characters. */
  readonly name: string;
  /** One event type or several, built in or declared here. */
  readonly on: string | readonly string[];
  /** An EventBridge event pattern on the event, for example `{ data: { language: ["de"] } }`. */
  readonly filter?: EventPattern;
  /** The module that exports `handler`, relative to the project's root. */
  readonly handler: string;
  readonly via: "direct" | "queue";
  /** False for an observer. Default true. */
  readonly answers?: boolean;
  /** How long one call may take: 1 to 900 s. Default 60. */
  readonly timeoutSeconds?: number;
  /** Memory of its function: 128 to 10,240 MB. Default 256. */
  readonly memoryMb?: number;
  /**
   * What it may do beside getting its events, where that differs from: publish and ask anything, answer the types that it is
   * `on`, look into everything, subscribe to nothing at run time.
   */
  readonly policy?: DeclaredPolicy;
}

export interface BusDeclaration {
  readonly eventTypes?: Readonly<Record<string, EventTypeDeclaration>>;
  readonly subscribers?: readonly SubscriberDeclaration[];
  readonly limits?: Partial<Limits>;
  /**
   * What callers may do that IAM lets in, by the ARN of their role or user, where that differs from `defaultPolicy`. A role
   * without its path: `arn:aws:iam::123456789012:role/billing`.
   */
  readonly agents?: Readonly<Record<string, DeclaredPolicy>>;
  /** What all others may do whom IAM lets in, where that differs from `DEFAULT_POLICY`. */
  readonly defaultPolicy?: DeclaredPolicy;
  /** With what the deployed functions speak to AWS: `lean` starts faster, `sdk` is what AWS makes. */
  readonly awsClient?: AwsClient;
}

/** A checked configuration with everything filled in. */
export interface BusConfig<Declaration extends BusDeclaration = BusDeclaration> {
  readonly catalogue: Catalogue;
  readonly subscribers: readonly DeployedSubscriber[];
  readonly limits: Limits;
  /** Of callers that IAM lets in, by their ARN; all others have `defaultPolicy`. */
  readonly agents: Readonly<Record<string, Policy>>;
  readonly defaultPolicy: Policy;
  readonly awsClient: AwsClient;
  /** Only for types: what was declared, so that `EventTypesOf` can infer `data`. */
  readonly declaration: Declaration;
}

/** `data` by event type, for `new AgentEventBus<EventTypesOf<typeof config>>(...)`. */
export type EventTypesOf<Config extends BusConfig> = BuiltInEventTypes & OwnEventTypes<Config["declaration"]>;

type OwnEventTypes<Declaration extends BusDeclaration> = Declaration["eventTypes"] extends infer Types extends Readonly<
  Record<string, EventTypeDeclaration>
>
  ? {
      [Name in keyof Types]: Types[Name]["schema"] extends StandardSchemaV1
        ? StandardSchemaV1.InferInput<Types[Name]["schema"]>
        : Record<string, unknown>;
    }
  : unknown;

/**
 * Checks a configuration and fills in its defaults. @throws Error that lists every fault, so that a deployment stops
 * before it starts
 */
export function defineBus<const Declaration extends BusDeclaration>(declaration: Declaration): BusConfig<Declaration> {
  const catalogue = buildCatalogue(declaration.eventTypes ?? {});
  const subscribers = (declaration.subscribers ?? []).map(withDefaults);
  const limits = { ...DEFAULT_LIMITS, ...declaration.limits };
  const { awsClient = DEFAULT_AWS_CLIENT } = declaration;
  const faultOfClient = faultOfAwsClient(awsClient);
  const faults = [
    ...faultsOfTypes(declaration.eventTypes ?? {}),
    ...faultsOfSubscribers(subscribers, catalogue),
    ...faultsOfLimits(limits),
    ...faultsOfAgents(declaration, catalogue),
    ...(faultOfClient === null ? [] : [faultOfClient]),
  ];
  if (faults.length > 0) throw new Error(`bus.config.ts:\n${faults.map((fault) => `  - ${fault}`).join("\n")}`);
  const defaultPolicy: Policy = { ...DEFAULT_POLICY, ...declaration.defaultPolicy };
  const agents = Object.fromEntries(
    Object.entries(declaration.agents ?? {}).map(([arn, policy]): [string, Policy] => [
      arn,
      { ...defaultPolicy, ...policy },
    ]),
  );
  return { catalogue, subscribers, limits, agents, defaultPolicy, awsClient, declaration };
}

function buildCatalogue(own: Readonly<Record<string, EventTypeDeclaration>>): Catalogue {
  const catalogue: Record<string, EventType> = { ...BUILT_IN_EVENT_TYPES };
  for (const [name, { group = "custom", description = "", schema }] of Object.entries(own))
    catalogue[name] = { group, description, ...(schema === undefined ? {} : { schema }) };
  return catalogue;
}

function withDefaults(subscriber: SubscriberDeclaration): DeployedSubscriber {
  const { on, answers = true, timeoutSeconds = 60, memoryMb = 256, ...rest } = subscriber;
  // Named twice, a type would have two rules, and every event two deliveries.
  return { ...rest, on: typeof on === "string" ? [on] : [...new Set(on)], answers, timeoutSeconds, memoryMb };
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
