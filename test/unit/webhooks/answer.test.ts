import { describe, expect, it } from "vitest";
import { openAgent } from "../../../shared/agents/agent.ts";
import { BusError } from "../../../shared/errors.ts";
import { showEvent } from "../../../shared/history.ts";
import { describeOutcome } from "../../../shared/request-outcome.ts";
import { respond } from "../../../shared/respond.ts";
import { busInMemory } from "../../support/bus-in-memory.ts";
import { ask, publish, subscribed, webhookInput } from "../../support/run-time-bus.ts";
import { accepts, HOOK, type Reply } from "../../support/scripted-webhooks.ts";
import { workDue, workOff } from "../../support/webhook-worker.ts";

/** A question to a webhook, that is called with it and says what it is told to. */
async function asked(reply: Reply, change: object = {}, question: object = {}) {
  const bus = busInMemory();
  await subscribed(bus, webhookInput(change));
  bus.webhooks.script(HOOK, reply);
  const request = await ask(bus, { require_subscribers: false, ...question });
  await workDue(bus);
  const outcome = async () => describeOutcome(bus.deps, (await bus.store.getRequest(request.eventId)) ?? request);
  const delivery = async () => (await bus.store.getDeliveries(request.eventId))[0];
  return { bus, request, outcome, delivery };
}

