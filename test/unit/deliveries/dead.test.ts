import { describe, expect, it } from "vitest";
import { openAgent } from "../../../shared/agents/agent.ts";
import { recordDeadLetter } from "../../../shared/deliveries/dead-letters.ts";
import { type DeliveryPage, listDead } from "../../../shared/deliveries/list-dead.ts";
import { showEvent } from "../../../shared/history.ts";
import { unsubscribe } from "../../../shared/subscriptions/subscribe.ts";
import { type BusInMemory, busInMemory } from "../../support/bus-in-memory.ts";
import { failureOf } from "../../support/failures.ts";
import { OWNER, publish, queueInput, subscribed, TYPE, webhookInput } from "../../support/run-time-bus.ts";
import { fails, HOOK } from "../../support/scripted-webhooks.ts";
import { workOff } from "../../support/webhook-worker.ts";

const REFUSED = "HTTP 503, at attempt 8, the last";

/** An event whose delivery to every webhook is given up. @returns its id */
async function deadEvent(bus: BusInMemory): Promise<string> {
  bus.webhooks.script(HOOK, fails(503));
  const eventId = await publish(bus);
  await workOff(bus);
  return eventId;
}

const deadLetter = async (bus: BusInMemory, subscriber = "alice", reason = "it threw") => {
  const eventId = await publish(bus, {}, "CONTEXT_REQUESTED");
  await recordDeadLetter(bus.deps, {
    subscriber,
    event: { id: eventId, type: "CONTEXT_REQUESTED" },
    reason,
    attempts: 5,
  });
  return eventId;
};

async function allPages(bus: BusInMemory, query: Record<string, string>, owner = OWNER) {
  const pages: DeliveryPage[] = [];
  for (let cursor: string | null = ""; cursor !== null; ) {
    const page: DeliveryPage = await listDead(
      bus.deps,
      { ...query, ...(cursor === "" ? {} : { cursor }) },
      openAgent(owner),
    );
    pages.push(page);
    cursor = page.next_cursor;
  }
  return { pages, deliveries: pages.flatMap(({ deliveries }) => deliveries) };
}

