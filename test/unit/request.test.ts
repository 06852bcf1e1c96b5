import { describe, expect, it } from "vitest";
import { openAgent } from "../../shared/agents/agent.ts";
import { emit } from "../../shared/emit.ts";
import { cancelRequest, findOwnRequest } from "../../shared/end-request.ts";
import type { RequestRecord } from "../../shared/records.ts";
import { openRequest } from "../../shared/request.ts";
import { describeOutcome } from "../../shared/request-outcome.ts";
import { streamRequest } from "../../shared/request-stream.ts";
import { respond } from "../../shared/respond.ts";
import { waitForEnd } from "../../shared/wait.ts";
import { blindGapMs } from "../../shared/wait-policy/next-read.ts";
import { after, type BusInMemory, busInMemory } from "../support/bus-in-memory.ts";
import { codeOf, failureOf } from "../support/failures.ts";

const sender = { agent: openAgent("asker") };
const question = { type: "CONTEXT_REQUESTED", data: { topic: "weather" }, timeout: 10 };

/** Asks and waits to the end, as one held call does. */
async function ask({ deps }: BusInMemory, body: object = question, holdMs = 100_000) {
  const { request, settled } = await openRequest(deps, body, sender);
  await settled;
  const end = await waitForEnd(deps, request, { holdMs });
  return describeOutcome(deps, end.request);
}

/** Answers the last event that was published. */
async function answer(
  bus: BusInMemory,
  response: object,
  more: { as?: string; status?: string; response_id?: string } = {},
) {
  const event = bus.publisher.published.at(-1);
  if (event === undefined) throw new Error("Nothing was published.");
  const { as, ...rest } = more;
  return respond(
    bus.deps,
    event.id,
    { response, reply_token: event.reply_to.token, ...rest },
    { agent: openAgent("answerer"), as },
  );
}

