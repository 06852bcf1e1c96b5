/** What every `EventStore` must do with run-time subscriptions and the index of those who want a type. */

import { randomUUID } from "node:crypto";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { EventStore } from "../../shared/ports.ts";
import type { SubscriptionEntry, SubscriptionRecord } from "../../shared/subscriptions/records.ts";
import { isoAt } from "../../shared/time.ts";
import type { ClockedStoreUnderTest } from "./clocked-store.ts";

const DAY_SECONDS = 86_400;

function aSubscription(change: Partial<SubscriptionRecord> = {}): SubscriptionRecord {
  const at = isoAt(Date.now());
  return {
    subscriptionId: randomUUID(),
    owner: `agent-${randomUUID()}`,
    name: "hook",
    eventTypes: ["MESSAGE_RECEIVED"],
    target: { kind: "webhook", url: "https://agent.example.com/hook", format: "event" },
    answers: true,
    status: "active",
    secrets: [{ secret: "whsec_a" }],
    createdAt: at,
    updatedAt: at,
    activeSince: at,
    version: 1,
    indexedTypes: ["MESSAGE_RECEIVED"],
    isIndexed: false,
    ...change,
  };
}

function anEntry(change: Partial<SubscriptionEntry> = {}): SubscriptionEntry {
  return {
    eventType: `TYPE_${randomUUID()}`,
    subscriptionId: randomUUID(),
    owner: "tester",
    name: "queue",
    kind: "queue",
    answers: true,
    status: "active",
    activeSince: isoAt(Date.now()),
    version: 1,
    ...change,
  };
}

