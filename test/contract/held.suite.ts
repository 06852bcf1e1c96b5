/** What every `EventStore` must do with what an agent has at once: open waits, subscriptions, and those of a type. */
import { randomUUID } from "node:crypto";
import { beforeAll, describe, expect, it } from "vitest";
import type { EventStore } from "../../shared/ports.ts";
import type { RequestRecord } from "../../shared/records.ts";
import type { SubscriptionEntry, SubscriptionRecord } from "../../shared/subscriptions/records.ts";
import { isoAt } from "../../shared/time.ts";
import type { ClockedStoreUnderTest } from "./clocked-store.ts";

const SECOND = 1_000;
const DAY = 86_400_000;

/** Runs the contract on a store. */
export function heldContract({ name, open }: ClockedStoreUnderTest): void {
  describe(`the event store ${name}, of what an agent has at once`, () => {
    let store: EventStore;
    const now = Date.now();
    const inSeconds = (seconds: number): string => isoAt(now + seconds * SECOND);
    beforeAll(async () => {
      store = await open(() => now);
    });

    const aRequest = (requester: string, deadline: string): RequestRecord => ({
      eventId: randomUUID(),
      eventType: "PING",
      state: "PENDING",
      expect: { mode: "first" },
      expected: [],
      requester,
      createdAt: inSeconds(0),
      deadline,
      payloadHash: "hash",
      replyToken: "token",
      acceptedIds: [],
      answeredBy: [],
      progressCount: 0,
    });

    const aSubscription = (owner: string, change: Partial<SubscriptionRecord> = {}): SubscriptionRecord => ({
      subscriptionId: randomUUID(),
      owner,
      name: "billing",
      eventTypes: ["PING"],
      target: { kind: "queue", visibilitySeconds: 30, maxAttempts: 5 },
      answers: true,
      status: "active",
      secrets: [],
      createdAt: inSeconds(0),
      updatedAt: inSeconds(0),
      activeSince: inSeconds(0),
      version: 1,
      indexedTypes: ["PING"],
      isIndexed: true,
      ...change,
    });

    it("counts the waits of an agent that are open, up to a bound, and says which ends first [wait-9]", async () => {
      const [agent, other] = [randomUUID(), randomUUID()];
      expect(await store.countHeld("wait", agent, inSeconds(0), 10)).toEqual({ count: 0, firstEndsAt: null });
      for (const seconds of [30, 10, 20]) await store.createRequest(aRequest(agent, inSeconds(seconds)));
      await store.createRequest(aRequest(other, inSeconds(5)));
      expect(await store.countHeld("wait", agent, inSeconds(0), 10)).toEqual({ count: 3, firstEndsAt: null });
      expect(await store.countHeld("wait", agent, inSeconds(0), 3)).toEqual({ count: 3, firstEndsAt: inSeconds(10) });
      expect(await store.countHeld("wait", agent, inSeconds(0), 2)).toEqual({ count: 2, firstEndsAt: inSeconds(10) });
    });

    it("does not count a wait that has ended, whichever way, or whose deadline has passed", async () => {
      const agent = randomUUID();
      const [answered, timedOut, counted, late] = [10, 10, 10, 1].map((seconds) => aRequest(agent, inSeconds(seconds)));
      for (const request of [answered, timedOut, counted, late]) if (request) await store.createRequest(request);
      const answer = { replyToken: "token", answersSeen: 0, at: inSeconds(1), expiresAt: 9_999_999_999 };
      const of = (request: RequestRecord | undefined) => ({
        eventId: request?.eventId ?? "",
        responseId: randomUUID(),
      });
      await store.acceptAnswer({ ...answer, ...of(answered), state: "ANSWERED" });
      await store.acceptAnswer({ ...answer, ...of(counted), state: "PENDING" });
      const end = { state: "TIMED_OUT", at: inSeconds(1), expiresAt: 9_999_999_999 } as const;
      await store.endRequest({ ...end, eventId: timedOut?.eventId ?? "" });
      expect((await store.countHeld("wait", agent, inSeconds(2), 10)).count).toBe(1);
    });

    it("counts the subscriptions of an agent; one that has ended for a day more", async () => {
      const agent = randomUUID();
      const [kept, ended] = [aSubscription(agent), aSubscription(agent, { status: "disabled" })];
      for (const subscription of [kept, ended]) await store.replaceSubscription(subscription, 0);
      expect((await store.countHeld("subscription", agent, inSeconds(0), 10)).count).toBe(2);
      await store.replaceSubscription({ ...ended, status: "deleted", version: 2, expiresAt: 9_999_999_999 }, 1);
      expect((await store.countHeld("subscription", agent, inSeconds(0), 10)).count).toBe(2);
      expect((await store.countHeld("subscription", agent, isoAt(now + DAY + SECOND), 10)).count).toBe(1);
      expect((await store.countHeld("subscription", randomUUID(), inSeconds(0), 10)).count).toBe(0);
    });

    it("shows history nothing of them", async () => {
      const agentType = randomUUID();
      await store.createRequest(aRequest(agentType, inSeconds(10)));
      const query = { index: "by_agent", order: "asc", after: "0", before: "9999", limit: 10 } as const;
      for (let shard = 0; shard < 8; shard++)
        expect((await store.readHistory({ ...query, partition: `AGENT#${agentType}#${shard}` })).positions).toEqual([]);
    });

    it("counts the subscriptions of a type, but for those that were removed [emit-19]", async () => {
      const eventType = `TYPE_${randomUUID()}`;
      const entry = (change: Partial<SubscriptionEntry>): SubscriptionEntry => ({
        eventType,
        subscriptionId: randomUUID(),
        owner: "agent",
        name: "billing",
        kind: "queue",
        answers: true,
        status: "active",
        activeSince: inSeconds(0),
        version: 1,
        ...change,
      });
      for (const status of ["active", "disabled", "removed", "active"] as const)
        await store.putEntry(entry({ status }));
      expect(await store.countEntries(eventType, 10)).toBe(3);
      expect(await store.countEntries(eventType, 2)).toBe(2);
      expect(await store.countEntries(randomUUID(), 2)).toBe(0);
    });
  });
}
