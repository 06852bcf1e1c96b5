import { describe, expect, it } from "vitest";
import { openAgent } from "../../../shared/agents/agent.ts";
import { acknowledge, keepHidden } from "../../../shared/deliveries/message-receipts.ts";
import { MAX_EXPECTED } from "../../../shared/limits.ts";
import { openRequest } from "../../../shared/request.ts";
import { describeOutcome } from "../../../shared/request-outcome.ts";
import { respond } from "../../../shared/respond.ts";
import { changeSubscription, unsubscribe } from "../../../shared/subscriptions/subscribe.ts";
import { waitForEnd } from "../../../shared/wait.ts";
import { after, type BusInMemory, busInMemory } from "../../support/bus-in-memory.ts";
import { codeOf, failureOf } from "../../support/failures.ts";
import {
  ask,
  EMITTER,
  OWNER,
  queueInput,
  subscribed,
  TYPE,
  take,
  takeOne,
  webhookInput,
} from "../../support/run-time-bus.ts";

const question = { type: TYPE, data: {}, timeout: 60 };

/** Who is expected to answer a question that is asked now. */
async function expectedNow({ deps }: BusInMemory, change: object = {}): Promise<readonly string[]> {
  const { request } = await openRequest(deps, { ...question, require_subscribers: false, ...change }, EMITTER);
  return request.expected;
}

describe("a queue", () => {
  it("that nobody polls cannot answer: who asks is told at once, although events are kept for it", async () => {
    const bus = busInMemory();
    const id = await subscribed(bus, queueInput());
    expect(await codeOf(openRequest(bus.deps, question, EMITTER))).toBe("no_subscribers");
    await ask(bus, { require_subscribers: false });
    expect(await take(bus, id)).toHaveLength(1);
  });

  it("that is polled counts for 30 s after the time that the poll was to wait, and no longer", async () => {
    const bus = busInMemory();
    const id = await subscribed(bus, queueInput());
    const start = bus.clock.nowMs;
    const at = async (ms: number) => {
      await bus.clock.pause(start + ms - bus.clock.nowMs);
      return expectedNow(bus);
    };
    // The first poll ends at once; what it was to wait for counts all the same.
    const gone = AbortSignal.abort();
    await take(bus, id, { waitMs: 20_000, signal: gone });
    expect(await at(49_999)).toEqual(["queue"]);
    expect(await at(50_000)).toEqual([]);
    await take(bus, id);
    expect(await at(79_999)).toEqual(["queue"]);
    expect(await at(80_000)).toEqual([]);
  });

  it("counts while somebody waits at it", async () => {
    const bus = busInMemory();
    const id = await subscribed(bus, queueInput());
    const [, during] = await Promise.all([
      take(bus, id, { waitMs: 20_000 }),
      after(bus.clock, 5_000, () => expectedNow(bus)),
    ]);
    expect(during).toEqual(["queue"]);
  });

  it("counts while somebody who does not poll keeps its messages hidden, and for 30 s after", async () => {
    const bus = busInMemory();
    const id = await subscribed(bus, queueInput());
    await ask(bus, { require_subscribers: false });
    const { receipt } = await takeOne(bus, id);
    await bus.clock.pause(29_000);
    await keepHidden(bus.deps, id, OWNER, [receipt], 60_000);
    await bus.clock.pause(29_999);
    expect(await expectedNow(bus)).toEqual(["queue"]);
    await bus.clock.pause(1);
    expect(await expectedNow(bus)).toEqual([]);
  });

  it("counts for all of its types, and for no other", async () => {
    const bus = busInMemory();
    const id = await subscribed(bus, queueInput({ event_types: [TYPE, "SESSION_CREATED"] }));
    await take(bus, id);
    expect(await expectedNow(bus)).toEqual(["queue"]);
    expect(await expectedNow(bus, { type: "SESSION_CREATED" })).toEqual(["queue"]);
    expect(await expectedNow(bus, { type: "SESSION_UPDATED" })).toEqual([]);
  });

  it("does not count any more once it is disabled, ended, an observer, or does not want the type", async () => {
    const changes: ((bus: BusInMemory, id: string) => Promise<unknown>)[] = [
      ({ deps }, id) => changeSubscription(deps, id, { status: "disabled" }, openAgent(OWNER)),
      ({ deps }, id) => changeSubscription(deps, id, { answers: false }, openAgent(OWNER)),
      ({ deps }, id) => changeSubscription(deps, id, { event_types: ["SESSION_CREATED"] }, openAgent(OWNER)),
      ({ deps }, id) => unsubscribe(deps, id, OWNER),
    ];
    for (const change of changes) {
      const bus = busInMemory();
      const id = await subscribed(bus, queueInput());
      await take(bus, id);
      expect(await expectedNow(bus)).toEqual(["queue"]);
      await change(bus, id);
      expect(await expectedNow(bus)).toEqual([]);
    }
  });

  it("of an observer is never counted, however it is polled", async () => {
    const bus = busInMemory();
    const id = await subscribed(bus, queueInput({ answers: false }));
    await take(bus, id);
    expect(await codeOf(openRequest(bus.deps, question, EMITTER))).toBe("no_subscribers");
    expect(await bus.store.getListeners(TYPE, bus.clock.nowMs)).toEqual([]);
  });
});

