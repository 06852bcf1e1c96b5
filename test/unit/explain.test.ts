import { describe, expect, it } from "vitest";
import { openAgent } from "../../shared/agents/agent.ts";
import { recordDeadLetter } from "../../shared/deliveries/dead-letters.ts";
import { redrive } from "../../shared/deliveries/redrive.ts";
import { emit } from "../../shared/emit.ts";
import { type ExplainedSubscriber, explainEvent } from "../../shared/explain.ts";
import { showEvent } from "../../shared/history.ts";
import { respond } from "../../shared/respond.ts";
import { changeSubscription, unsubscribe } from "../../shared/subscriptions/subscribe.ts";
import { type BusInMemory, busInMemory } from "../support/bus-in-memory.ts";
import { codeOf } from "../support/failures.ts";
import {
  ack,
  ask,
  EMITTER,
  OWNER,
  publish,
  published,
  queueInput,
  subscribed,
  TYPE,
  takeOne,
  webhookInput,
} from "../support/run-time-bus.ts";
import { accepts, fails, HOOK } from "../support/scripted-webhooks.ts";
import { workDue, workOff } from "../support/webhook-worker.ts";

const DEPLOYED_TYPE = "CONTEXT_REQUESTED";

/** A bus whose deployed subscriber wants events on billing only. */
const filteredBus = () =>
  busInMemory({
    subscribers: [
      {
        name: "alice",
        on: DEPLOYED_TYPE,
        handler: "alice.ts",
        via: "direct",
        filter: { data: { target: ["billing"] } },
      },
    ],
  });

/** What is said of one subscriber. */
async function explained(bus: BusInMemory, eventId: string, name: string): Promise<ExplainedSubscriber> {
  const { subscribers } = await explainEvent(bus.deps, eventId, openAgent(OWNER));
  const found = subscribers.filter(({ subscriber }) => subscriber === name);
  if (found[0] === undefined || found.length > 1) throw new Error(`${name} is named ${found.length} times.`);
  return found[0];
}

describe("of another agent's subscription", () => {
  it("it says whether it got the event, and neither what it wants nor how its endpoint does", async () => {
    const bus = busInMemory();
    await subscribed(bus, webhookInput({ filter: { data: { secret_customer: ["acme"] } } }));
    await subscribed(bus, webhookInput({ name: "failing" }));
    bus.webhooks.script(HOOK, fails(503));
    const eventId = await publish(bus);
    await workOff(bus);
    const { subscribers } = await explainEvent(bus.deps, eventId, openAgent("somebody else"));
    expect(subscribers).toMatchObject([
      { subscriber: "failing", verdict: "dead", delivery: { status: "dead", attempts: 8, log: [] } },
      { subscriber: "hook", verdict: "filtered_out", detail: "Its filter does not take the event." },
    ]);
    const { deliveries } = await showEvent(bus.deps, eventId, openAgent("somebody else"));
    expect(deliveries).toMatchObject([{ subscriber: "failing", status: "dead", log: [] }]);
    for (const told of [subscribers, deliveries]) expect(JSON.stringify(told)).not.toMatch(/acme|secret_customer|503/);
  });
});

