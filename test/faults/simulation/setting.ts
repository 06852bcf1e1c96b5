/** Who takes part in every simulated run. */
import type { Agent } from "../../../shared/agents/agent.ts";
import { DEFAULT_POLICY, deployedPolicy, OPEN_POLICY, type Policy } from "../../../shared/agents/policy.ts";
import type { BusDeclaration } from "../../../shared/bus-config.ts";
import { derivedId } from "../../../shared/hash.ts";

/** Agents that call the bus. */
export const AGENTS = ["ada", "ben", "cem", "dora"] as const;

/** Answered by deployed subscribers and by run-time ones; by run-time ones only; observed only; wanted by nobody. */
export const TYPES = ["CONTEXT_REQUESTED", "UPGRADE_REQUESTED", "MESSAGE_RECEIVED", "SESSION_CREATED"] as const;

export const BUS: BusDeclaration = {
  subscribers: [
    { name: "alice", on: "CONTEXT_REQUESTED", handler: "alice.ts", via: "direct" },
    { name: "bob", on: ["CONTEXT_REQUESTED", "MESSAGE_RECEIVED"], handler: "bob.ts", via: "queue" },
    { name: "watcher", on: "MESSAGE_RECEIVED", handler: "watcher.ts", via: "queue", answers: false },
  ],
};

/** What agents may do in runs with policies. */
const POLICIES: Readonly<Record<string, Policy>> = {
  // An administrator.
  ada: OPEN_POLICY,
  ben: DEFAULT_POLICY,
  cem: { ...DEFAULT_POLICY, emit: ["CONTEXT_*", "UPGRADE_REQUESTED"], read: ["UPGRADE_REQUESTED"] },
  dora: { ...DEFAULT_POLICY, conversations: "any", answer: ["UPGRADE_REQUESTED"], read: ["CONTEXT_*", "SESSION_*"] },
};

/** Who somebody is: an agent with a policy, or a deployed subscriber. */
export function agentOf(id: string): Agent {
  const deployed = BUS.subscribers?.find(({ name }) => id === deployedAgent(name));
  if (deployed === undefined) return { id, policy: POLICIES[id] ?? DEFAULT_POLICY };
  const on = typeof deployed.on === "string" ? [deployed.on] : deployed.on;
  return { id, policy: deployedPolicy(on), subscriber: deployed.name };
}

/** The agent that a deployed subscriber is. */
export const deployedAgent = (name: string): string => `agent-${name}`;

/** A subscription that an agent may have: always under the same name. */
export interface Slot {
  readonly owner: string;
  readonly name: string;
  readonly kind: "queue" | "webhook";
  readonly subscriptionId: string;
}

const slot = (owner: string, name: string, kind: Slot["kind"]): Slot => ({
  owner,
  name,
  kind,
  subscriptionId: derivedId("subscription", owner, name),
});

export const SLOTS: readonly Slot[] = [
  slot("ada", "ada-queue", "queue"),
  slot("ben", "ben-queue", "queue"),
  slot("ben", "ben-hook", "webhook"),
  slot("cem", "cem-hook", "webhook"),
  slot("dora", "dora-queue", "queue"),
];

export const hookUrl = ({ name }: Pick<Slot, "name">): string => `https://${name}.example.com/hook`;
