import { describe, expect, it } from "vitest";
import { openAgent } from "../../shared/agents/agent.ts";
import { emit } from "../../shared/emit.ts";
import { endRequest } from "../../shared/end-request.ts";
import { showEvent } from "../../shared/history.ts";
import { MAX_COUNTED_ANSWERS, MAX_EVENT_BYTES, MAX_UNCOUNTED_RESPONSES } from "../../shared/limits.ts";
import { openRequest } from "../../shared/request.ts";
import { respond } from "../../shared/respond.ts";
import { busInMemory } from "../support/bus-in-memory.ts";
import { codeOf, failureOf } from "../support/failures.ts";

const question = { type: "CONTEXT_REQUESTED", data: {}, timeout: 10 };

async function askedBus(more: object = {}) {
  const bus = busInMemory();
  const { request } = await openRequest(bus.deps, { ...question, ...more }, { agent: openAgent("asker") });
  const answer = (body: object, as?: string) =>
    respond(
      bus.deps,
      request.eventId,
      { response: { n: 1 }, reply_token: request.replyToken, ...body },
      { agent: openAgent("answerer"), as },
    );
  return { bus, request, answer, deps: bus.deps };
}

describe("an answer", () => {
  it("that is first wins, and 31 that race with it are told that they did not [respond-6, wait-12]", async () => {
    const { answer, deps, request } = await askedBus();
    const verdicts = await Promise.all(Array.from({ length: 32 }, (_, n) => answer({ response: { n } })));
    expect(verdicts.filter(({ verdict }) => verdict === "accepted")).toHaveLength(1);
    expect(verdicts.filter(({ verdict }) => verdict === "superseded")).toHaveLength(31);
    const shown = await showEvent(deps, request.eventId, openAgent("agent"));
    expect(shown.responses).toHaveLength(32);
    expect(shown.responses.filter(({ verdict }) => verdict === "accepted")).toHaveLength(1);
  });

  it("after the time-out is late, and stays readable [respond-7]", async () => {
    const { answer, deps, request } = await askedBus();
    await endRequest(deps, request.eventId, "TIMED_OUT");
    expect(await answer({})).toMatchObject({ verdict: "late" });
    expect((await showEvent(deps, request.eventId, openAgent("agent"))).responses).toMatchObject([
      { response: { n: 1 }, verdict: "late" },
    ]);
  });

  it("after the deadline still counts while nobody has ended the request [respond-10]", async () => {
    const { answer, bus } = await askedBus();
    await bus.clock.pause(20_000);
    expect(await answer({})).toMatchObject({ verdict: "accepted", late: true });
  });

  it("that is repeated is recognised, and told what came of it", async () => {
    const { answer } = await askedBus();
    expect(await answer({ response_id: "mine" })).toMatchObject({ verdict: "accepted", response_id: "mine" });
    expect(await answer({ response_id: "mine" })).toMatchObject({ verdict: "replayed", first_verdict: "accepted" });
    expect(await answer({ response_id: "other" })).toMatchObject({ verdict: "superseded" });
    expect(await answer({ response_id: "other" })).toMatchObject({ verdict: "replayed", first_verdict: "superseded" });
  });

  it("under an id that another answer has is refused [respond-8]", async () => {
    const { answer } = await askedBus();
    await answer({ response_id: "mine" });
    expect(await codeOf(answer({ response_id: "mine", response: { n: 2 } }))).toBe("response_conflict");
    expect(await codeOf(answer({ response_id: "mine", status: "rejected" }))).toBe("response_conflict");
  });

  it("whose second write was lost in a crash is completed by its repetition [respond-4]", async () => {
    const { answer, bus, request } = await askedBus();
    const acceptAnswer = bus.store.acceptAnswer.bind(bus.store);
    bus.store.acceptAnswer = () => Promise.reject(new Error("crashed"));
    await expect(answer({ response_id: "mine" })).rejects.toThrow("crashed");
    bus.store.acceptAnswer = acceptAnswer;
    expect((await showEvent(bus.deps, request.eventId, openAgent("agent"))).responses).toMatchObject([
      { verdict: null },
    ]);
    expect(await answer({ response_id: "mine" })).toMatchObject({ verdict: "accepted" });
    expect(await bus.store.getRequest(request.eventId)).toMatchObject({ state: "ANSWERED", acceptedIds: ["mine"] });
  });

  it("whose second write was lost counts also when what is sent again differs; the difference is refused", async () => {
    const { answer, bus, request } = await askedBus();
    const acceptAnswer = bus.store.acceptAnswer.bind(bus.store);
    bus.store.acceptAnswer = () => Promise.reject(new Error("crashed"));
    await expect(answer({ response_id: "mine", response: { draft: 1 } })).rejects.toThrow("crashed");
    bus.store.acceptAnswer = acceptAnswer;
    expect(await codeOf(answer({ response_id: "mine", response: { draft: 2 } }))).toBe("response_conflict");
    expect(await bus.store.getRequest(request.eventId)).toMatchObject({ state: "ANSWERED", acceptedIds: ["mine"] });
  });

  it("whose acknowledgement was lost has won all the same [respond-5]", async () => {
    const { answer, bus } = await askedBus();
    const acceptAnswer = bus.store.acceptAnswer.bind(bus.store);
    // As an SDK does: the first try gets through unheard, the second is refused by its own effect.
    bus.store.acceptAnswer = async (accepted) => {
      await acceptAnswer(accepted);
      return acceptAnswer(accepted);
    };
    expect(await answer({})).toMatchObject({ verdict: "accepted" });
  });

  it("to an event that nobody waits for is stored", async () => {
    const { deps, publisher } = busInMemory();
    const { result } = await emit(deps, { type: "MESSAGE_RECEIVED", data: {} }, { agent: openAgent("emitter") });
    const reply_token = publisher.published[0]?.reply_to.token;
    expect(
      await respond(
        deps,
        result.event_id,
        { response: { seen: true }, reply_token },
        { agent: openAgent("reader"), as: "reader-1" },
      ),
    ).toMatchObject({
      verdict: "accepted",
    });
    expect((await showEvent(deps, result.event_id, openAgent("agent"))).responses).toMatchObject([
      { responder: "reader-1", verdict: "accepted" },
    ]);
  });
});