describe("why a run-time subscriber did or did not get an event", () => {
  it("delivered: it has it, with the attempts", async () => {
    const bus = busInMemory();
    const id = await subscribed(bus, webhookInput());
    bus.webhooks.script(HOOK, fails(503), accepts());
    const eventId = await publish(bus);
    await workOff(bus);
    expect(await explained(bus, eventId, "hook")).toEqual({
      subscriber: "hook",
      subscription_id: id,
      kind: "webhook",
      verdict: "delivered",
      detail: "It got the event at 2026-06-01T12:00:05.000Z, after 2 attempts.",
      delivery: expect.objectContaining({ status: "delivered", attempts: 2 }),
    });
  });

  it("pending: when the next attempt is, and what came of the last", async () => {
    const bus = busInMemory();
    await subscribed(bus, webhookInput());
    await subscribed(bus, queueInput());
    bus.webhooks.script(HOOK, fails(503));
    const eventId = await publish(bus);
    await workDue(bus);
    const hook = await explained(bus, eventId, "hook");
    expect(hook.verdict).toBe("pending");
    expect(hook.detail).toContain("2026-06-01T12:00:05.000Z");
    expect(hook.detail).toContain("HTTP 503");
    expect(hook.delivery).toMatchObject({ next_attempt_at: "2026-06-01T12:00:05.000Z" });
    expect(await explained(bus, eventId, "queue")).toMatchObject({
      kind: "queue",
      verdict: "pending",
      delivery: { attempts: 0 },
    });
  });

  it("dead: why; redriven, it is pending again", async () => {
    const bus = busInMemory();
    await subscribed(bus, webhookInput());
    bus.webhooks.script(HOOK, fails(503));
    const eventId = await publish(bus);
    await workOff(bus);
    const dead = await explained(bus, eventId, "hook");
    expect(dead).toMatchObject({ verdict: "dead", delivery: { reason: "HTTP 503, at attempt 8, the last" } });
    expect(dead.detail).toContain("HTTP 503, at attempt 8, the last");
    await redrive(bus.deps, {}, openAgent(OWNER));
    expect(await explained(bus, eventId, "hook")).toMatchObject({ verdict: "pending" });
  });

  it("filtered_out: the first field that its filter does not take, what is there and what was expected", async () => {
    const bus = busInMemory();
    await subscribed(bus, queueInput({ filter: { data: { target: ["billing", { prefix: "invoice-" }] } } }));
    const eventId = await publish(bus, { target: "crm" });
    expect(await explained(bus, eventId, "queue")).toMatchObject({
      verdict: "filtered_out",
      detail: '/data/target is "crm"; expected one of "billing", {"prefix":"invoice-"}',
      mismatch: { field: "/data/target", found: ["crm"], expected: ["billing", { prefix: "invoice-" }] },
    });
  });

  it("later: it subscribed after the event, or came back after it", async () => {
    const bus = busInMemory();
    const id = await subscribed(bus, queueInput());
    await changeSubscription(bus.deps, id, { status: "disabled" }, openAgent(OWNER));
    const eventId = await publish(bus);
    await bus.clock.pause(1_000);
    await changeSubscription(bus.deps, id, { status: "active" }, openAgent(OWNER));
    await subscribed(bus, webhookInput());
    for (const name of ["queue", "hook"]) {
      const { verdict, detail } = await explained(bus, eventId, name);
      expect(verdict).toBe("later");
      expect(detail).toContain("2026-06-01T12:00:01.000Z");
    }
  });

  it("later: it had another filter when the event came", async () => {
    const bus = busInMemory();
    const id = await subscribed(bus, queueInput({ filter: { data: { target: ["billing"] } } }));
    const eventId = await publish(bus, { target: "crm" });
    await bus.clock.pause(1_000);
    await changeSubscription(bus.deps, id, { filter: { data: { target: ["crm"] } } }, openAgent(OWNER));
    expect(await explained(bus, eventId, "queue")).toMatchObject({ verdict: "later" });
  });

  it("missed, and not later, although it was changed since in what has nothing to do with it", async () => {
    const bus = busInMemory();
    const id = await subscribed(bus, queueInput({ filter: { data: { target: ["crm"] } } }));
    const event = await published(bus, { target: "crm" });
    await bus.clock.pause(1_000);
    await changeSubscription(bus.deps, id, { target: { visibility: 60 }, answers: false }, openAgent(OWNER));
    expect(await explained(bus, event.id, "queue")).toMatchObject({ verdict: "missed" });
  });

  it("later: it wanted other types when the event came", async () => {
    const bus = busInMemory();
    const id = await subscribed(bus, queueInput({ event_types: ["SESSION_CREATED"] }));
    const eventId = await publish(bus);
    await bus.clock.pause(1_000);
    await changeSubscription(bus.deps, id, { event_types: [TYPE] }, openAgent(OWNER));
    expect(await explained(bus, eventId, "queue")).toMatchObject({ verdict: "later" });
  });

  it("disabled: its subscription is", async () => {
    const bus = busInMemory();
    const id = await subscribed(bus, queueInput());
    await changeSubscription(bus.deps, id, { status: "disabled" }, openAgent(OWNER));
    expect(await explained(bus, await publish(bus), "queue")).toMatchObject({ verdict: "disabled" });
  });

  it("unpublished: the event itself waits to be published", async () => {
    const bus = busInMemory();
    await subscribed(bus, queueInput());
    bus.publisher.failure = "ThrottlingException";
    const { result } = await emit(bus.deps, { type: TYPE, data: {} }, EMITTER);
    expect(await explained(bus, result.event_id, "queue")).toMatchObject({ verdict: "unpublished" });
  });

  it("missed: it fits, and no delivery has begun", async () => {
    const bus = busInMemory();
    await subscribed(bus, queueInput());
    const { id } = await published(bus);
    expect(await explained(bus, id, "queue")).toMatchObject({ verdict: "missed" });
  });

  it("is told of one that is ended, or wants other types by now, by what it did get", async () => {
    const bus = busInMemory();
    const gone = await subscribed(bus, queueInput({ name: "gone" }));
    const moved = await subscribed(bus, queueInput({ name: "moved" }));
    const eventId = await publish(bus);
    await ack(bus, moved, (await takeOne(bus, moved)).receipt);
    await unsubscribe(bus.deps, gone, OWNER);
    await changeSubscription(bus.deps, moved, { event_types: ["SESSION_CREATED"] }, openAgent(OWNER));
    expect(await explained(bus, eventId, "gone")).toMatchObject({
      verdict: "dead",
      delivery: { reason: "subscription_deleted" },
    });
    expect(await explained(bus, eventId, "moved")).toMatchObject({ verdict: "delivered" });
  });
});

