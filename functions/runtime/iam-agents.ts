/** Callers whom IAM has verified, as agents: their policies stand in `bus.config.ts`, so that knowing them costs no read. */
import { type Agent, openAgent } from "../../shared/agents/agent.ts";
import { NO_POLICY } from "../../shared/agents/policy.ts";
import { subscriberRoleName } from "../../shared/agents/subscriber-role.ts";
import type { BusConfig } from "../../shared/bus-config.ts";
import { policyOfSubscriber } from "../../shared/deployed-subscriber.ts";
import type { Config } from "./config.ts";

/** Whom nobody has verified, on an emulator and on loopback: no ARN and no agent with a key has such an id. */
export const ANONYMOUS = "anonymous";
export const LOCAL = "local";
type UnverifiedId = typeof ANONYMOUS | typeof LOCAL;

/** What of a run decides who is who, beside the configuration. */
export interface RunOfAgents {
  /** The unverified callers that are let in. Those of an earlier run, who are not any more, get nothing. */
  readonly open?: UnverifiedId | undefined;
  /** Without it, no role is a deployed subscriber's. */
  readonly bus?: Pick<Config, "eventBusName" | "region">;
}

/**
 * The agent of an id, as the configuration has it.
 *
 * @param account of this bus: only a role of this account is a deployed subscriber's. Not given where the id was verified
 * before it was written down
 */
export type ConfiguredAgent = (id: string, account?: string) => Agent;

export function configuredAgents(
  { subscribers, agents, defaultPolicy }: Pick<BusConfig, "subscribers" | "agents" | "defaultPolicy">,
  { open, bus }: RunOfAgents,
): ConfiguredAgent {
  const byRole = new Map(
    bus === undefined
      ? []
      : subscribers.map((one) => [subscriberRoleName(bus.eventBusName, one.name, bus.region), one]),
  );
  return (id, account) => {
    if (id === ANONYMOUS || id === LOCAL) return id === open ? openAgent(id) : { id, policy: NO_POLICY };
    const role = /^arn:[^:]+:iam::(\d+):role\/(.+)$/.exec(id);
    const subscriber = role?.[2] === undefined ? undefined : byRole.get(role[2]);
    if (subscriber !== undefined && (account === undefined || account === role?.[1]))
      return { id, policy: policyOfSubscriber(subscriber), subscriber: subscriber.name };
    return { id, policy: Object.hasOwn(agents, id) ? (agents[id] ?? defaultPolicy) : defaultPolicy };
  };
}

/** The id of whoever IAM verified: sessions of one role are one agent, and do not tell the role's path. */
export function iamAgentId(userArn: string): string {
  const session = /^arn:([^:]+):sts::(\d+):assumed-role\/([^/]+)\//.exec(userArn);
  return session === null ? userArn : `arn:${session[1]}:iam::${session[2]}:role/${session[3]}`;
}

/** The account of a function, by its ARN: `arn:aws:lambda:<region>:<account>:function:<name>`. */
export const accountOf = (functionArn: string): string => functionArn.split(":")[4] ?? "";