describe("asking", () => {
  it("gives the first answer, who gave it, and how long it took", async () => {
    const bus = busInMemory();
    const [outcome, verdict] = await Promise.all([
      ask(bus),
      after(bus.clock, 500, () => answer(bus, { sky: "clear" }, { as: "alice" })),
    ]);
    expect(verdict).toMatchObject({ verdict: "accepted" });
    expect(outcome).toMatchObject({
      status: "answered",
      response: { sky: "clear" },
      responses: [{ response_id: verdict.response_id, response: { sky: "clear" }, responder: "alice", status: "ok" }],
      missing: [],
    });
    expect(outcome.status === "answered" && outcome.elapsed_ms).toBeGreaterThanOrEqual(500);
  });

  it("publishes a copy with the deadline and what an answer needs, once the wait is open", async () => {
    const bus = busInMemory();
    bus.publisher.publish = async (events) => {
      expect(await bus.store.getRequest(events[0]?.id ?? "")).toMatchObject({
        state: "PENDING",
        expected: ["alice", "bob"],
      });
      bus.publisher.published.push(...events);
      return [{ kind: "published" }];
    };
    const { request } = await openRequest(bus.deps, question, sender);
    expect(bus.publisher.published[0]).toMatchObject({
      deadline: "2026-06-01T12:00:10.000Z",
      reply_to: {
        url: `/events/${request.eventId}/responses`,
        token: request.replyToken,
        deadline: "2026-06-01T12:00:10.000Z",
      },
    });
  });

  it("is told at once when nobody can answer, and leaves nothing behind [wait-11]", async () => {
    const bus = busInMemory();
    expect(await codeOf(openRequest(bus.deps, { ...question, type: "SESSION_CREATED" }, sender))).toBe(
      "no_subscribers",
    );
    expect(bus.publisher.published).toEqual([]);
    expect(await bus.store.findDueWork("deadline", "9", 10)).toEqual([]);
  });

  it("does not count observers, and waits without anybody when told to", async () => {
    const bus = busInMemory({
      subscribers: [{ name: "watcher", on: "CONTEXT_REQUESTED", handler: "w.ts", via: "queue", answers: false }],
    });
    expect(await codeOf(openRequest(bus.deps, question, sender))).toBe("no_subscribers");
    expect(await ask(bus, { ...question, require_subscribers: false })).toMatchObject({
      status: "timed_out",
      missing: [],
    });
  });

  it("counts on live streams while their lease lasts, of this type or of all, and of this conversation", async () => {
    const bus = busInMemory({});
    const lease = { name: "carol", streamId: "1", kind: "stream", leasedUntil: bus.clock.nowMs + 1_000 } as const;
    const expectedNow = async () =>
      (await openRequest(bus.deps, { ...question, correlation_id: "talk", require_subscribers: false }, sender)).request
        .expected;
    await bus.store.putListener({ ...lease, eventType: "CONTEXT_REQUESTED" });
    await bus.store.putListener({ ...lease, eventType: "*", name: "dave" });
    await bus.store.putListener({ ...lease, eventType: "*", name: "erin", correlationId: "talk" });
    await bus.store.putListener({ ...lease, eventType: "*", name: "frank", correlationId: "other" });
    expect(await expectedNow()).toEqual(["carol", "dave", "erin"]);
    await bus.clock.pause(1_000);
    expect(await expectedNow()).toEqual([]);
  });

  it("ends by the deadline, and says who has not answered", async () => {
    const bus = busInMemory();
    const outcome = await ask(bus);
    expect(outcome).toEqual({
      event_id: outcome.event_id,
      status: "timed_out",
      response: null,
      responses: [],
      missing: ["alice", "bob"],
      elapsed_ms: 10_000,
    });
  });

  it("within a parent's wait ends a little before the parent does", async () => {
    const bus = busInMemory();
    const parent = await openRequest(bus.deps, { ...question, timeout: 2 }, sender);
    const nested = await openRequest(bus.deps, { ...question, causation_id: parent.request.eventId }, sender);
    expect(nested.request.deadline).toBe("2026-06-01T12:00:01.750Z");
  });

  it("ends as failed with the rejection when the first answer rejects", async () => {
    const bus = busInMemory();
    const [outcome] = await Promise.all([
      ask(bus),
      after(bus.clock, 100, () => answer(bus, { error: "no" }, { status: "rejected", as: "bob" })),
    ]);
    expect(outcome).toMatchObject({ status: "failed", response: { error: "no" }, responses: [{ status: "rejected" }] });
  });

  it.each([
    ["no timeout", { timeout: undefined }, "/timeout"],
    ["a timeout that is too short", { timeout: 0.01 }, "/timeout"],
    ["a timeout that is too long", { timeout: 86_401 }, "/timeout"],
    ["a timeout in words", { timeout: "10" }, "/timeout"],
    ["an unknown mode", { expect: { mode: "most" } }, "/expect/mode"],
    ["a list of expectations", { expect: [] }, "/expect"],
    ["a count without a number", { expect: { mode: "count" } }, "/expect/count"],
    ["a count of none", { expect: { mode: "count", count: 0 } }, "/expect/count"],
    ["require_subscribers that is no boolean", { require_subscribers: "no" }, "/require_subscribers"],
    ["an unknown field", { deadline: "x" }, "/deadline"],
  ])("refuses %s and names the field", async (_title, change, pointer) => {
    const bus = busInMemory();
    const failure = await failureOf(
      openRequest(bus.deps, JSON.parse(JSON.stringify({ ...question, ...change })), sender),
    );
    expect([failure.code, failure.errors[0]?.pointer]).toEqual(["invalid_request", pointer]);
  });
});

