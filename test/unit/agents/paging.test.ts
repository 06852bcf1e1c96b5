/** Pages of history for agents that may not see everything: all that they may see, once, in order (I8). */
import { describe, expect, it } from "vitest";
import type { Agent } from "../../../shared/agents/agent.ts";
import { DEFAULT_POLICY } from "../../../shared/agents/policy.ts";
import { listEvents } from "../../../shared/history.ts";
import { busInMemory } from "../../support/bus-in-memory.ts";
import { callInMemory } from "../../support/call-in-memory.ts";
import { watched } from "../../support/watched-store.ts";

const agentOf = (name: string, conversations: "own" | "any" = "own"): Agent => ({
  id: `arn:aws:iam::123456789012:role/${name}`,
  policy: { ...DEFAULT_POLICY, conversations },
});
const ALICE = agentOf("alice");
const BOB = agentOf("bob", "any");

/** Every third event is Alice's, then a long stretch is Bob's alone. */
const isAlices = (i: number): boolean => i % 3 === 0 && (i < 90 || i > 240);

/** @returns the ids of Alice's events, oldest first, in one conversation that she did not begin */
async function history() {
  const bus = busInMemory();
  const alices: string[] = [];
  const emit = async (caller: Agent): Promise<string> => {
    const body = { type: "ORION_STATE_CHANGED", data: { to: "idle" }, correlation_id: "order-4711" };
    bus.clock.nowMs += 10;
    return (await callInMemory(bus, "POST", "/events", { body, caller })).json["event_id"] as string;
  };
  for (let i = 0; i < 300; i++) {
    const id = await emit(isAlices(i) ? ALICE : BOB);
    if (isAlices(i)) alices.push(id);
  }
  return { bus, alices };
}

describe("an agent that may not see everything pages through", () => {
  it.each([
    ["all of history", ""],
    ["a type", "type=ORION_STATE_CHANGED&"],
    ["a conversation of several", "correlation_id=order-4711&"],
  ])("%s, and gets each of its events once, whatever stands between them [history-2]", async (_what, query) => {
    const { bus, alices } = await history();
    for (const order of ["asc", "desc"])
      for (const limit of [1, 7, 50, 1_000]) {
        const seen: string[] = [];
        for (let cursor = ""; ; ) {
          const path = `/events?${query}order=${order}&limit=${limit}${cursor}`;
          const { json } = await callInMemory(bus, "GET", path, { caller: ALICE });
          const events = json["events"] as { id: string }[];
          expect(events.length).toBeLessThanOrEqual(limit);
          seen.push(...events.map(({ id }) => id));
          if (json["next_cursor"] === null) break;
          cursor = `&cursor=${encodeURIComponent(json["next_cursor"] as string)}`;
        }
        expect(seen).toEqual(order === "asc" ? alices : [...alices].reverse());
      }
  });

  it("conversations of others, each of which it began or not: those of a page are looked up together", async () => {
    const bus = busInMemory();
    const body = { type: "ORION_STATE_CHANGED", data: { to: "idle" } };
    const emitted: string[] = [];
    const emit = async (caller: Agent, cause?: string): Promise<string> => {
      bus.clock.nowMs += 10;
      const parent = cause === undefined ? {} : { causation_id: cause };
      const { json } = await callInMemory(bus, "POST", "/events", { body: { ...body, ...parent }, caller });
      return json["event_id"] as string;
    };
    for (let i = 0; i < 20; i++) {
      const first = await emit(i % 2 === 0 ? ALICE : BOB);
      const second = await emit(BOB, first);
      if (i % 2 === 0) emitted.push(first, second);
    }
    const { store, taken } = watched(bus.store);
    const page = await listEvents({ ...bus.deps, store }, { order: "asc" }, ALICE);
    expect(page.events.map(({ id }) => id)).toEqual(emitted);
    const { reads } = taken();
    expect(reads.filter((name) => name === "getEnvelopes")).toHaveLength(1);
    expect(reads).not.toContain("getEnvelope");
  });
});
