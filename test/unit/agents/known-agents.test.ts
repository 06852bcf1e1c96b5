import { describe, expect, it } from "vitest";
import { type AgentDeps, changeAgent, deleteAgent, registerAgent } from "../../../shared/agents/administer.ts";
import { findAgent, whatTheyMay } from "../../../shared/agents/known-agents.ts";
import { DEFAULT_POLICY } from "../../../shared/agents/policy.ts";
import { BusError } from "../../../shared/errors.ts";
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

  it("is read once for events that are brought to it at the same moment", async () => {
    const { deps, readsOf } = await withAgents("ann");
    const asked = await Promise.all(Array.from({ length: 10 }, () => whatTheyMay(deps, ["agent:ann"], TYPE)));
    expect(asked.map((may) => may("agent:ann", "subscribe"))).toEqual(Array(10).fill(true));
    expect(readsOf()).toEqual(["getAgent"]);
  });

  it("is read again by whoever asks next when it could not be read", async () => {
    const { bus, deps } = await withAgents("ann");
    const getAgent = bus.store.getAgent.bind(bus.store);
    bus.store.getAgent = async () => {
      bus.store.getAgent = getAgent;
      throw new BusError("unavailable", "The store is away.");
    };
    const both = await Promise.allSettled([findAgent(deps, "agent:ann"), findAgent(deps, "agent:ann")]);
    expect(both.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    expect(await findAgent(deps, "agent:ann")).toMatchObject({ id: "agent:ann" });
  });

  it("is nothing once it is disabled or deleted", async () => {
    const { deps } = await withAgents("ann", "bob");
    await changeAgent(deps, "ann", { disabled: true });
    await deleteAgent(deps, "bob");
    expect(await findAgent(deps, "agent:ann")).toBeNull();
    expect(await findAgent(deps, "agent:bob")).toBeNull();
  });
});