describe("why a deployed subscriber did or did not get an event", () => {
  it("sent: it fits, and EventBridge has the event for it; answered: it has answered", async () => {
    const bus = busInMemory();
    const request = await ask(bus, { type: DEPLOYED_TYPE });
    expect(await explained(bus, request.eventId, "alice")).toMatchObject({
      subscription_id: "deployed:alice",
      kind: "deployed",
      verdict: "sent",
    });
    await respond(
      bus.deps,
      request.eventId,
      { response: {}, reply_token: request.replyToken },
      { agent: openAgent("local"), as: "alice" },
    );
    expect(await explained(bus, request.eventId, "alice")).toMatchObject({ verdict: "answered" });
    expect(await explained(bus, request.eventId, "bob")).toMatchObject({ verdict: "sent" });
  });

  it("filtered_out: its filter does not fit", async () => {
    const bus = filteredBus();
    const eventId = await publish(bus, { target: "crm" }, DEPLOYED_TYPE);
    expect(await explained(bus, eventId, "alice")).toMatchObject({
      verdict: "filtered_out",
      mismatch: { field: "/data/target", found: ["crm"] },
    });
  });

  it("unpublished: the event itself waits to be published", async () => {
    const bus = busInMemory();
    bus.publisher.failure = "ThrottlingException";
    const { result } = await emit(bus.deps, { type: DEPLOYED_TYPE, data: {} }, EMITTER);
    expect(await explained(bus, result.event_id, "alice")).toMatchObject({ verdict: "unpublished" });
  });

  it("dead: it was given up; redriven: it was handed over again", async () => {
    const bus = busInMemory();
    const eventId = await publish(bus, {}, DEPLOYED_TYPE);
    const event = { id: eventId, type: DEPLOYED_TYPE };
    await recordDeadLetter(bus.deps, { subscriber: "alice", event, reason: "it threw", attempts: 5 });
    expect(await explained(bus, eventId, "alice")).toMatchObject({
      verdict: "dead",
      detail: "It could not be delivered: it threw (5 attempts).",
    });
    await redrive(bus.deps, {}, openAgent(OWNER));
    expect(await explained(bus, eventId, "alice")).toMatchObject({ verdict: "redriven" });
  });
});

describe("the explanation of an event", () => {
  it("names every subscriber of its type and nobody else, by name, with the wait and the answers", async () => {
    const bus = busInMemory();
    await subscribed(bus, queueInput({ name: "amber", event_types: [DEPLOYED_TYPE] }));
    await subscribed(bus, queueInput({ name: "zoe", event_types: [DEPLOYED_TYPE] }), "other");
    await subscribed(bus, queueInput({ name: "elsewhere" }));
    const request = await ask(bus, { type: DEPLOYED_TYPE });
    const answer = { response: { sky: "clear" }, reply_token: request.replyToken };
    await respond(bus.deps, request.eventId, answer, { agent: openAgent("local"), as: "bob" });
    const explanation = await explainEvent(bus.deps, request.eventId, openAgent(OWNER));
    expect(explanation.subscribers.map(({ subscriber }) => subscriber)).toEqual([
      "alice",
      "amber",
      "bob",
      "watcher",
      "zoe",
    ]);
    expect(explanation).toMatchObject({
      event_id: request.eventId,
      type: DEPLOYED_TYPE,
      request: { status: "answered", expected: ["alice", "bob"] },
      responses: [{ response: { sky: "clear" }, responder: "bob", verdict: "accepted" }],
    });
    expect(JSON.stringify(explanation)).not.toContain(request.replyToken);
  });

  it("of an event that nobody wants, nor waits for, says so [emit-16]", async () => {
    const bus = busInMemory();
    const eventId = await publish(bus);
    expect(await explainEvent(bus.deps, eventId, openAgent(OWNER))).toEqual({
      event_id: eventId,
      type: TYPE,
      subscribers: [],
      request: null,
      responses: [],
    });
  });

  it("of an event that there is not is refused", async () => {
    expect(await codeOf(explainEvent(busInMemory().deps, "nothing", openAgent(OWNER)))).toBe("not_found");
  });
});
