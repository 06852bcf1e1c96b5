import { describe, expect, it } from "vitest";
import { type BusInMemory, busInMemory } from "../../support/bus-in-memory.ts";
import { callInMemory } from "../../support/call-in-memory.ts";

const DAY_MS = 86_400_000;

const subscribe = (on: BusInMemory, name: string, event_types: readonly string[], caller = "agent") =>
  callInMemory(on, "POST", "/subscriptions", { body: { name, event_types, target: { kind: "queue" } }, caller });

const change = (on: BusInMemory, id: unknown, body: object) =>
  callInMemory(on, "PATCH", `/subscriptions/${id}`, { body });

describe("subscriptions of one agent", () => {
  const bus = (): BusInMemory => busInMemory({ limits: { subscriptionsPerAgent: 2 } });

  it("are so many and no more; to bring one up to date is always possible [emit-19]", async () => {
    const on = bus();
    for (const name of ["a", "b"]) expect((await subscribe(on, name, ["SESSION_UPDATED"])).status).toBe(201);
    const { status, json } = await subscribe(on, "c", ["SESSION_UPDATED"]);
    expect(status).toBe(409);
    expect(json).toMatchObject({ code: "limit_reached", retryable: false, errors: [{ pointer: "/name" }] });
    expect((await subscribe(on, "a", ["SESSION_CREATED"])).status).toBe(200);
    expect((await subscribe(on, "c", ["SESSION_UPDATED"], "another")).status).toBe(201);
  });

  it("count for a day more when they have ended, or each could leave its traces for another", async () => {
    const on = bus();
    const { json } = await subscribe(on, "a", ["SESSION_UPDATED"]);
    await subscribe(on, "b", ["SESSION_UPDATED"]);
    await callInMemory(on, "DELETE", `/subscriptions/${json.subscription_id}`);
    expect((await subscribe(on, "c", ["SESSION_UPDATED"])).status).toBe(409);
    // Its own place it can take again.
    expect((await subscribe(on, "a", ["SESSION_UPDATED"])).status).toBe(201);
    await callInMemory(on, "DELETE", `/subscriptions/${json.subscription_id}`);
    on.clock.nowMs += DAY_MS + 1;
    expect((await subscribe(on, "c", ["SESSION_UPDATED"])).status).toBe(201);
  });
});

describe("subscriptions of one type", () => {
  const bus = (): BusInMemory => busInMemory({ limits: { subscriptionsPerType: 2 } });

  it("are so many and no more, whoever makes them, at once or by a change [emit-19]", async () => {
    const on = bus();
    await subscribe(on, "a", ["SESSION_UPDATED"], "one");
    await subscribe(on, "b", ["SESSION_UPDATED"], "two");
    const refused = await subscribe(on, "c", ["SESSION_CREATED", "SESSION_UPDATED"]);
    expect(refused.status).toBe(409);
    expect(refused.json.detail).toBe("SESSION_UPDATED has 2 subscriptions, and may have no more.");

    const { json } = await subscribe(on, "c", ["SESSION_CREATED"]);
    expect((await change(on, json.subscription_id, { event_types: ["SESSION_UPDATED"] })).status).toBe(409);
    expect((await change(on, json.subscription_id, { status: "disabled" })).status).toBe(200);
  });

  it("make room when one ends or no longer wants the type", async () => {
    const on = bus();
    const { json } = await subscribe(on, "a", ["SESSION_UPDATED"]);
    await subscribe(on, "b", ["SESSION_UPDATED"]);
    await change(on, json.subscription_id, { event_types: ["SESSION_CREATED"] });
    expect((await subscribe(on, "c", ["SESSION_UPDATED"])).status).toBe(201);
    expect((await change(on, json.subscription_id, { event_types: ["SESSION_UPDATED"] })).status).toBe(409);
  });

  it("are no more when twenty come at once", async () => {
    const on = bus();
    const made = await Promise.all(Array.from({ length: 20 }, (_, i) => subscribe(on, `s${i}`, ["SESSION_UPDATED"])));
    expect(made.filter(({ status }) => status === 201)).toHaveLength(2);
    expect(await on.store.countEntries("SESSION_UPDATED", 100)).toBe(2);
  });
});
