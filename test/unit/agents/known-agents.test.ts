import { describe, expect, it } from "vitest";
import { type AgentDeps, changeAgent, deleteAgent, registerAgent } from "../../../shared/agents/administer.ts";
import { findAgent, whatTheyMay } from "../../../shared/agents/known-agents.ts";
import { DEFAULT_POLICY } from "../../../shared/agents/policy.ts";
import { KNOWN_AGENT_MS } from "../../../shared/limits.ts";
import { busInMemory } from "../../support/bus-in-memory.ts";
import { watched } from "../../support/watched-store.ts";

const TYPE = "MESSAGE_RECEIVED";

async function withAgents(...names: readonly string[]) {
  const bus = busInMemory();
  const store = watched(bus.store);
  const deps: AgentDeps = { ...bus.deps, store: store.store };
  for (const name of names) await registerAgent(deps, { name, policy: { subscribe: [TYPE] } });
  store.taken();
  return { bus, deps, readsOf: () => store.taken().reads };
}

describe("what an agent may that does not call itself", () => {
  it("is what its record says, if it has a key; and what the configuration says, without a read, if it has none", async () => {
    const { bus, deps, readsOf } = await withAgents("ann");
    bus.agents.set("arn:role", { id: "arn:role", policy: { ...DEFAULT_POLICY, subscribe: [] } });
    const may = await whatTheyMay(deps, ["agent:ann", "arn:role", "agent:nobody"], TYPE);
    expect(["agent:ann", "arn:role", "agent:nobody", "not asked"].map((id) => may(id, "subscribe"))).toEqual([
      true,
      false,
      false,
      false,
    ]);
    expect(readsOf()).toEqual(["getAgent", "getAgent"]);
    await whatTheyMay(deps, ["arn:role"], TYPE);
    expect(readsOf()).toEqual([]);
  });

  it("is read once for all that an event goes to, and again after some seconds", async () => {
    const { bus, deps, readsOf } = await withAgents("ann");
    for (let i = 0; i < 3; i++) await whatTheyMay(deps, Array(100).fill("agent:ann"), TYPE);
    expect(readsOf()).toEqual(["getAgent"]);
    await changeAgent(deps, "ann", { policy: { subscribe: [] } });
    bus.clock.nowMs += KNOWN_AGENT_MS - 1;
    expect((await whatTheyMay(deps, ["agent:ann"], TYPE))("agent:ann", "subscribe")).toBe(true);
    bus.clock.nowMs += 1;
    expect((await whatTheyMay(deps, ["agent:ann"], TYPE))("agent:ann", "subscribe")).toBe(false);
  });

  it("is nothing once it is disabled or deleted", async () => {
    const { deps } = await withAgents("ann", "bob");
    await changeAgent(deps, "ann", { disabled: true });
    await deleteAgent(deps, "bob");
    expect(await findAgent(deps, "agent:ann")).toBeNull();
    expect(await findAgent(deps, "agent:bob")).toBeNull();
  });
});
