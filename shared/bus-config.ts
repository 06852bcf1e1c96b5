/** The shape of `bus.config.ts`, and what is checked of it before anything runs or is deployed. */

import type { StandardSchemaV1 } from "@standard-schema/spec";
import { faultsOfBus } from "#bus-config-faults";
import type { DeclaredPolicy } from "./agents/declared-policy.ts";
import { DEFAULT_POLICY, type Policy } from "./agents/policy.ts";
import { type AwsClient, DEFAULT_AWS_CLIENT } from "./aws-client.ts";
import type { DeployedSubscriber } from "./deployed-subscriber.ts";
import type { EventPattern } from "./event-pattern.ts";
import {
  BUILT_IN_EVENT_TYPES,
  type BuiltInEventTypes,
  type Catalogue,
  type EventType,
} from "./event-types/catalogue.ts";
import { DEFAULT_LIMITS, type Limits } from "./limits.ts";

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
 * Checks a configuration and fills in its defaults. In a deployed function it is not checked once more: what it was
 * synthesized from was.
 * @throws Error that lists every fault, so that a deployment stops before it starts
 */
export function defineBus<const Declaration extends BusDeclaration>(declaration: Declaration): BusConfig<Declaration> {
  const catalogue = buildCatalogue(declaration.eventTypes ?? {});
  const subscribers = (declaration.subscribers ?? []).map(withDefaults);
  const limits = { ...DEFAULT_LIMITS, ...declaration.limits };
  const { awsClient = DEFAULT_AWS_CLIENT } = declaration;
  const faults = faultsOfBus({ declaration, catalogue, subscribers, limits, awsClient });
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
