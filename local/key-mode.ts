/** Who calls the embedded run: anybody of this machine, or whoever has a key. */
import { type Identified, identifyByKey, type UnknownCall } from "../functions/runtime/authenticate.ts";
import { LOCAL } from "../functions/runtime/iam-agents.ts";
import { type AgentDeps, registerAgent, rotateKey } from "../shared/agents/administer.ts";
import { type Agent, openAgent } from "../shared/agents/agent.ts";
import { keyIn } from "../shared/agents/authenticate.ts";
import { type DeployedSubscriber, policyOfSubscriber } from "../shared/deployed-subscriber.ts";
import type { SubscriberKeys } from "./subscriber-keys.ts";

/** Whose call it is. */
export type Identify = (call: UnknownCall) => Promise<Identified>;

/** Without keys nobody proves anything. */
export const identifyNobody: Identify = async () => ({ kind: "known", agent: openAgent(LOCAL) });

/** With keys: deployed subscribers by those of this run, agents by their own. */
export function identifyBy(
  deps: AgentDeps,
  subscribers: readonly DeployedSubscriber[],
  subscriberKeys: SubscriberKeys,
): Identify {
  return async (call) => {
    const key = keyIn(call.authorization);
    const name = key === null ? null : subscriberKeys.subscriberOf(key);
    const subscriber = subscribers.find((one) => one.name === name);
    return subscriber === undefined ? identifyByKey(deps, call) : { kind: "known", agent: agentOf(subscriber) };
  };
}

const agentOf = (subscriber: DeployedSubscriber): Agent => ({
  id: `subscriber:${subscriber.name}`,
  policy: policyOfSubscriber(subscriber),
  subscriber: subscriber.name,
});

/** The agent whose key a run writes down for whoever has the data folder. */
export const ADMINISTRATOR = "admin";

/**
 * A key for the administrator; the ones before it end. Null when the agent of that name is no administrator any more:
 * somebody has decided so.
 */
export async function issueAdministratorKey(deps: AgentDeps): Promise<string | null> {
  const standing = await deps.store.getAgent(ADMINISTRATOR);
  if (standing === null) {
    const policy = { conversations: "any", administer: true };
    return (await registerAgent(deps, { name: ADMINISTRATOR, policy })).key;
  }
  if (standing.status !== "active" || !standing.policy.administer) return null;
  return (await rotateKey(deps, ADMINISTRATOR, { overlap_seconds: 0 })).key;
}
