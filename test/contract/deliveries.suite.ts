/** What every `EventStore` must do with deliveries: the messages of queues, the attempts of webhooks, and the dead. */

import { randomUUID } from "node:crypto";
import { beforeAll, describe, expect, it } from "vitest";
import type { EventStore } from "../../shared/ports.ts";
import {
  DEPLOYED_OWNER,
  type DeliveryRecord,
  type DeliveryRef,
  deployedId,
} from "../../shared/subscriptions/records.ts";
import { isoAt } from "../../shared/time.ts";
import type { ClockedStoreUnderTest } from "./clocked-store.ts";

const inAnHour = (): number => Math.ceil(Date.now() / 1_000) + 3_600;
const past = (): number => Math.floor(Date.now() / 1_000) - 1;

/** A message that can be taken; a delivery of another kind when told so. */
function aDelivery(change: Partial<DeliveryRecord> = {}): DeliveryRecord {
  const at = isoAt(Date.now() - 1_000);
  return {
    eventId: randomUUID(),
    subscriptionId: randomUUID(),
    eventType: "MESSAGE_RECEIVED",
    owner: "tester",
    name: "queue",
    kind: "queue",
    state: "PENDING",
    fence: "fence-1",
    attempts: 0,
    log: [],
    createdAt: at,
    nextAttemptAt: at,
    redrives: 0,
    expiresAt: inAnHour(),
    ...change,
  };
}

const aDead = (change: Partial<DeliveryRecord> = {}): DeliveryRecord =>
  aDelivery({ state: "DEAD", endedAt: isoAt(Date.now()), reason: "it threw", ...change });

const refOf = ({ eventId, subscriptionId }: DeliveryRecord): DeliveryRef => ({ eventId, subscriptionId });