describe("several answers", () => {
  it("end the request when as many have come as were asked for; the rest is told [wait-12]", async () => {
    const bus = busInMemory();
    const asked = ask(bus, { ...question, expect: { mode: "count", count: 2 } });
    const verdicts = [];
    for (const [i, as] of ["alice", "bob", "alice"].entries())
      verdicts.push(await after(bus.clock, 100, () => answer(bus, { i }, { as })));
    const outcome = await asked;
    expect(verdicts.map(({ verdict }) => verdict)).toEqual(["accepted", "accepted", "superseded"]);
    expect(outcome).toMatchObject({
      status: "answered",
      response: { i: 0 },
      responses: [{ response: { i: 0 } }, { response: { i: 1 } }],
    });
  });

  it("that race for the last place get exactly as many as were asked for", async () => {
    const bus = busInMemory();
    const asked = ask(bus, { ...question, expect: { mode: "count", count: 5 } });
    const verdicts = await after(bus.clock, 100, () =>
      Promise.all(Array.from({ length: 32 }, (_, i) => answer(bus, { i }))),
    );
    const outcome = await asked;
    expect(verdicts.filter(({ verdict }) => verdict === "accepted")).toHaveLength(5);
    expect(verdicts.filter(({ verdict }) => verdict === "superseded")).toHaveLength(27);
    expect(outcome.responses).toHaveLength(5);
  });

  it("of all: end when every subscriber that was there has answered", async () => {
    const bus = busInMemory();
    const asked = ask(bus, { ...question, expect: { mode: "all" } });
    await after(bus.clock, 100, () => answer(bus, { from: "alice" }, { as: "alice" }));
    await after(bus.clock, 100, () => answer(bus, { from: "a stranger" }));
    expect(await answer(bus, { from: "bob" }, { as: "bob", status: "rejected" })).toMatchObject({
      verdict: "accepted",
    });
    expect(await asked).toMatchObject({
      status: "answered",
      responses: [{ responder: "alice" }, { responder: "answerer" }, { responder: "bob" }],
    });
  });

  it("that are too few: the time-out gives those that came and names who is missing", async () => {
    const bus = busInMemory();
    const asked = ask(bus, { ...question, expect: { mode: "all" } });
    await after(bus.clock, 100, () => answer(bus, { from: "alice" }, { as: "alice" }));
    expect(await asked).toMatchObject({
      status: "timed_out",
      response: null,
      responses: [{ responder: "alice" }],
      missing: ["bob"],
    });
  });
});

describe("an idempotency key", () => {
  const keyed = { ...sender, idempotencyKey: "k" };

  it("joins the wait under way, and gives the outcome again after its end [wait-8]", async () => {
    const bus = busInMemory();
    const [first, second] = await Promise.all([
      openRequest(bus.deps, question, keyed),
      openRequest(bus.deps, question, keyed),
    ]);
    expect(second.request.eventId).toBe(first.request.eventId);
    expect(bus.publisher.published).toHaveLength(1);
    await answer(bus, { sky: "clear" });
    const later = await openRequest(bus.deps, { ...question, timeout: 3 }, keyed);
    expect(await describeOutcome(bus.deps, later.request)).toMatchObject({
      status: "answered",
      response: { sky: "clear" },
    });
  });

  it("makes one event and one wait of a hundred attempts at once", async () => {
    const bus = busInMemory();
    const opened = await Promise.all(Array.from({ length: 100 }, () => openRequest(bus.deps, question, keyed)));
    expect(new Set(opened.map(({ request }) => request.replyToken)).size).toBe(1);
    expect(bus.publisher.published).toHaveLength(1);
    expect(await answer(bus, { sky: "clear" })).toMatchObject({ verdict: "accepted" });
  });

  it("is refused with another payload, and when it was used to emit", async () => {
    const bus = busInMemory();
    await openRequest(bus.deps, question, keyed);
    expect(await codeOf(openRequest(bus.deps, { ...question, data: {} }, keyed))).toBe("idempotency_conflict");
    await emit(bus.deps, { type: "CONTEXT_REQUESTED", data: {} }, { ...sender, idempotencyKey: "emitted" });
    expect(
      await codeOf(openRequest(bus.deps, { ...question, data: {} }, { ...sender, idempotencyKey: "emitted" })),
    ).toBe("idempotency_conflict");
    expect(await bus.store.findDueWork("deadline", "9", 10)).toHaveLength(1);
  });

  it("that an emit takes at the same moment leaves no wait open", async () => {
    const bus = busInMemory();
    const createRequest = bus.store.createRequest.bind(bus.store);
    bus.store.createRequest = async (request) => {
      const created = await createRequest(request);
      await emit(bus.deps, { type: "CONTEXT_REQUESTED", data: { topic: "weather" } }, keyed);
      return created;
    };
    expect(await codeOf(openRequest(bus.deps, question, keyed))).toBe("idempotency_conflict");
    expect(await bus.store.findDueWork("deadline", "9", 10)).toEqual([]);
  });

  it("completes what a crash between the two records left half done [wait-2]", async () => {
    const bus = busInMemory();
    const putEvent = bus.store.putEvent.bind(bus.store);
    bus.store.putEvent = () => Promise.reject(new Error("crashed"));
    await expect(openRequest(bus.deps, question, keyed)).rejects.toThrow("crashed");
    bus.store.putEvent = putEvent;
    await bus.clock.pause(1_000);
    const { request } = await openRequest(bus.deps, question, keyed);
    expect(bus.publisher.published).toHaveLength(1);
    // Not in the past: what is older than a few seconds has settled for streams and pages.
    expect(bus.publisher.published[0]?.timestamp).toBe("2026-06-01T12:00:01.000Z");
    expect(bus.publisher.published[0]).toMatchObject({
      deadline: request.deadline,
      reply_to: { token: request.replyToken },
    });
    expect(await answer(bus, { sky: "clear" })).toMatchObject({ verdict: "accepted" });
  });
});