describe("progress", () => {
  it("is noted and never ends the wait; after the end it is told so", async () => {
    const { answer, deps, request, bus } = await askedBus();
    expect(await answer({ status: "progress" })).toMatchObject({ verdict: "accepted" });
    expect(await bus.store.getRequest(request.eventId)).toMatchObject({
      state: "PENDING",
      progressCount: 1,
      acceptedIds: [],
    });
    await bus.clock.pause(1_000);
    await answer({});
    await bus.clock.pause(1_000);
    expect(await answer({ status: "progress", response_id: "p" })).toMatchObject({ verdict: "superseded" });
    expect(
      (await showEvent(deps, request.eventId, openAgent("agent"))).responses.map(({ status, verdict }) => [
        status,
        verdict,
      ]),
    ).toEqual([
      ["progress", "accepted"],
      ["ok", "accepted"],
      ["progress", "superseded"],
    ]);
  });
});

describe("who may answer", () => {
  it("needs the event's own token; a forged or swapped one leaves no trace [respond-2]", async () => {
    const { answer, deps, request } = await askedBus();
    const other = await openRequest(deps, question, { agent: openAgent("asker") });
    for (const reply_token of ["forged", other.request.replyToken, request.replyToken.toUpperCase()])
      expect(await codeOf(answer({ reply_token }))).toBe("forbidden");
    expect((await showEvent(deps, request.eventId, openAgent("agent"))).responses).toEqual([]);
    expect(await answer({})).toMatchObject({ verdict: "accepted" });
  });

  it("includes who got an emitted event whose key had been used for a request that was never completed", async () => {
    const bus = busInMemory();
    const keyed = { agent: openAgent("agent"), idempotencyKey: "k" };
    const putEvent = bus.store.putEvent.bind(bus.store);
    bus.store.putEvent = () => Promise.reject(new Error("crashed"));
    await expect(openRequest(bus.deps, question, keyed)).rejects.toThrow("crashed");
    bus.store.putEvent = putEvent;
    const { result } = await emit(bus.deps, { type: "CONTEXT_REQUESTED", data: {} }, keyed);
    const reply_token = bus.publisher.published[0]?.reply_to.token;
    const verdict = await respond(
      bus.deps,
      result.event_id,
      { response: {}, reply_token },
      { agent: openAgent("reader") },
    );
    expect(verdict.verdict).toBe("accepted");
  });

  it("is told that an event does not exist [respond-1]", async () => {
    const { deps } = busInMemory();
    expect(await codeOf(respond(deps, "nothing", { response: {}, reply_token: "t" }, { agent: openAgent("x") }))).toBe(
      "not_found",
    );
  });

  it("cannot flood an event that nobody waits for any more, but may repeat what is stored [respond-11]", async () => {
    const { answer } = await askedBus();
    await answer({});
    for (let i = 1; i <= MAX_UNCOUNTED_RESPONSES; i++) await answer({ response_id: `r${i}` });
    const refused = await failureOf(answer({}));
    expect([refused.code, refused.retryable]).toEqual(["rate_limited", false]);
    expect(await answer({ response_id: "r1" })).toMatchObject({ verdict: "replayed" });
  });
});