/** Runs the contract on a store. */
export function deliveryStoreContract({ name, open, notAtomic }: ClockedStoreUnderTest): void {
  describe(`the event store ${name}, of deliveries`, () => {
    let store: EventStore;
    beforeAll(async () => {
      store = await open(Date.now);
    });

    const created = async (change: Partial<DeliveryRecord> = {}): Promise<DeliveryRecord> => {
      const delivery = aDelivery(change);
      await store.createDelivery(delivery);
      return delivery;
    };

    describe("a delivery", () => {
      it("is given back exactly as it was written, all fields or only the required ones", async () => {
        const at = isoAt(Date.now());
        const full = aDelivery({
          owner: "arn:aws:iam::1:role/a#b",
          name: "é𝄞 #1",
          kind: "webhook",
          attempts: 3,
          log: [
            { at, outcome: "HTTP 503; é", elapsedMs: 12 },
            { at, outcome: "given back" },
          ],
          tendAt: at,
          endedAt: at,
          reason: "é",
          redrives: 2,
        });
        const bare = aDelivery();
        for (const delivery of [full, bare]) {
          expect(await store.createDelivery(delivery)).toEqual({ kind: "created" });
          expect(await store.getDelivery(delivery)).toEqual(delivery);
          expect(await store.getDeliveries(delivery.eventId)).toEqual([delivery]);
        }
      });

      it("is one for each event and subscription: the first stays", async () => {
        const first = await created();
        expect(await store.createDelivery({ ...first, fence: "fence-2", attempts: 4 })).toEqual({
          kind: "exists",
          record: first,
        });
        expect(await store.getDelivery(first)).toEqual(first);
      });

      it.skipIf(notAtomic !== undefined)("is begun by one of 20 who try at once", async () => {
        const ref = refOf(aDelivery());
        const outcomes = await Promise.all(Array.from({ length: 20 }, () => store.createDelivery(aDelivery(ref))));
        expect(outcomes.filter(({ kind }) => kind === "created")).toHaveLength(1);
      });

      it("is written only by who has seen the fence that it has [deliver-5]", async () => {
        const first = await created();
        const taken = { ...first, fence: "fence-2", attempts: 1 };
        expect(await store.replaceDelivery(taken, "fence-0")).toBe(false);
        expect(await store.replaceDelivery(taken, "fence-1")).toBe(true);
        expect(await store.replaceDelivery({ ...first, fence: "fence-3" }, "fence-1")).toBe(false);
        expect(await store.getDelivery(first)).toEqual(taken);
        expect(await store.replaceDelivery(aDelivery(), "fence-1")).toBe(false);
      });

      it("has nothing left of what its next state does not have", async () => {
        const dead = aDead({ tendAt: isoAt(Date.now()) });
        await store.createDelivery(dead);
        const again = aDelivery({ ...refOf(dead), fence: "fence-2" });
        await store.replaceDelivery(again, dead.fence);
        expect(await store.getDelivery(dead)).toEqual(again);
      });

      it.skipIf(notAtomic !== undefined)("is taken on by one of 20 who try at once", async () => {
        const first = await created();
        const writes = await Promise.all(
          Array.from({ length: 20 }, (_, i) => store.replaceDelivery({ ...first, fence: `racer-${i}` }, first.fence)),
        );
        expect(writes.filter((isWritten) => isWritten)).toHaveLength(1);
        expect((await store.getDelivery(first))?.fence).toBe(`racer-${writes.indexOf(true)}`);
      });

      it("does not exist once it has expired, and leaves its place [cleanup-4]", async () => {
        const expired = await created({ expiresAt: past() });
        expect(await store.getDelivery(expired)).toBeNull();
        expect(await store.getDeliveries(expired.eventId)).toEqual([]);
        expect(await store.getDeliveriesOf([expired])).toEqual([]);
        const again = aDelivery(refOf(expired));
        expect(await store.createDelivery(again)).toEqual({ kind: "created" });
        expect(await store.getDelivery(expired)).toEqual(again);
      });
    });

    describe("deliveries", () => {
      it("of an event are all found, and nobody else's", async () => {
        const eventId = randomUUID();
        const deliveries = [
          await created({ eventId }),
          await created({ eventId, kind: "webhook", state: "DELIVERED" }),
          aDead({ eventId, subscriptionId: deployedId("alice"), kind: "deployed", owner: DEPLOYED_OWNER }),
        ];
        await store.createDelivery(deliveries[2] as DeliveryRecord);
        await created();
        const found = await store.getDeliveries(eventId);
        expect(found).toHaveLength(3);
        expect(found).toEqual(expect.arrayContaining(deliveries));
        expect(await store.getDeliveries(randomUUID())).toEqual([]);
      });

      it("that are named are all found, however many; what does not exist is left out", async () => {
        const deliveries = await Promise.all(Array.from({ length: 120 }, () => created()));
        const refs = [...deliveries.map(refOf), { eventId: "nothing", subscriptionId: "nothing" }];
        const found = await store.getDeliveriesOf(refs);
        expect(found.map(({ eventId }) => eventId).sort()).toEqual(deliveries.map(({ eventId }) => eventId).sort());
        expect(await store.getDeliveriesOf([])).toEqual([]);
      });

      it("that are named twice, as by an index that lags, are found", async () => {
        const [one, other] = [await created(), await created()];
        const found = await store.getDeliveriesOf([one, other, one].map(refOf));
        expect(new Set(found.map(({ eventId }) => eventId))).toEqual(new Set([one.eventId, other.eventId]));
      });
    });

    describe("messages", () => {
      const at = (second: number): string => `2026-01-01T00:00:${String(second).padStart(2, "0")}.000Z`;

      it("are found by who polls their queue, oldest first, up to a limit, from the instant on that they are visible", async () => {
        const subscriptionId = randomUUID();
        const ids: string[] = [];
        for (const second of [3, 1, 2])
          ids[second] = (await created({ subscriptionId, nextAttemptAt: at(second) })).eventId;
        await created({ nextAttemptAt: at(1) });
        const find = (before: string, limit = 10) => store.findMessages(subscriptionId, before, limit);
        await expect.poll(() => find(at(59))).toEqual(ids.slice(1));
        expect(await find(at(59), 2)).toEqual(ids.slice(1, 3));
        expect(await find(at(2))).toEqual([ids[1]]);
        expect(await find("2026-01-01T00:00:02.001Z")).toEqual(ids.slice(1, 3));
        expect(await find(at(1))).toEqual([]);
        // After every instant there is.
        expect(await find("9999")).toHaveLength(3);
      });

      it("are hidden when they are taken, and leave the queue when they are done or dead, or at their last receive", async () => {
        const subscriptionId = randomUUID();
        const find = () => store.findMessages(subscriptionId, isoAt(Date.now()), 10);
        const [hidden, done, dead, last] = await Promise.all(
          Array.from({ length: 4 }, () => created({ subscriptionId })),
        );
        await expect.poll(find).toHaveLength(4);
        const later = isoAt(Date.now() + 3_600_000);
        const steps: [DeliveryRecord | undefined, Partial<DeliveryRecord>][] = [
          [hidden, { nextAttemptAt: later }],
          [done, { state: "DELIVERED" }],
          [dead, { state: "DEAD", endedAt: isoAt(Date.now()), reason: "it threw" }],
          [last, { tendAt: later }],
        ];
        for (const [one, step] of steps)
          if (one !== undefined) await store.replaceDelivery({ ...one, ...step }, one.fence);
        await expect.poll(find).toEqual([]);
        expect(await store.findMessages(subscriptionId, isoAt(Date.now() + 7_200_000), 10)).toEqual([hidden?.eventId]);
      });

      it("are no webhooks", async () => {
        const webhook = await created({ kind: "webhook" });
        expect(await store.findMessages(webhook.subscriptionId, "9999", 10)).toEqual([]);
      });
    });

    describe("deliveries to be looked after", () => {
      it("are due for the reconciler from an instant on, while they are pending", async () => {
        const tendAt = isoAt(Date.now() - 3_600_000);
        const delivery = await created({ kind: "webhook", tendAt });
        const id = `${delivery.eventId}/${delivery.subscriptionId}`;
        const due = (before: number) => store.findDueWork("delivery", isoAt(before), 1_000);
        await expect.poll(() => due(Date.now())).toContain(id);
        expect(await due(Date.parse(tendAt))).not.toContain(id);
        await store.replaceDelivery({ ...delivery, state: "DELIVERED" }, delivery.fence);
        await expect.poll(() => due(Date.now())).not.toContain(id);
      });
    });

    describe("dead deliveries", () => {
      /** Three of each of two subscriptions of an owner, and one of a third. In the order in which they are found. */
      async function sevenDead(): Promise<{ owner: string; dead: DeliveryRecord[] }> {
        const owner = `arn:aws:iam::1:role/a#b/${randomUUID()}`;
        const subscriptions = [randomUUID(), randomUUID(), randomUUID()].sort();
        const dead = subscriptions.flatMap((subscriptionId, s) =>
          Array.from({ length: s === 2 ? 1 : 3 }, (_, i) =>
            aDead({ owner, subscriptionId, endedAt: `2026-01-01T00:00:0${i}.000Z` }),
          ),
        );
        await Promise.all([...dead].reverse().map((one) => store.createDelivery(one)));
        await expect.poll(async () => (await store.findDead(owner, undefined, "", 100)).refs).toHaveLength(7);
        return { owner, dead };
      }

      /** All of a selection, read in stretches. */
      async function read(owner: string, subscriptionId: string | undefined, limit: number): Promise<DeliveryRef[]> {
        const refs: DeliveryRef[] = [];
        for (let after: string | null = ""; after !== null; ) {
          const slice = await store.findDead(owner, subscriptionId, after, limit);
          expect(slice.refs.length).toBeLessThanOrEqual(limit);
          refs.push(...slice.refs.map(({ eventId, subscriptionId: id }) => ({ eventId, subscriptionId: id })));
          after = slice.next;
        }
        return refs;
      }

      it("of an owner are found by subscription and then by death, in stretches, each once", async () => {
        const { owner, dead } = await sevenDead();
        for (const limit of [1, 2, 3, 7, 100]) expect(await read(owner, undefined, limit)).toEqual(dead.map(refOf));
        expect(await store.findDead("nobody", undefined, "", 10)).toEqual({ refs: [], next: null });
        expect((await store.findDead(owner, undefined, "", 100)).next).toBeNull();
      });

      it("of one subscription are found alone, in stretches, each once", async () => {
        const { owner, dead } = await sevenDead();
        for (const subscriptionId of new Set(dead.map((one) => one.subscriptionId))) {
          const own = dead.filter((one) => one.subscriptionId === subscriptionId).map(refOf);
          for (const limit of [1, 2, 100]) expect(await read(owner, subscriptionId, limit)).toEqual(own);
          expect(await read("nobody", subscriptionId, 10)).toEqual([]);
        }
        expect(await read(owner, "nothing", 10)).toEqual([]);
      });

      it("of a deployed subscriber are found by its name, and not by the beginning of it", async () => {
        const short = `s${randomUUID()}`;
        const change = { owner: DEPLOYED_OWNER, kind: "deployed" } as const;
        const one = aDead({ ...change, subscriptionId: deployedId(short) });
        const other = aDead({ ...change, subscriptionId: deployedId(`${short}-more`) });
        await store.createDelivery(one);
        await store.createDelivery(other);
        await expect.poll(() => read(DEPLOYED_OWNER, deployedId(`${short}-more`), 10)).toEqual([refOf(other)]);
        await expect.poll(() => read(DEPLOYED_OWNER, deployedId(short), 10)).toEqual([refOf(one)]);
      });

      it("are dead no more once they are redriven, and again when they fail again", async () => {
        const owner = `agent-${randomUUID()}`;
        const dead = aDead({ owner, kind: "webhook" });
        await store.createDelivery(dead);
        await expect.poll(() => read(owner, undefined, 10)).toHaveLength(1);
        const { endedAt: _, reason: __, ...rest } = dead;
        const again: DeliveryRecord = { ...rest, state: "PENDING", fence: "fence-2", redrives: 1 };
        expect(await store.replaceDelivery(again, dead.fence)).toBe(true);
        await expect.poll(() => read(owner, undefined, 10)).toEqual([]);
        expect(await store.replaceDelivery({ ...dead, fence: "fence-3", redrives: 1 }, "fence-2")).toBe(true);
        await expect.poll(() => read(owner, undefined, 10)).toEqual([refOf(dead)]);
      });
    });
  });
}