describe("a held call", () => {
  it("hands over when it may be held no longer, and the wait goes on where it was", async () => {
    const bus = busInMemory();
    const handedOver = await ask(bus, question, 1_000);
    expect(handedOver).toEqual({
      event_id: handedOver.event_id,
      status: "pending",
      responses: [],
      resume: `/requests/${handedOver.event_id}`,
    });
    const request = await findOwnRequest(bus.deps, handedOver.event_id, "asker");
    const [end] = await Promise.all([
      waitForEnd(bus.deps, request, { holdMs: 100_000 }),
      after(bus.clock, 500, () => answer(bus, { sky: "clear" })),
    ]);
    expect(end).toMatchObject({ kind: "ended", request: { state: "ANSWERED" } });
  });

  it("of no time at all reports a wait whose deadline has passed as timed out, if that is what it is", async () => {
    const bus = busInMemory();
    const { request } = await openRequest(bus.deps, question, sender);
    await bus.clock.pause(11_000);
    expect((await waitForEnd(bus.deps, request, { holdMs: 0 })).request.state).toBe("TIMED_OUT");
  });

  it("never reports a time-out that lost against an answer [wait-4]", async () => {
    const bus = busInMemory();
    const endRequest = bus.store.endRequest.bind(bus.store);
    bus.store.endRequest = async (end) => {
      await answer(bus, { just: "in time" });
      return endRequest(end);
    };
    expect(await ask(bus)).toMatchObject({ status: "answered", response: { just: "in time" } });
  });

  it("backs off from failing reads inside its deadline, and says unavailable if they never come back [wait-5]", async () => {
    const bus = busInMemory();
    const { request } = await openRequest(bus.deps, question, sender);
    const getRequest = bus.store.getRequest.bind(bus.store);
    let failures = 5;
    bus.store.getRequest = (id) => (failures-- > 0 ? Promise.reject(new Error("throttled")) : getRequest(id));
    expect((await waitForEnd(bus.deps, request, { holdMs: 1_000 })).kind).toBe("pending");
    failures = Number.POSITIVE_INFINITY;
    await expect(waitForEnd(bus.deps, request, { holdMs: 1_000 })).rejects.toThrow("throttled");
  });

  it("ends in time although a read hangs", async () => {
    const bus = busInMemory();
    const { request } = await openRequest(bus.deps, question, sender);
    bus.store.getRequest = () => new Promise(() => undefined);
    expect((await waitForEnd(bus.deps, request, { holdMs: 1_000 })).kind).toBe("pending");
    expect(await waitForEnd(bus.deps, request, { holdMs: 100_000 })).toMatchObject({ request: { state: "TIMED_OUT" } });
    expect(bus.clock.nowMs).toBe(Date.parse(request.deadline));
  });

  it("reads less and less often: 2 sqrt(kappa t) apart, and about as often as the best fixed interval would", async () => {
    const gaps = [10, 100, 1_000, 10_000].map(blindGapMs);
    expect(gaps.map(Math.round)).toEqual([20, 45, 141, 447]);
    const bus = busInMemory();
    let reads = 0;
    const getRequest = bus.store.getRequest.bind(bus.store);
    bus.store.getRequest = (id) => {
      reads++;
      return getRequest(id);
    };
    await ask(bus);
    // The integral of 1 / (2 sqrt(kappa t)) from 0 to 10 s is 45.
    expect(reads).toBeGreaterThan(35);
    expect(reads).toBeLessThan(55);
  });
});

