import { describe, expect, it } from "vitest";
import { openAgent } from "../../shared/agents/agent.ts";
import { emit } from "../../shared/emit.ts";
import { type ReconcileDeps, reconcile } from "../../shared/reconcile.ts";
import { openRequest } from "../../shared/request.ts";
import { type BusInMemory, busInMemory } from "../support/bus-in-memory.ts";

const sender = { agent: openAgent("agent") };

/** A run with a minute to go. */
const run = (deps: ReconcileDeps) => reconcile(deps, { untilMs: deps.monotonic() + 60_000 });

/** Events whose publication failed, due by now. */
async function backlog(bus: BusInMemory, events: number): Promise<string[]> {
  bus.publisher.failure = "ServiceUnavailable";
  const ids: string[] = [];
  for (let i = 0; i < events; i++) {
    const { result, afterwards } = await emit(bus.deps, { type: "MESSAGE_RECEIVED", data: {} }, sender);
    await afterwards();
    ids.push(result.event_id);
  }
  bus.publisher.failure = null;
  await bus.clock.pause(60_000);
  return ids;
}

describe("an event whose publication failed", () => {
  async function unpublished() {
    const bus = busInMemory();
    bus.publisher.failure = "ThrottlingException";
    const { result, afterwards } = await emit(bus.deps, { type: "MESSAGE_RECEIVED", data: {} }, sender);
    await afterwards();
    return { bus, eventId: result.event_id };
  }

  it("is published within 90 s under the same id, with the token that its answers need [emit-10]", async () => {
    const { bus, eventId } = await unpublished();
    bus.publisher.failure = null;
    await bus.clock.pause(60_000);
    expect(await run(bus.deps)).toEqual({
      published: 1,
      ended: 0,
      tended: 0,
      failed: 0,
      oldest_unpublished_ms: 60_000,
    });
    const record = await bus.store.getEvent(eventId);
    expect(record?.published).toBe(true);
    expect(bus.publisher.published).toMatchObject([{ id: eventId, reply_to: { token: record?.replyToken } }]);
    expect(await run(bus.deps)).toEqual({ published: 0, ended: 0, tended: 0, failed: 0, oldest_unpublished_ms: 0 });
  });

  it("is not published again where the index of work still names it, or names what has expired [emit-15]", async () => {
    const bus = busInMemory();
    const { result, afterwards } = await emit(bus.deps, { type: "MESSAGE_RECEIVED", data: {} }, sender);
    await afterwards();
    const findDueWork = bus.store.findDueWork.bind(bus.store);
    const stale = [result.event_id, "00000000-0000-7000-8000-999999999999"];
    bus.store.findDueWork = async (kind, dueBefore, limit) =>
      kind === "publish" ? stale.splice(0) : findDueWork(kind, dueBefore, limit);
    expect(await run(bus.deps)).toMatchObject({ published: 0, failed: 0, oldest_unpublished_ms: 0 });
    expect(bus.publisher.published).toHaveLength(1);
  });

  it("is left to its emitter while it is fresh", async () => {
    const { bus } = await unpublished();
    bus.publisher.failure = null;
    expect(await run(bus.deps)).toEqual({ published: 0, ended: 0, tended: 0, failed: 0, oldest_unpublished_ms: 0 });
  });

  it("stays due while publishing fails, and is tried again when its lease is over [emit-14]", async () => {
    const { bus } = await unpublished();
    await bus.clock.pause(60_000);
    expect(await run(bus.deps)).toMatchObject({ published: 0, failed: 1 });
    bus.publisher.failure = null;
    expect(await run(bus.deps)).toMatchObject({ published: 0, failed: 0 });
    await bus.clock.pause(60_000);
    expect(await run(bus.deps)).toMatchObject({ published: 1 });
  });

  it("is published by the run a minute after the last fault, though it was tried just before that fault ended [R5]", async () => {
    const { bus } = await unpublished();
    await bus.clock.pause(60_000);
    await run(bus.deps);
    bus.publisher.failure = null;
    // Runs come each minute: one that comes sooner than this is followed by one within 90 s of the fault.
    await bus.clock.pause(30_000);
    expect(await run(bus.deps)).toMatchObject({ published: 1 });
  });

  it("is published once by two relays that race [emit-14]", async () => {
    const { bus } = await unpublished();
    bus.publisher.failure = null;
    await bus.clock.pause(60_000);
    const reports = await Promise.all([run(bus.deps), run(bus.deps)]);
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
    expect(await run(bus.deps)).toMatchObject({ published: 1, failed: 1 });
    expect((await bus.store.getEvent(second.result.event_id))?.published).toBe(true);
  });
});

