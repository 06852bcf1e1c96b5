/**
 * Agents by their ids, for what is done on behalf of somebody who does not call at this moment: bringing him events,
 * counting on his answer, taking the answer of his endpoint.
 *
 * Whoever is known to IAM stands in the configuration, and costs no read. Who has a key stands in the table; what was
 * read is good for a few seconds, so that an event to a thousand subscriptions does not cost a thousand reads.
 */
import { inLanes } from "../lanes.ts";
import { FAN_OUT_LANES, KNOWN_AGENT_MS } from "../limits.ts";
import type { Deps, EventStore } from "../ports.ts";
import type { Agent } from "./agent.ts";
import { allows, type TypeRight } from "./policy.ts";
import { agentNameOf } from "./records.ts";

type AgentDeps = Pick<Deps, "store" | "configuredAgent" | "monotonic">;

interface Known {
  /** As it was read, or is being read for somebody. */
  readonly agent: Promise<Agent | null>;
  readonly untilMs: number;
}

const known = new WeakMap<EventStore, Map<string, Known>>();

/** Whether an agent may do something with a type, by its id. */
export type MayDo = (id: string, right: TypeRight) => boolean;

/** What these agents may do with events of a type. Nobody may who is disabled, or is no more. */
export async function whatTheyMay(deps: AgentDeps, ids: Iterable<string>, type: string): Promise<MayDo> {
  const agents = new Map<string, Agent | null>();
  await inLanes(FAN_OUT_LANES, new Set(ids), async (id) => {
    agents.set(id, await findAgent(deps, id));
  });
  return (id, right) => {
    const agent = agents.get(id);
    return agent !== undefined && agent !== null && allows(agent.policy, right, type);
  };
}

/** Null when nothing lets it in any more. */
export async function findAgent(deps: AgentDeps, id: string): Promise<Agent | null> {
  const name = agentNameOf(id);
  if (name === null) return deps.configuredAgent(id);
  const ofStore = known.get(deps.store) ?? new Map<string, Known>();
  known.set(deps.store, ofStore);
  const kept = ofStore.get(id);
  const nowMs = deps.monotonic();
  if (kept !== undefined && kept.untilMs > nowMs) return kept.agent;
  const agent = readAgent(deps, id, name);
  const fresh: Known = { agent, untilMs: nowMs + KNOWN_AGENT_MS };
  ofStore.set(id, fresh);
  agent.catch(() => {
    // What could not be read is read again by whoever asks next.
    if (ofStore.get(id) === fresh) ofStore.delete(id);
  });
  return agent;
}

async function readAgent({ store }: AgentDeps, id: string, name: string): Promise<Agent | null> {
  const record = await store.getAgent(name);
  return record?.status === "active" ? { id, policy: record.policy } : null;
}