describe("only the agent that asked", () => {
  it("may come back to a request or cancel it; to others it does not exist [wait-14]", async () => {
    const bus = busInMemory();
    const { request } = await openRequest(bus.deps, question, sender);
    expect(await codeOf(findOwnRequest(bus.deps, request.eventId, "somebody else"))).toBe("not_found");
    expect(await codeOf(cancelRequest(bus.deps, request.eventId, "somebody else"))).toBe("not_found");
    expect(await codeOf(cancelRequest(bus.deps, "no such id", "asker"))).toBe("not_found");
    expect((await cancelRequest(bus.deps, request.eventId, "asker")).state).toBe("CANCELLED");
  });

  it("ends its wait by cancelling; an answer that comes then is kept and told so [respond-7]", async () => {
    const bus = busInMemory();
    const asked = ask(bus);
    const cancelled = await after(bus.clock, 100, () =>
      cancelRequest(bus.deps, bus.publisher.published[0]?.id ?? "", "asker"),
    );
    expect(await asked).toMatchObject({ status: "cancelled", response: null, missing: ["alice", "bob"] });
    expect(await answer(bus, { sky: "clear" })).toMatchObject({ verdict: "cancelled" });
    expect((await cancelRequest(bus.deps, cancelled.eventId, "asker")).endedAt).toBe(cancelled.endedAt);
  });

  it("cannot cancel what is answered: it gets the answer", async () => {
    const bus = busInMemory();
    const { request } = await openRequest(bus.deps, question, sender);
    await answer(bus, { sky: "clear" });
    expect((await cancelRequest(bus.deps, request.eventId, "asker")).state).toBe("ANSWERED");
  });
});

describe("a streamed wait", () => {
  const stepsOf = async (bus: BusInMemory, request: RequestRecord, holdMs = 100_000) => {
    const steps = [];
    for await (const step of streamRequest(bus.deps, request, { holdMs })) steps.push(step);
    return steps;
  };

  it("shows that it was accepted, progress and answers as they come, and the end", async () => {
    const bus = busInMemory();
    const { request } = await openRequest(bus.deps, { ...question, expect: { mode: "count", count: 2 } }, sender);
    const streamed = stepsOf(bus, request);
    await after(bus.clock, 100, () => answer(bus, { percent: 50 }, { as: "alice", status: "progress" }));
    await after(bus.clock, 1_000, () => answer(bus, { n: 1 }, { as: "alice" }));
    await after(bus.clock, 1_000, () => answer(bus, { n: 2 }, { as: "bob" }));
    const steps = await streamed;
    expect(steps.map(({ event }) => event)).toEqual(["accepted", "progress", "response", "response", "done"]);
    expect(steps[0]?.data).toEqual({
      event_id: request.eventId,
      deadline: request.deadline,
      expected: ["alice", "bob"],
      resume: `/requests/${request.eventId}`,
    });
    expect(steps[1]?.data).toMatchObject({ response: { percent: 50 }, status: "progress" });
    expect(steps[4]?.data).toMatchObject({ status: "answered" });
  });

  it("that is joined again repeats what has come, and hands over as pending", async () => {
    const bus = busInMemory();
    const { request } = await openRequest(bus.deps, question, sender);
    await answer(bus, { percent: 50 }, { status: "progress" });
    const fresh = await findOwnRequest(bus.deps, request.eventId, "asker");
    const steps = await stepsOf(bus, fresh, 500);
    expect(steps.map(({ event }) => event)).toEqual(["accepted", "progress", "done"]);
    expect(steps[2]?.data).toMatchObject({ status: "pending", resume: `/requests/${request.eventId}` });
  });
});