describe("what a webhook's endpoint returns", () => {
  it("is the answer to the question, in the name of the subscription", async () => {
    const { outcome, delivery } = await asked(accepts({ response: { approved: true } }));
    expect(await outcome()).toMatchObject({
      status: "answered",
      response: { approved: true },
      responses: [{ responder: "hook", status: "ok" }],
    });
    expect(await delivery()).toMatchObject({
      state: "DELIVERED",
      log: [{ outcome: "HTTP 200; its answer is accepted" }],
    });
  });

  it("may be a rejection", async () => {
    const { outcome } = await asked(accepts({ response: { why: "no" }, status: "rejected" }));
    expect(await outcome()).toMatchObject({ status: "failed", response: { why: "no" } });
  });

  it("is the answer to an event that nobody waits for, too", async () => {
    const bus = busInMemory();
    await subscribed(bus, webhookInput());
    bus.webhooks.script(HOOK, accepts({ response: { noted: true } }));
    const eventId = await publish(bus);
    await workDue(bus);
    expect((await showEvent(bus.deps, eventId, openAgent("agent"))).responses).toMatchObject([
      { response: { noted: true }, responder: "hook", verdict: "accepted" },
    ]);
  });

  it.each([
    ["nothing", accepts()],
    ["a text", accepts("thanks")],
    ["JSON that is no object", accepts("[1]")],
    ["an object without a response", accepts({ ok: true })],
  ])("is no answer when it is %s, and the delivery is done", async (_, reply) => {
    const { outcome, delivery, bus, request } = await asked(reply);
    expect(await outcome()).toMatchObject({ status: "pending" });
    expect(await bus.store.getResponses(request.eventId)).toEqual([]);
    expect(await delivery()).toMatchObject({ state: "DELIVERED", log: [{ outcome: "HTTP 200" }] });
  });

  it.each([
    ["a response that is no object", accepts({ response: "yes" }), "/response: an object was expected"],
    ["JSON that the bus does not take", accepts('{"response": {}, "response": {}}'), "each key once"],
  ])("is no answer when it is %s, and the delivery says why", async (_, reply, why) => {
    const { outcome, delivery, bus, request } = await asked(reply);
    expect(await outcome()).toMatchObject({ status: "pending" });
    expect(await bus.store.getResponses(request.eventId)).toEqual([]);
    expect(await delivery()).toMatchObject({ state: "DELIVERED", log: [{ outcome: expect.stringContaining(why) }] });
  });

  it("is no answer when it observes", async () => {
    const { bus, request, delivery } = await asked(accepts({ response: { approved: true } }), { answers: false });
    expect(await bus.store.getResponses(request.eventId)).toEqual([]);
    expect(await delivery()).toMatchObject({ state: "DELIVERED", log: [{ outcome: "HTTP 200" }] });
  });

  it.each([
    ["is larger than an answer may be", { response: { text: "x".repeat(200 * 1024) } }],
    ["has a status that there is not", { response: {}, status: "maybe" }],
    ["reports progress, which has no place there", { response: { done: 0.5 }, status: "progress" }],
  ])("and is refused because it %s is noted, and the delivery is done", async (_, body) => {
    const { bus, outcome, delivery, request } = await asked(accepts(body));
    expect(await outcome()).toMatchObject({ status: "pending" });
    expect(await bus.store.getResponses(request.eventId)).toEqual([]);
    expect(await delivery()).toMatchObject({
      state: "DELIVERED",
      log: [{ outcome: expect.stringMatching(/^HTTP 200; its answer was refused: ./) }],
    });
  });

  it("after somebody else has answered is kept, and said to be superseded", async () => {
    const bus = busInMemory();
    await subscribed(bus, webhookInput());
    bus.webhooks.script(HOOK, accepts({ response: { from: "hook" } }));
    const { eventId, replyToken } = await ask(bus);
    await respond(
      bus.deps,
      eventId,
      { response: { from: "first" }, reply_token: replyToken },
      { agent: openAgent("first") },
    );
    await workDue(bus);
    expect(await bus.store.getDeliveries(eventId)).toMatchObject([
      { log: [{ outcome: "HTTP 200; its answer is superseded" }] },
    ]);
    expect((await showEvent(bus.deps, eventId, openAgent("agent"))).responses).toMatchObject([
      { response: { from: "first" }, verdict: "accepted" },
      { response: { from: "hook" }, verdict: "superseded" },
    ]);
  });

  it("counts once although the endpoint is called again because its success could not be written down", async () => {
    const bus = busInMemory();
    await subscribed(bus, webhookInput());
    bus.webhooks.script(HOOK, accepts({ response: { approved: true } }));
    const request = await ask(bus, { expect: { mode: "count", count: 2 }, timeout: 600 });
    const replace = bus.store.replaceDelivery.bind(bus.store);
    let writes = 0;
    bus.store.replaceDelivery = (next, seen) =>
      ++writes === 2 ? Promise.reject(new Error("killed")) : replace(next, seen);
    await workOff(bus, 300_000);
    expect(bus.webhooks.calls).toHaveLength(2);
    const responses = await bus.store.getResponses(request.eventId);
    expect(responses).toHaveLength(1);
    expect((await bus.store.getRequest(request.eventId))?.acceptedIds).toHaveLength(1);
    expect(await bus.store.getDeliveries(request.eventId)).toMatchObject([
      { state: "DELIVERED", attempts: 2, log: [{ outcome: "HTTP 200; its answer is accepted" }] },
    ]);
  });

  it("differently when it is called again does not replace its first answer", async () => {
    const bus = busInMemory();
    await subscribed(bus, webhookInput());
    bus.webhooks.script(HOOK, accepts({ response: { n: 1 } }), accepts({ response: { n: 2 } }));
    const request = await ask(bus, { timeout: 600 });
    const replace = bus.store.replaceDelivery.bind(bus.store);
    let writes = 0;
    bus.store.replaceDelivery = (next, seen) =>
      ++writes === 2 ? Promise.reject(new Error("killed")) : replace(next, seen);
    await workOff(bus, 300_000);
    expect(await bus.store.getResponses(request.eventId)).toMatchObject([{ response: { n: 1 } }]);
    expect(await bus.store.getDeliveries(request.eventId)).toMatchObject([
      { state: "DELIVERED", log: [{ outcome: expect.stringContaining("its answer was refused") }] },
    ]);
  });

  it("is taken when it could not be stored at first: the endpoint is called again", async () => {
    const bus = busInMemory();
    await subscribed(bus, webhookInput());
    bus.webhooks.script(HOOK, accepts({ response: { approved: true } }));
    const request = await ask(bus, { timeout: 600 });
    const put = bus.store.putResponse.bind(bus.store);
    bus.store.putResponse = async () => {
      bus.store.putResponse = put;
      throw new BusError("unavailable", "The store is throttled.");
    };
    await workOff(bus, 300_000);
    expect(bus.webhooks.calls).toHaveLength(2);
    expect((await bus.store.getRequest(request.eventId))?.state).toBe("ANSWERED");
  });
});