/** Runs the contract on a store. */
export function subscriptionStoreContract({ name, open, notAtomic }: ClockedStoreUnderTest): void {
  describe(`the event store ${name}, of subscriptions`, () => {
    let store: EventStore;
    let aheadMs = 0;
    const nowSeconds = (): number => Math.ceil((Date.now() + aheadMs) / 1_000);
    beforeAll(async () => {
      store = await open(() => Date.now() + aheadMs);
    });
    beforeEach(() => {
      aheadMs = 0;
    });

    describe("subscriptions", () => {
      it("gives back exactly what was written, all fields or only the required ones", async () => {
        const at = isoAt(Date.now());
        const full = aSubscription({
          owner: `arn:aws:iam::1:role/a#b/${randomUUID()}`,
          name: "é𝄞 #1",
          eventTypes: ["MESSAGE_RECEIVED", "SESSION_CREATED"],
          filter: { data: { target: ["billing", { prefix: "é" }, null, 1.5] } },
          answers: false,
          status: "disabled",
          disabledReason: "failing",
          disabledAt: at,
          secrets: [{ secret: "whsec_b" }, { secret: "whsec_a", validUntil: at }],
          failingSince: at,
          lastFailure: { at, reason: "HTTP 503" },
          indexedTypes: ["MESSAGE_RECEIVED", "SESSION_CREATED", "SESSION_UPDATED"],
          isIndexed: true,
          tendAt: at,
          expiresAt: nowSeconds() + DAY_SECONDS,
        });
        const bare = aSubscription({ target: { kind: "queue", visibilitySeconds: 30, maxAttempts: 5 }, secrets: [] });
        for (const record of [full, bare]) {
          expect(await store.replaceSubscription(record, 0)).toBe(true);
          expect(await store.getSubscription(record.owner, record.subscriptionId)).toEqual(record);
          expect(await store.listSubscriptions(record.owner, "", 10)).toEqual([record]);
        }
      });

      it("are another agent's for each agent, and unknown until they are written", async () => {
        const record = aSubscription();
        expect(await store.getSubscription(record.owner, record.subscriptionId)).toBeNull();
        await store.replaceSubscription(record, 0);
        expect(await store.getSubscription("other", record.subscriptionId)).toBeNull();
        expect(await store.listSubscriptions(`${record.owner}x`, "", 10)).toEqual([]);
        const theirs = { ...record, owner: `agent-${randomUUID()}`, name: "theirs" };
        expect(await store.replaceSubscription(theirs, 0)).toBe(true);
        expect(await store.getSubscription(record.owner, record.subscriptionId)).toEqual(record);
      });

      it("are written only over the version that was seen", async () => {
        const first = aSubscription();
        expect(await store.replaceSubscription(first, 1)).toBe(false);
        expect(await store.replaceSubscription(first, 0)).toBe(true);
        expect(await store.replaceSubscription({ ...first, name: "other" }, 0)).toBe(false);
        const second = { ...first, version: 2, filter: { data: { a: [1] } } };
        expect(await store.replaceSubscription(second, 1)).toBe(true);
        expect(await store.replaceSubscription({ ...first, version: 2 }, 1)).toBe(false);
        expect(await store.getSubscription(first.owner, first.subscriptionId)).toEqual(second);
        // What the next version does not have is gone.
        const third = { ...first, version: 3 };
        expect(await store.replaceSubscription(third, 2)).toBe(true);
        expect(await store.getSubscription(first.owner, first.subscriptionId)).toEqual(third);
      });

      it.skipIf(notAtomic !== undefined)(
        "have one winner of 20 who write at once, the first time and later",
        async () => {
          const first = aSubscription();
          for (const seen of [0, 1]) {
            const writes = await Promise.all(
              Array.from({ length: 20 }, (_, i) =>
                store.replaceSubscription({ ...first, version: seen + 1, name: `racer ${i}` }, seen),
              ),
            );
            expect(writes.filter((isWritten) => isWritten)).toHaveLength(1);
            const standing = await store.getSubscription(first.owner, first.subscriptionId);
            expect(standing).toMatchObject({ version: seen + 1, name: `racer ${writes.indexOf(true)}` });
          }
        },
      );

      it("are forgotten once they have expired, and leave their place", async () => {
        const record = aSubscription({ status: "deleted", version: 7, expiresAt: nowSeconds() - 1 });
        await store.replaceSubscription(record, 0);
        expect(await store.getSubscription(record.owner, record.subscriptionId)).toBeNull();
        expect(await store.listSubscriptions(record.owner, "", 10)).toEqual([]);
        const { expiresAt: _, ...anew } = { ...record, status: "active" as const, version: 1 };
        expect(await store.replaceSubscription(anew, 0)).toBe(true);
        expect(await store.getSubscription(record.owner, record.subscriptionId)).toEqual(anew);
      });

      it("are listed in the order of their ids, deleted ones too, from an id on", async () => {
        const owner = `agent-${randomUUID()}`;
        const records = Array.from({ length: 5 }, (_, i) =>
          aSubscription({ owner, ...(i === 2 ? { status: "deleted", expiresAt: nowSeconds() + DAY_SECONDS } : {}) }),
        );
        await Promise.all(records.map((record) => store.replaceSubscription(record, 0)));
        const inOrder = records.sort((a, b) => (a.subscriptionId < b.subscriptionId ? -1 : 1));
        expect(await store.listSubscriptions(owner, "", 10)).toEqual(inOrder);
        expect(await store.listSubscriptions(owner, "", 2)).toEqual(inOrder.slice(0, 2));
        expect(await store.listSubscriptions(owner, inOrder[1]?.subscriptionId ?? "", 2)).toEqual(inOrder.slice(2, 4));
        expect(await store.listSubscriptions(owner, inOrder[4]?.subscriptionId ?? "", 2)).toEqual([]);
      });

      it("fill a page although some of them have expired", async () => {
        const owner = `agent-${randomUUID()}`;
        const ids = Array.from({ length: 9 }, (_, i) => `${i}-${randomUUID()}`);
        for (const [i, subscriptionId] of ids.entries()) {
          const end = i % 2 === 0 ? { status: "deleted" as const, expiresAt: nowSeconds() - 1 } : {};
          await store.replaceSubscription(aSubscription({ owner, subscriptionId, ...end }), 0);
        }
        const alive = ids.filter((_, i) => i % 2 === 1);
        const page = async (after: string, limit: number) =>
          (await store.listSubscriptions(owner, after, limit)).map(({ subscriptionId }) => subscriptionId);
        expect(await page("", 3)).toEqual(alive.slice(0, 3));
        expect(await page(alive[2] ?? "", 3)).toEqual(alive.slice(3));
      });

      it("fill a page although they are large", async () => {
        const owner = `agent-${randomUUID()}`;
        const filter = { data: { text: ["x".repeat(20_000)] } };
        const records = Array.from({ length: 80 }, () => aSubscription({ owner, filter }));
        await Promise.all(records.map((record) => store.replaceSubscription(record, 0)));
        const listed = await store.listSubscriptions(owner, "", 80);
        expect(listed.map(({ subscriptionId }) => subscriptionId)).toEqual(
          records.map(({ subscriptionId }) => subscriptionId).sort(),
        );
      });

      it("are due for the reconciler from an instant on, until they have none", async () => {
        const tendAt = isoAt(Date.now() - 3_600_000);
        const record = aSubscription({ owner: `arn:aws:iam::1:role/a#b/${randomUUID()}`, tendAt });
        const id = `${record.owner}#${record.subscriptionId}`;
        await store.replaceSubscription(record, 0);
        const due = (before: number) => store.findDueWork("subscription", isoAt(before), 1_000);
        await expect.poll(() => due(Date.now())).toContain(id);
        expect(await due(Date.parse(tendAt))).not.toContain(id);
        const { tendAt: _, ...tended } = record;
        await store.replaceSubscription({ ...tended, version: 2 }, 1);
        await expect.poll(() => due(Date.now())).not.toContain(id);
      });
    });

    describe("the index of those who want a type", () => {
      it("gives back exactly what was put, of that type, and without the removed ones", async () => {
        const full = anEntry({ kind: "webhook", filter: { data: { a: [{ exists: true }] } }, answers: false });
        const { eventType } = full;
        const disabled = anEntry({ eventType, status: "disabled" });
        await store.putEntry(full);
        await store.putEntry(disabled);
        await store.putEntry(anEntry({ eventType, status: "removed" }));
        await store.putEntry(anEntry());
        const entries = await store.getEntries(eventType);
        expect(entries).toHaveLength(2);
        expect(entries).toEqual(expect.arrayContaining([full, disabled]));
        expect(await store.getEntries(`TYPE_${randomUUID()}`)).toEqual([]);
      });

      it("is counted without the removed ones, and no further than is asked for", async () => {
        const { eventType } = anEntry();
        for (const status of ["active", "disabled", "removed", "removed"] as const)
          await store.putEntry(anEntry({ eventType, status }));
        expect(await store.countEntries(eventType, 100)).toBe(2);
        expect(await store.countEntries(eventType, 1)).toBe(1);
        expect(await store.countEntries(`TYPE_${randomUUID()}`, 100)).toBe(0);
      });

      it("takes a newer copy and the same one again, and never an older one", async () => {
        const entry = anEntry({ version: 5, filter: { data: { a: [1] } } });
        const { filter: _, ...newer } = { ...entry, version: 6 };
        const standing = async () => (await store.getEntries(entry.eventType))[0];
        await store.putEntry(entry);
        await store.putEntry(entry);
        expect(await standing()).toEqual(entry);
        await store.putEntry({ ...entry, version: 4, status: "disabled" });
        expect(await standing()).toEqual(entry);
        await store.putEntry(newer);
        expect(await standing()).toEqual(newer);
      });

      it("does not bring back what was removed for an older copy, only for a newer one", async () => {
        const entry = anEntry({ version: 5 });
        const { eventType } = entry;
        await store.putEntry(entry);
        await store.putEntry({ ...entry, version: 6, status: "removed" });
        await store.putEntry(entry);
        expect(await store.getEntries(eventType)).toEqual([]);
        const again = { ...entry, version: 7 };
        await store.putEntry(again);
        expect(await store.getEntries(eventType)).toEqual([again]);
      });

      it("keeps what came back, although it had been removed for a while", async () => {
        const entry = anEntry({ version: 1 });
        await store.putEntry({ ...entry, status: "removed" });
        await store.putEntry({ ...entry, version: 2 });
        aheadMs = 2 * DAY_SECONDS * 1_000;
        expect(await store.getEntries(entry.eventType)).toHaveLength(1);
        await store.putEntry(entry);
        expect(await store.getEntries(entry.eventType)).toMatchObject([{ version: 2 }]);
      });

      it("forgets a removed one after a day: a subscription whose versions begin anew may come", async () => {
        const entry = anEntry({ version: 9, status: "removed" });
        const anew = { ...entry, status: "active" as const, version: 1 };
        await store.putEntry(entry);
        await store.putEntry(anew);
        expect(await store.getEntries(entry.eventType)).toEqual([]);
        aheadMs = (DAY_SECONDS + 60) * 1_000;
        await store.putEntry(anew);
        expect(await store.getEntries(entry.eventType)).toEqual([anew]);
      });

      it.skipIf(notAtomic !== undefined)("has the newest of 20 copies that are put at once", async () => {
        const entry = anEntry();
        const versions = Array.from({ length: 20 }, (_, i) => ((i * 7) % 20) + 1);
        await Promise.all(versions.map((version) => store.putEntry({ ...entry, version })));
        expect(await store.getEntries(entry.eventType)).toMatchObject([{ version: 20 }]);
      });

      it("may be long", async () => {
        const eventType = `TYPE_${randomUUID()}`;
        const filter = { data: { text: ["x".repeat(20_000)] } };
        const entries = Array.from({ length: 80 }, () => anEntry({ eventType, filter }));
        await Promise.all(entries.map((entry) => store.putEntry(entry)));
        expect(await store.getEntries(eventType)).toHaveLength(80);
      });

      it("counts its changes, by type", async () => {
        const eventType = `TYPE_${randomUUID()}`;
        expect(await store.getGeneration(eventType)).toBe(0);
        await store.bumpGeneration(eventType);
        expect(await store.getGeneration(eventType)).toBe(1);
        await Promise.all(Array.from({ length: 20 }, () => store.bumpGeneration(eventType)));
        expect(await store.getGeneration(eventType)).toBeGreaterThan(1);
        if (notAtomic === undefined) expect(await store.getGeneration(eventType)).toBe(21);
        expect(await store.getGeneration(`TYPE_${randomUUID()}`)).toBe(0);
        // It stands beside the entries, and is none.
        expect(await store.getEntries(eventType)).toEqual([]);
      });
    });
  });
}
