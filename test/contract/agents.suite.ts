/** What every `EventStore` must do with agents that have keys. */

import { randomUUID } from "node:crypto";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { DEFAULT_POLICY } from "../../shared/agents/policy.ts";
import type { AgentRecord } from "../../shared/agents/records.ts";
import type { EventStore } from "../../shared/ports.ts";
import { isoAt } from "../../shared/time.ts";
import type { ClockedStoreUnderTest } from "./clocked-store.ts";

const DAY_SECONDS = 86_400;

function anAgent(change: Partial<AgentRecord> = {}): AgentRecord {
  const at = isoAt(Date.now());
  return {
    name: `a-${randomUUID()}`,
    policy: DEFAULT_POLICY,
    status: "active",
    keys: [{ keyId: "k-1", hash: "0".repeat(64), createdAt: at }],
    createdAt: at,
    updatedAt: at,
    version: 1,
    ...change,
  };
}

/** Runs the contract on a store. */
export function agentStoreContract({ name, open, notAtomic }: ClockedStoreUnderTest): void {
  describe(`the event store ${name}, of agents`, () => {
    let store: EventStore;
    let aheadMs = 0;
    const nowSeconds = (): number => Math.ceil((Date.now() + aheadMs) / 1_000);
    beforeAll(async () => {
      store = await open(() => Date.now() + aheadMs);
    });
    beforeEach(() => {
      aheadMs = 0;
    });

    it("gives back exactly what was written, all fields or only the required ones", async () => {
      const at = isoAt(Date.now());
      const full = anAgent({
        policy: { ...DEFAULT_POLICY, emit: ["ORDER_*"], read: [], conversations: "any", administer: true },
        status: "deleted",
        keys: [
          { keyId: "k-2", hash: "f".repeat(64), createdAt: at },
          { keyId: "k-1", hash: "0".repeat(64), createdAt: at, expiresAt: at },
        ],
        expiresAt: nowSeconds() + DAY_SECONDS,
      });
      for (const record of [full, anAgent({ keys: [] })]) {
        expect(await store.getAgent(record.name)).toBeNull();
        expect(await store.replaceAgent(record, 0)).toBe(true);
        expect(await store.getAgent(record.name)).toEqual(record);
      }
    });

    it("are written only over the version that was seen", async () => {
      const first = anAgent();
      expect(await store.replaceAgent(first, 1)).toBe(false);
      expect(await store.replaceAgent(first, 0)).toBe(true);
      expect(await store.replaceAgent({ ...first, keys: [] }, 0)).toBe(false);
      const second = anAgent({ name: first.name, version: 2, keys: [] });
      expect(await store.replaceAgent(second, 1)).toBe(true);
      expect(await store.replaceAgent({ ...first, version: 2 }, 1)).toBe(false);
      expect(await store.getAgent(first.name)).toEqual(second);
    });

    it.skipIf(notAtomic !== undefined)(
      "have one winner of 20 who write at once, the first time and later",
      async () => {
        const first = anAgent();
        for (const seen of [0, 1]) {
          const racers = Array.from({ length: 20 }, (_, i) => ({
            ...first,
            version: seen + 1,
            keys: [{ keyId: `racer-${i}`, hash: "0".repeat(64), createdAt: first.createdAt }],
          }));
          const writes = await Promise.all(racers.map((racer) => store.replaceAgent(racer, seen)));
          expect(writes.filter((isWritten) => isWritten)).toHaveLength(1);
          expect(await store.getAgent(first.name)).toEqual(racers[writes.indexOf(true)]);
        }
      },
    );

    it("are forgotten once they have expired, and leave their name", async () => {
      const record = anAgent({ status: "deleted", version: 7, keys: [], expiresAt: nowSeconds() + DAY_SECONDS });
      await store.replaceAgent(record, 0);
      const anew = anAgent({ name: record.name });
      expect(await store.replaceAgent(anew, 0)).toBe(false);
      aheadMs = (DAY_SECONDS + 60) * 1_000;
      expect(await store.getAgent(record.name)).toBeNull();
      expect(await store.replaceAgent(anew, 0)).toBe(true);
      expect(await store.getAgent(record.name)).toEqual(anew);
    });

    it("are listed in the order of their names, from a name on, without those that have expired", async () => {
      // Others are in the store too: all of these stand together, behind a beginning of their own.
      const beginning = `l-${randomUUID().slice(0, 18)}`;
      const records = Array.from({ length: 9 }, (_, i) =>
        anAgent({
          name: `${beginning}-${i}`,
          ...(i % 2 === 0 ? { status: "deleted" as const, expiresAt: nowSeconds() - 1 } : {}),
        }),
      );
      await Promise.all(records.map((record) => store.replaceAgent(record, 0)));
      const alive = records.filter((_, i) => i % 2 === 1);
      const after = async (place: string, limit: number) =>
        (await store.listAgents(place, limit)).filter(({ name }) => name.startsWith(beginning));
      await expect.poll(() => after(beginning, 4)).toEqual(alive);
      expect(await after(beginning, 3)).toEqual(alive.slice(0, 3));
      expect(await after(`${beginning}-5`, 1)).toEqual(alive.slice(3));
      expect(await after(`${beginning}-8`, 10)).toEqual([]);
      expect((await store.listAgents("", 1_000)).map(({ name }) => name)).toEqual(
        expect.arrayContaining(alive.map(({ name }) => name)),
      );
    });
  });
}
