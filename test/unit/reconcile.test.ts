import { describe, expect, it } from "vitest";
import { emit } from "../../shared/emit.ts";
import { reconcile } from "../../shared/reconcile.ts";
import { openRequest } from "../../shared/request.ts";
import { busInMemory } from "../support/bus-in-memory.ts";

const sender = { caller: "agent" };

describe("an event whose publication failed", () => {
  async function unpublished() {
    const bus = busInMemory();
    bus.publisher.failure = "ThrottlingException";
    const { result, afterwards } = await emit(bus.deps, { type: "MESSAGE_RECEIVED", data: {} }, sender);
    await afterwards();
    return { bus, eventId: result.event_id };
  }

  it("is published within 90 s under the same id, with the token that its answers need", async () => {
    const { bus, eventId } = await unpublished();
    bus.publisher.failure = null;
    await bus.clock.pause(60_000);
    expect(await reconcile(bus.deps)).toEqual({ published: 1, ended: 0, failed: 0 });
    const record = await bus.store.getEvent(eventId);
    expect(record?.published).toBe(true);
    expect(bus.publisher.published).toMatchObject([{ id: eventId, reply_to: { token: record?.replyToken } }]);
    expect(await reconcile(bus.deps)).toEqual({ published: 0, ended: 0, failed: 0 });
  });

  it("is left to its emitter while it is fresh", async () => {
    const { bus } = await unpublished();
    bus.publisher.failure = null;
    expect(await reconcile(bus.deps)).toEqual({ published: 0, ended: 0, failed: 0 });
  });

  it("stays due while publishing fails, and is tried again when its lease is over", async () => {
    const { bus } = await unpublished();
    await bus.clock.pause(60_000);
    expect(await reconcile(bus.deps)).toMatchObject({ published: 0, failed: 1 });
    bus.publisher.failure = null;
    expect(await reconcile(bus.deps)).toMatchObject({ published: 0, failed: 0 });
    await bus.clock.pause(60_000);
    expect(await reconcile(bus.deps)).toMatchObject({ published: 1 });
  });

  it("is published once by two relays that race", async () => {
    const { bus } = await unpublished();
    bus.publisher.failure = null;
    await bus.clock.pause(60_000);
    const reports = await Promise.all([reconcile(bus.deps), reconcile(bus.deps)]);
    expect(reports.map(({ published }) => published).sort()).toEqual([0, 1]);
    expect(bus.publisher.published).toHaveLength(1);
  });

  it("does not hold up others when its own record fails", async () => {
    const { bus, eventId } = await unpublished();
    const second = await emit(bus.deps, { type: "MESSAGE_RECEIVED", data: {} }, sender);
    bus.publisher.failure = null;
    await bus.clock.pause(60_000);
    const lease = bus.store.leaseForRelay.bind(bus.store);
    bus.store.leaseForRelay = (id, seen, until) =>
      id === eventId ? Promise.reject(new Error("broken")) : lease(id, seen, until);
    expect(await reconcile(bus.deps)).toMatchObject({ published: 1, failed: 1 });
    expect((await bus.store.getEvent(second.result.event_id))?.published).toBe(true);
  });
});

describe("a request whose asker died", () => {
  const question = { type: "CONTEXT_REQUESTED", data: {}, timeout: 10 };

  it("is ended after its deadline and a grace of 60 s, not before", async () => {
    const bus = busInMemory();
    const { request, settled } = await openRequest(bus.deps, question, sender);
    await settled;
    await bus.clock.pause(69_000);
    expect(await reconcile(bus.deps)).toMatchObject({ ended: 0 });
    await bus.clock.pause(2_000);
    expect(await reconcile(bus.deps)).toMatchObject({ ended: 1 });
    const ended = await bus.store.getRequest(request.eventId);
    expect(ended?.state).toBe("TIMED_OUT");
    expect(ended?.reason).toBeUndefined();
  });

  it("before its event was recorded is ended too, and says why", async () => {
    const bus = busInMemory();
    bus.store.putEvent = () => Promise.reject(new Error("crashed"));
    await expect(openRequest(bus.deps, question, { ...sender, idempotencyKey: "k" })).rejects.toThrow("crashed");
    const [eventId = ""] = await bus.store.findDueWork("deadline", "9", 10);
    await bus.clock.pause(71_000);
    await reconcile(bus.deps);
    expect(await bus.store.getRequest(eventId)).toMatchObject({ state: "TIMED_OUT", reason: "never_published" });
  });

  it("keeps the answer that comes while the sweep is at work", async () => {
    const bus = busInMemory();
    const { request } = await openRequest(bus.deps, question, sender);
    await bus.clock.pause(71_000);
    const getEvent = bus.store.getEvent.bind(bus.store);
    bus.store.getEvent = async (id) => {
      const { eventId, replyToken } = request;
      const at = new Date(bus.clock.nowMs).toISOString();
      await bus.store.acceptAnswer({
        eventId,
        replyToken,
        responseId: "r",
        answersSeen: 0,
        state: "ANSWERED",
        at,
        expiresAt: 9e9,
      });
      return getEvent(id);
    };
    expect(await reconcile(bus.deps)).toMatchObject({ ended: 0 });
    expect((await bus.store.getRequest(request.eventId))?.state).toBe("ANSWERED");
  });
});
