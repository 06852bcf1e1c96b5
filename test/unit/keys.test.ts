import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  eventIdOf,
  historyKeys,
  historyWays,
  keys,
  listenerPk,
  RESPONSE_PREFIX,
  shardOf,
  TABLE,
  timeKey,
  workKeys,
  workPartitions,
} from "../../shared/keys.ts";
import { INDEX_SHARDS, WORK_SHARDS } from "../../shared/limits.ts";

const event = (id: string, over: object = {}) => ({
  id,
  type: "MESSAGE_RECEIVED",
  correlation_id: "conversation-1",
  timestamp: "2026-11-02T10:00:00.000Z",
  ...over,
});

describe("item keys", () => {
  it("put all that belongs to an event into one partition", () => {
    const of = [keys.event("e1"), keys.body("e1", "hash"), keys.request("e1"), keys.response("e1", "r1")];
    expect(of.map((key) => key.pk)).toEqual(Array(4).fill("EVENT#e1"));
    expect(eventIdOf("EVENT#e1")).toBe("e1");
  });

  it("are different for different items", () => {
    const all = [
      keys.event("a"),
      keys.event("b"),
      keys.body("a", "1"),
      keys.body("a", "2"),
      keys.request("a"),
      keys.response("a", "1"),
      keys.response("a", "META"),
      keys.listener("A", "n", "s"),
      keys.listener("*", "n", "s"),
      keys.listener("A", "n", "t"),
      keys.conversationBudget("a"),
      keys.cursorKey(),
    ];
    expect(new Set(all.map((key) => JSON.stringify(key))).size).toBe(all.length);
  });

  it("let the responses of an event, and the listeners of a type, be queried", () => {
    expect(keys.response("e1", "r1").sk.startsWith(RESPONSE_PREFIX)).toBe(true);
    for (const other of [keys.event("e1"), keys.body("e1", "RESPONSE#"), keys.request("e1")])
      expect(other.sk.startsWith(RESPONSE_PREFIX)).toBe(false);
    expect(keys.listener("A", "n", "s").pk).toBe(listenerPk("A"));
  });
});

describe("history", () => {
  const attributes = Object.values(TABLE.indexes).flatMap((index) => [index.partitionKey, index.sortKey]);

  it("an event is in one of the partitions of every selection that it fits", () => {
    fc.assert(
      fc.property(fc.uuid(), fc.string({ minLength: 1, maxLength: 20 }), (id, agentType) => {
        const item = historyKeys(event(id, { agent_type: agentType }));
        for (const selection of [
          {},
          { type: "MESSAGE_RECEIVED" },
          { agent_type: agentType },
          { correlation_id: "conversation-1" },
          { type: "MESSAGE_RECEIVED", agent_type: agentType, correlation_id: "conversation-1" },
        ]) {
          const [{ index, partitions }] = historyWays(selection);
          expect(partitions).toContain(item[TABLE.indexes[index].partitionKey]);
          expect(item).toHaveProperty(TABLE.indexes[index].sortKey, timeKey("2026-11-02T10:00:00.000Z", id));
        }
      }),
    );
  });

  it("a selection reads the narrowest index: conversation, agent, type, all", () => {
    const every = { type: "T", agent_type: "a", correlation_id: "c" };
    expect(historyWays(every)).toEqual([{ index: "by_conversation", partitions: ["CONVERSATION#c"] }]);
    expect(historyWays({ type: "T", agent_type: "a" })[0].index).toBe("by_agent");
    expect(historyWays({ type: "T" })[0].index).toBe("by_type");
    expect(historyWays({})[0].index).toBe("by_time");
    for (const selection of [{ agent_type: "a" }, { type: "T" }, {}])
      expect(new Set(historyWays(selection)[0].partitions).size).toBe(INDEX_SHARDS);
  });

  it("no partition belongs to two selections, whatever agents call themselves", () => {
    const partitions = ["a", "a#0", "a#0#0", "#", ""].flatMap(
      (agent_type) => historyWays({ agent_type })[0].partitions,
    );
    expect(new Set(partitions).size).toBe(partitions.length);
  });

  it("writes only attributes that an index has, and none for an agent that is not named", () => {
    const item = historyKeys(event("e1"));
    expect(item).not.toHaveProperty("agent_pk");
    for (const attribute of Object.keys(item)) expect(attributes).toContain(attribute);
  });

  it("positions sort as time does", () => {
    const positions = [
      timeKey("2026-11-02T10:00:00.000Z", "ffff"),
      timeKey("2026-11-02T10:00:00.001Z", "0000"),
      timeKey("2026-11-02T10:00:00.001Z", "0001"),
      timeKey("2026-12-01T00:00:00.000Z", "0000"),
    ];
    expect([...positions].reverse().sort()).toEqual(positions);
  });
});

describe("work", () => {
  it("is in one of its kind's partitions, sorted by when it is due", () => {
    fc.assert(
      fc.property(fc.uuid(), (id) => {
        const { work_pk, work_sk } = workKeys("publish", id, "2026-11-02T10:00:00.000Z");
        expect(workPartitions("publish")).toContain(work_pk);
        expect(workPartitions("deadline")).not.toContain(work_pk);
        expect(work_sk).toBe(`2026-11-02T10:00:00.000Z#${id}`);
      }),
    );
    expect(new Set(workPartitions("deadline")).size).toBe(WORK_SHARDS);
  });
});

describe("shards", () => {
  it("stay what they are: a changed hash would hide what is stored", () => {
    expect(["", "a", "0190a0b0-1111-7000-8000-000000000000", "é\u{1F600}"].map((id) => shardOf(id, 8))).toEqual([
      5, 4, 7, 1,
    ]);
  });

  it("spread ids evenly, those of one millisecond too [emit-17]", () => {
    const counts = Array<number>(INDEX_SHARDS).fill(0);
    for (let i = 0; i < 8_000; i++) {
      const shard = shardOf(
        `0190a0b0-1111-7${(i >> 12).toString(16).padStart(3, "0")}-8000-${(i * 7919).toString(16).padStart(12, "0")}`,
        INDEX_SHARDS,
      );
      counts[shard] = (counts[shard] ?? 0) + 1;
    }
    expect(counts).toHaveLength(INDEX_SHARDS);
    for (const count of counts) expect(Math.abs(count - 1_000)).toBeLessThan(150);
  });
});