describe("several subscribers", () => {
  const askAll = () => askedBus({ expect: { mode: "all" } });

  it("that give the same answer under the same id are told apart", async () => {
    const { answer, bus, request } = await askAll();
    expect(await answer({ response_id: "yes" }, "alice")).toMatchObject({ verdict: "accepted" });
    expect(await codeOf(answer({ response_id: "yes" }, "bob"))).toBe("response_conflict");
    expect(await bus.store.getRequest(request.eventId)).toMatchObject({ state: "PENDING", answeredBy: ["alice"] });
  });

  it("do not get credit for each other's answers that a crash kept from counting", async () => {
    const { answer, bus, request } = await askAll();
    const acceptAnswer = bus.store.acceptAnswer.bind(bus.store);
    bus.store.acceptAnswer = () => Promise.reject(new Error("crashed"));
    await expect(answer({ response_id: "yes" }, "alice")).rejects.toThrow("crashed");
    bus.store.acceptAnswer = acceptAnswer;
    expect(await codeOf(answer({ response_id: "yes" }, "bob"))).toBe("response_conflict");
    expect(await bus.store.getRequest(request.eventId)).toMatchObject({ answeredBy: ["alice"] });
  });

  it("that race are counted with few writes in vain", async () => {
    const bus = busInMemory();
    const { request } = await openRequest(
      bus.deps,
      { ...question, expect: { mode: "count", count: 100 } },
      { agent: openAgent("asker") },
    );
    let writes = 0;
    const acceptAnswer = bus.store.acceptAnswer.bind(bus.store);
    bus.store.acceptAnswer = (answer) => {
      writes++;
      return acceptAnswer(answer);
    };
    const body = { response: {}, reply_token: request.replyToken };
    const verdicts = await Promise.all(
      Array.from({ length: 100 }, () => respond(bus.deps, request.eventId, body, { agent: openAgent("answerer") })),
    );
    expect(verdicts.every(({ verdict }) => verdict === "accepted")).toBe(true);
    expect(await bus.store.getRequest(request.eventId)).toMatchObject({ state: "ANSWERED" });
    expect(writes).toBeLessThan(1_000);
  });

  it("and strangers cannot fill a request that waits for one who is silent", async () => {
    const { answer, bus, request } = await askAll();
    for (let i = 0; i < MAX_COUNTED_ANSWERS; i++) await answer({});
    expect(await codeOf(answer({}))).toBe("rate_limited");
    await answer({}, "alice");
    expect(await answer({}, "bob")).toMatchObject({ verdict: "accepted" });
    expect((await bus.store.getRequest(request.eventId))?.state).toBe("ANSWERED");
  });
});

describe("bad input", () => {
  it.each([
    ["no response", { response: undefined }, "/response", "invalid_request"],
    ["a response that is no object", { response: "yes" }, "/response", "invalid_request"],
    ["no token", { reply_token: undefined }, "/reply_token", "invalid_request"],
    ["an unknown status", { status: "maybe" }, "/status", "invalid_request"],
    ["an unknown field", { verdict: "accepted" }, "/verdict", "invalid_request"],
    ["an empty id", { response_id: "" }, "/response_id", "invalid_request"],
    [
      "a progress report of more than 16 KiB",
      { status: "progress", response: { text: "x".repeat(16 * 1024) } },
      "/response",
      "payload_too_large",
    ],
    ["too much", { response: { text: "x".repeat(MAX_EVENT_BYTES) } }, "/response", "payload_too_large"],
  ])("%s names the field and leaves the request open", async (_title, change, pointer, code) => {
    const { bus, request, deps } = await askedBus();
    const body = JSON.parse(JSON.stringify({ response: { n: 1 }, reply_token: request.replyToken, ...change }));
    const failure = await failureOf(respond(deps, request.eventId, body, { agent: openAgent("answerer") }));
    expect([failure.code, failure.errors[0]?.pointer]).toEqual([code, pointer]);
    expect((await bus.store.getRequest(request.eventId))?.state).toBe("PENDING");
  });
});