describe("a request whose asker died", () => {
  const question = { type: "CONTEXT_REQUESTED", data: {}, timeout: 10 };

  it("is ended after its deadline and a grace of 60 s, not before [cleanup-1]", async () => {
    const bus = busInMemory();
    const { request, settled } = await openRequest(bus.deps, question, sender);
    await settled;
    await bus.clock.pause(69_000);
    expect(await run(bus.deps)).toMatchObject({ ended: 0 });
    await bus.clock.pause(2_000);
    expect(await run(bus.deps)).toMatchObject({ ended: 1 });
    const ended = await bus.store.getRequest(request.eventId);
    expect(ended?.state).toBe("TIMED_OUT");
    expect(ended?.reason).toBeUndefined();
  });

  it("before its event was recorded is ended too, and says why [wait-2]", async () => {
    const bus = busInMemory();
    bus.store.putEvent = () => Promise.reject(new Error("crashed"));
    await expect(openRequest(bus.deps, question, { ...sender, idempotencyKey: "k" })).rejects.toThrow("crashed");
    const [eventId = ""] = await bus.store.findDueWork("deadline", "9", 10);
    await bus.clock.pause(71_000);
    await run(bus.deps);
    expect(await bus.store.getRequest(eventId)).toMatchObject({ state: "TIMED_OUT", reason: "never_published" });
  });

  it("keeps the answer that comes while the sweep is at work [cleanup-3]", async () => {
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
    expect(await run(bus.deps)).toMatchObject({ ended: 0 });
    expect((await bus.store.getRequest(request.eventId))?.state).toBe("ANSWERED");
  });
});

describe("a backlog after an outage", () => {
  it("is published in one run, however long it is, each event once [cleanup-1]", async () => {
    const bus = busInMemory();
    const ids = await backlog(bus, 2_600);
    expect(await run(bus.deps)).toEqual({
      published: 2_600,
      ended: 0,
      tended: 0,
      failed: 0,
      oldest_unpublished_ms: 60_000,
    });
    expect(bus.publisher.published.map(({ id }) => id).sort()).toEqual(ids.sort());
  });

  it("is left to the next run where the time is up", async () => {
    const bus = busInMemory();
    await backlog(bus, 1_500);
    const publish = bus.publisher.publish.bind(bus.publisher);
    bus.publisher.publish = async (events) => {
      await bus.clock.pause(1_000);
      return publish(events);
    };
    const { published, failed } = await reconcile(bus.deps, { untilMs: bus.deps.monotonic() + 2_500 });
    expect(failed).toBe(0);
    expect(published).toBeGreaterThan(0);
    expect(published).toBeLessThan(1_500);
    expect((await run(bus.deps)).published).toBe(1_500 - published);
  });

  it("is not hammered at while nothing can be published", async () => {
    const bus = busInMemory();
    await backlog(bus, 2_600);
    bus.publisher.failure = "ServiceUnavailable";
    expect(await run(bus.deps)).toMatchObject({ published: 0, failed: 1_000 });
  });

  it("is not held up by an index that lags: nothing is published again, and the run ends [emit-15]", async () => {
    const bus = busInMemory();
    await backlog(bus, 1_200);
    const seen = await bus.store.findDueWork("publish", "9", 1_200);
    let looks = 0;
    bus.store.findDueWork = async (kind, _before, limit) => {
      if (kind === "publish") looks++;
      return kind === "publish" ? seen.slice(0, limit) : [];
    };
    // The index names what is done; only the first thousand can be seen behind it.
    expect(await run(bus.deps)).toMatchObject({ published: 1_000, failed: 0 });
    expect(looks).toBe(2);
    expect(bus.publisher.published).toHaveLength(1_000);
  });

  it("behind events that always fail is reached in the same run", async () => {
    const bus = busInMemory();
    const ids = await backlog(bus, 1_300);
    const broken = new Set(ids.slice(0, 900));
    const lease = bus.store.leaseForRelay.bind(bus.store);
    bus.store.leaseForRelay = (id, seen, until) =>
      broken.has(id) ? Promise.reject(new Error("broken")) : lease(id, seen, until);
    expect(await run(bus.deps)).toMatchObject({ published: 400, failed: 900 });
  });
});

describe("a half of the run that fails", () => {
  it.each(["publish", "deadline"] as const)(
    "(look-up of %s) neither stops the other nor goes unseen",
    async (broken) => {
      const bus = busInMemory();
      const { settled } = await openRequest(bus.deps, { type: "CONTEXT_REQUESTED", data: {}, timeout: 10 }, sender);
      await settled;
      await backlog(bus, 1);
      await bus.clock.pause(20_000);
      const find = bus.store.findDueWork.bind(bus.store);
      bus.store.findDueWork = (kind, before, limit) =>
        kind === broken ? Promise.reject(new Error("throttled")) : find(kind, before, limit);
      const expected = broken === "publish" ? { published: 0, ended: 1 } : { published: 1, ended: 0 };
      expect(await run(bus.deps)).toMatchObject({ ...expected, failed: 1 });
    },
  );

  it("does not hold the other up while it hangs", async () => {
    const bus = busInMemory();
    await backlog(bus, 1_100);
    const find = bus.store.findDueWork.bind(bus.store);
    let release = (): void => undefined;
    const hanging = new Promise<string[]>((resolve) => {
      release = () => resolve([]);
    });
    bus.store.findDueWork = (kind, before, limit) => (kind === "deadline" ? hanging : find(kind, before, limit));
    const report = run(bus.deps);
    await expect.poll(() => bus.publisher.published.length).toBe(1_100);
    release();
    expect(await report).toMatchObject({ published: 1_100, failed: 0 });
  });
});