describe("dead deliveries", () => {
  it("are listed with their event, subscriber, reason and attempts", async () => {
    const bus = busInMemory();
    const id = await subscribed(bus, webhookInput());
    const eventId = await deadEvent(bus);
    const { deliveries, next_cursor } = await listDead(bus.deps, {}, openAgent(OWNER));
    expect(next_cursor).toBeNull();
    expect(deliveries).toEqual([
      {
        event_id: eventId,
        event_type: TYPE,
        subscription_id: id,
        subscriber: "hook",
        kind: "webhook",
        status: "dead",
        attempts: 8,
        created_at: "2026-06-01T12:00:00.000Z",
        ended_at: expect.any(String),
        reason: REFUSED,
        log: Array(8).fill({ at: expect.any(String), outcome: "HTTP 503", elapsed_ms: 12 }),
      },
    ]);
    expect((await showEvent(bus.deps, eventId, openAgent(OWNER))).deliveries).toMatchObject([
      { status: "dead", reason: REFUSED },
    ]);
  });

  it("are listed of all one's subscriptions, ended ones too, and of the deployed subscribers; not of other agents", async () => {
    const bus = busInMemory();
    const hook = await subscribed(bus, webhookInput());
    const queue = await subscribed(bus, queueInput());
    await subscribed(bus, webhookInput({ name: "theirs" }), "other");
    await deadEvent(bus);
    await unsubscribe(bus.deps, queue, OWNER);
    await deadLetter(bus);
    const mine = (await listDead(bus.deps, {}, openAgent(OWNER))).deliveries.map(
      ({ subscription_id }) => subscription_id,
    );
    expect(mine.sort()).toEqual([hook, queue, "deployed:alice"].sort());
    const theirs = (await listDead(bus.deps, {}, openAgent("other"))).deliveries.map(({ subscriber }) => subscriber);
    expect(theirs).toEqual(["theirs", "alice"]);
  });

  it("are listed of one subscription when it is named; of another agent's there are none", async () => {
    const bus = busInMemory();
    const first = await subscribed(bus, webhookInput({ name: "first" }));
    await subscribed(bus, webhookInput({ name: "second" }));
    const events = [await deadEvent(bus), await deadEvent(bus)];
    await deadLetter(bus);
    const of = async (subscription_id: string, owner = OWNER) =>
      (await listDead(bus.deps, { subscription_id, status: "dead" }, openAgent(owner))).deliveries;
    expect((await of(first)).map(({ event_id }) => event_id)).toEqual(events);
    expect(await of(first, "other")).toEqual([]);
    expect((await of("deployed:alice")).map(({ subscriber }) => subscriber)).toEqual(["alice"]);
  });

  it("are listed page by page, each once, in the order of subscription and death", async () => {
    const bus = busInMemory();
    for (const name of ["a", "b"]) await subscribed(bus, webhookInput({ name }));
    for (let i = 0; i < 4; i++) await deadEvent(bus);
    for (let i = 0; i < 3; i++) await deadLetter(bus);
    for (const limit of ["1", "3", "8", "50"]) {
      const { pages, deliveries } = await allPages(bus, { limit });
      for (const page of pages) expect(page.deliveries.length).toBeLessThanOrEqual(Number(limit));
      const places = deliveries.map((one) => `${one.subscription_id} ${one.ended_at} ${one.event_id}`);
      expect(new Set(places).size, `pages of ${limit}`).toBe(11);
      const run = (ofDeployed: boolean) => places.filter((place) => place.startsWith("deployed:") === ofDeployed);
      expect(places).toEqual([...run(false).sort(), ...run(true).sort()]);
    }
  });

  it("that somebody redrives while they are listed are left out, without an end to the list", async () => {
    const bus = busInMemory();
    await subscribed(bus, webhookInput());
    const eventId = await deadEvent(bus);
    await deadEvent(bus);
    bus.store.findDead = async (owner, _id, after) => {
      const places = await bus.store.getDeliveries(eventId);
      return owner === OWNER && after === ""
        ? { refs: places, next: "x" }
        : { refs: owner === OWNER ? [{ eventId: "gone", subscriptionId: "gone" }] : [], next: null };
    };
    const [dead] = await bus.store.getDeliveries(eventId);
    if (dead !== undefined) await bus.store.replaceDelivery({ ...dead, state: "PENDING" }, dead.fence);
    expect(await listDead(bus.deps, {}, openAgent(OWNER))).toEqual({ deliveries: [], next_cursor: null });
  });

  it("are listed with a cursor that is good for its query and its agent only", async () => {
    const bus = busInMemory();
    await subscribed(bus, webhookInput());
    for (let i = 0; i < 2; i++) await deadEvent(bus);
    const { next_cursor } = await listDead(bus.deps, { limit: "1" }, openAgent(OWNER));
    const cursor = next_cursor ?? "";
    expect(cursor).not.toBe("");
    for (const [query, owner] of [
      [{ cursor }, "other"],
      [{ cursor, subscription_id: "deployed:alice" }, OWNER],
      [{ cursor: `x${cursor}` }, OWNER],
    ] as const)
      expect((await failureOf(listDead(bus.deps, query, openAgent(owner)))).errors).toMatchObject([
        { pointer: "/cursor" },
      ]);
  });

  it.each([
    ["status", { status: "pending" }],
    ["limit", { limit: "1001" }],
    ["subscription_id", { subscription_id: "" }],
    ["event_id", { event_id: "x" }],
  ])("cannot be asked for with a wrong %s", async (field, query) => {
    const { deps } = busInMemory();
    const failure = await failureOf(listDead(deps, query as unknown as Record<string, string>, openAgent(OWNER)));
    expect(failure.errors).toMatchObject([{ pointer: `/${field}` }]);
  });
});

describe("a dead letter of a deployed subscriber", () => {
  it("is recorded once, however often it is told", async () => {
    const bus = busInMemory();
    const eventId = await deadLetter(bus);
    const letter = { subscriber: "alice", event: { id: eventId, type: "CONTEXT_REQUESTED" }, attempts: 9 };
    await recordDeadLetter(bus.deps, { ...letter, reason: "told again" });
    const { deliveries } = await listDead(bus.deps, {}, openAgent(OWNER));
    expect(deliveries).toMatchObject([
      { event_id: eventId, kind: "deployed", attempts: 5, reason: "it threw", log: [{ outcome: "it threw" }] },
    ]);
  });
});
