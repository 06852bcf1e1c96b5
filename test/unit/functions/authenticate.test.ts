import { describe, expect, it } from "vitest";
import { type Identified, identifyByKey, whileLetIn } from "../../../functions/runtime/authenticate.ts";
import { changeAgent, registerAgent, revokeKey, rotateKey } from "../../../shared/agents/administer.ts";
import { BusError } from "../../../shared/errors.ts";
import { busInMemory } from "../../support/bus-in-memory.ts";

/** A stream to an agent with a key, which says something every 5 s, in virtual time. */
async function aStream() {
  const bus = busInMemory();
  const { key, key_id } = await registerAgent(bus.deps, { name: "listener" });
  const identify = (): Promise<Identified> =>
    identifyByKey(bus.deps, { method: "GET", path: "/events/stream", authorization: `Bearer ${key}` });
  const identified = await identify();
  if (identified.kind === "refused") throw new Error("It was not let in.");
  async function* chunks() {
    for (let i = 0; i < 12; i++) {
      bus.clock.nowMs += 5_000;
      yield `${(i + 1) * 5} s`;
    }
  }
  const response = { status: 200, headers: {}, body: chunks() };
  const { body } = whileLetIn(response, identified.agent, identify, bus.deps.monotonic);
  return { ...bus, keyId: key_id, body: body as AsyncIterable<string> };
}

/** What arrives, when something happens after the chunk of 20 s. */
async function received(body: AsyncIterable<string>, happens: () => Promise<unknown>): Promise<string[]> {
  const arrived: string[] = [];
  for await (const chunk of body) {
    arrived.push(chunk);
    if (chunk === "20 s") await happens();
  }
  return arrived;
}

describe("a stream that was let in by a key", () => {
  it("goes on to its end while nothing changes for its agent", async () => {
    const { body, deps } = await aStream();
    // A further key is no change of what the agent may do.
    const arrived = await received(body, () => rotateKey(deps, "listener", {}));
    expect(arrived).toHaveLength(12);
  });

  it("ends within 10 s once its key is revoked", async () => {
    const { body, deps, keyId } = await aStream();
    const arrived = await received(body, () => revokeKey(deps, "listener", keyId));
    expect(arrived.at(-1)).toBe("25 s");
  });

  it("ends within 10 s once its agent is shut out, or may do other things", async () => {
    for (const change of [{ disabled: true }, { policy: { subscribe: [] } }]) {
      const { body, deps } = await aStream();
      expect((await received(body, () => changeAgent(deps, "listener", change))).at(-1)).toBe("25 s");
    }
  });

  it("goes on while the store does not answer, which says nothing about its agent", async () => {
    const { body, store } = await aStream();
    const arrived = await received(body, async () => {
      store.getAgent = () => Promise.reject(new BusError("unavailable", "The store did not answer."));
    });
    expect(arrived).toHaveLength(12);
  });

  it("is looked at every 10 s, and not for each of its events", async () => {
    const { body, store } = await aStream();
    let reads = 0;
    const getAgent = store.getAgent.bind(store);
    store.getAgent = (name) => {
      reads++;
      return getAgent(name);
    };
    await received(body, async () => undefined);
    expect(reads).toBe(6);
  });
});

it("an answer that is no stream goes through as it is", () => {
  const response = { status: 200, headers: {}, body: "{}" };
  const identify = () => Promise.reject(new Error("nobody asks"));
  const agent = { id: "agent:a", policy: busInMemory().deps.configuredAgent("a").policy };
  expect(whileLetIn(response, agent, identify, () => 0)).toBe(response);
});