describe("a webhook", () => {
  it("can always answer, unless it observes or is disabled", async () => {
    const bus = busInMemory();
    const id = await subscribed(bus, webhookInput());
    await subscribed(bus, webhookInput({ name: "observer", answers: false }));
    expect(await expectedNow(bus)).toEqual(["hook"]);
    await changeSubscription(bus.deps, id, { status: "disabled" }, openAgent(OWNER));
    expect(await codeOf(openRequest(bus.deps, question, EMITTER))).toBe("no_subscribers");
  });
});

describe("filters", () => {
  it("decide about each question who can answer it", async () => {
    const bus = busInMemory();
    await subscribed(bus, webhookInput({ name: "billing", filter: { data: { target: ["billing"] } } }));
    const id = await subscribed(bus, queueInput({ name: "crm", filter: { data: { target: ["crm"] } } }));
    await take(bus, id);
    expect(await expectedNow(bus, { data: { target: "billing" } })).toEqual(["billing"]);
    expect(await expectedNow(bus, { data: { target: "crm" } })).toEqual(["crm"]);
    expect(await codeOf(openRequest(bus.deps, question, EMITTER))).toBe("no_subscribers");
  });
});

describe("a question to all", () => {
  it("is answered once deployed subscribers, webhooks and queues that are polled all have", async () => {
    const bus = busInMemory();
    const type = "CONTEXT_REQUESTED";
    await subscribed(bus, webhookInput({ event_types: [type] }));
    const id = await subscribed(bus, queueInput({ event_types: [type] }));
    await take(bus, id);
    const request = await ask(bus, { type, expect: { mode: "all" } });
    expect(request.expected).toEqual(["alice", "bob", "hook", "queue"]);
    const { event, receipt } = await takeOne(bus, id);
    const answerAs = (as: string) =>
      respond(
        bus.deps,
        event.id,
        { response: { from: as }, reply_token: event.reply_to.token },
        { agent: openAgent(OWNER), as },
      );
    for (const name of ["hook", "alice", "bob"]) await answerAs(name);
    expect((await bus.store.getRequest(event.id))?.state).toBe("PENDING");
    await answerAs("queue");
    await acknowledge(bus.deps, id, OWNER, [receipt]);
    const { request: ended } = await waitForEnd(bus.deps, request, { holdMs: 100_000 });
    expect(await describeOutcome(bus.deps, ended)).toMatchObject({ status: "answered", missing: [] });
  });

  it("that times out names who is missing", async () => {
    const bus = busInMemory();
    await subscribed(bus, webhookInput());
    const id = await subscribed(bus, queueInput());
    await take(bus, id);
    const request = await ask(bus, { expect: { mode: "all" }, timeout: 5 });
    const { request: ended } = await waitForEnd(bus.deps, request, { holdMs: 100_000 });
    expect(await describeOutcome(bus.deps, ended)).toMatchObject({ status: "timed_out", missing: ["hook", "queue"] });
  });

  it("is refused where more could answer than can be waited for; the first of them can be", async () => {
    const bus = busInMemory();
    await Promise.all(
      Array.from({ length: MAX_EXPECTED + 1 }, (_, i) => subscribed(bus, webhookInput({ name: `hook ${i}` }))),
    );
    const failure = await failureOf(openRequest(bus.deps, { ...question, expect: { mode: "all" } }, EMITTER));
    expect(failure.errors).toMatchObject([{ pointer: "/expect" }]);
    expect(await expectedNow(bus)).toHaveLength(MAX_EXPECTED);
  });
});
