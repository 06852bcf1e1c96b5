import { describe, expect, it } from "vitest";
import { openAgent } from "../../shared/agents/agent.ts";
import { emit } from "../../shared/emit.ts";
import { BusError } from "../../shared/errors.ts";
import { listEvents, showEvent } from "../../shared/history.ts";
import { MAX_ENTRIES_PER_PAGE } from "../../shared/limits.ts";
import { openRequest } from "../../shared/request.ts";
import { respond } from "../../shared/respond.ts";
import { type BusInMemory, busInMemory } from "../support/bus-in-memory.ts";
import { codeOf, failureOf } from "../support/failures.ts";

interface Said {
  type?: string;
  agent_type?: string;
  correlation_id?: string;
}

/** Emits events one millisecond apart; their ids, oldest first. */
async function say({ deps, clock }: BusInMemory, events: readonly Said[]): Promise<string[]> {
  const ids: string[] = [];
  for (const event of events) {
    clock.nowMs += 1;
    ids.push(
      (await emit(deps, { type: "MESSAGE_RECEIVED", data: {}, ...event }, { agent: openAgent("agent") })).result
        .event_id,
    );
  }
  return ids;
}

const list = ({ deps }: BusInMemory, query: Record<string, string> = {}, caller = "reader") =>
  listEvents(deps, query, openAgent(caller));
const idsOf = (page: { events: readonly { id: string }[] }): string[] => page.events.map(({ id }) => id);

/** All pages, one after the other. */
async function listAll(bus: BusInMemory, query: Record<string, string>): Promise<string[]> {
  const ids: string[] = [];
  for (let cursor: string | null = ""; cursor !== null; ) {
    const page = await list(bus, cursor === "" ? query : { ...query, cursor });
    ids.push(...idsOf(page));
    cursor = page.next_cursor;
  }
  return ids;
}

describe("looking back", () => {
  it("shows the newest 50 first, and the rest on further pages", async () => {
    const bus = busInMemory();
    const ids = await say(
      bus,
      Array.from({ length: 120 }, () => ({})),
    );
    const first = await list(bus);
    expect(idsOf(first)).toEqual(ids.slice(-50).reverse());
    expect(await listAll(bus, {})).toEqual([...ids].reverse());
  });

  it.each([1, 7, 20, 119, 120, 121, 1_000])(
    "gives every event once, in pages of %i, in either order",
    async (limit) => {
      const bus = busInMemory();
      const ids = await say(
        bus,
        Array.from({ length: 120 }, () => ({})),
      );
      expect(await listAll(bus, { limit: String(limit), order: "asc" })).toEqual(ids);
      expect(await listAll(bus, { limit: String(limit), order: "desc" })).toEqual([...ids].reverse());
    },
  );

  it("selects by type, agent, conversation, and any of them together", async () => {
    const bus = busInMemory();
    const kinds = Array.from({ length: 64 }, (_, i) => ({
      type: i % 2 === 0 ? "MESSAGE_RECEIVED" : "SESSION_CREATED",
      ...(i % 3 === 0 ? { agent_type: "router" } : {}),
      ...(i % 5 === 0 ? { correlation_id: "talk" } : {}),
    }));
    const ids = await say(bus, kinds);
    const where = (wanted: Said) =>
      ids
        .filter((_, i) => Object.entries(wanted).every(([field, value]) => kinds[i]?.[field as keyof Said] === value))
        .reverse();
    for (const selection of [
      {},
      { type: "SESSION_CREATED" },
      { agent_type: "router" },
      { correlation_id: "talk" },
      { type: "SESSION_CREATED", agent_type: "router" },
      { type: "SESSION_CREATED", correlation_id: "talk" },
      { agent_type: "router", correlation_id: "talk" },
      { type: "SESSION_CREATED", agent_type: "router", correlation_id: "talk" },
    ])
      expect(await listAll(bus, { ...selection, limit: "3" })).toEqual(where(selection));
  });

  it("selects by time: from inclusive, to exclusive, in any zone", async () => {
    const bus = busInMemory();
    const ids = await say(
      bus,
      Array.from({ length: 10 }, () => ({})),
    );
    expect(
      await listAll(bus, { from: "2026-06-01T12:00:00.003Z", to: "2026-06-01T12:00:00.006Z", order: "asc" }),
    ).toEqual(ids.slice(2, 5));
    expect(await listAll(bus, { from: "2026-06-01T14:00:00.009+02:00", order: "asc" })).toEqual(ids.slice(8));
    expect(await listAll(bus, { to: "2026-06-01T12:00:00.002Z" })).toEqual(ids.slice(0, 1));
  });

  it("neither skips nor repeats what was there while new events come in [history-2]", async () => {
    const bus = busInMemory();
    const ids = await say(
      bus,
      Array.from({ length: 30 }, () => ({})),
    );
    const first = await list(bus, { limit: "10" });
    await say(
      bus,
      Array.from({ length: 10 }, () => ({})),
    );
    const second = await list(bus, { limit: "10", cursor: first.next_cursor ?? "" });
    expect([...idsOf(first), ...idsOf(second)]).toEqual(ids.slice(10).reverse());
  });

  it("ends a page early rather than read without end for a filter that matches little, and misses nothing", async () => {
    const bus = busInMemory();
    const rare = { type: "SESSION_CREATED", agent_type: "router" };
    // Many of the type, and many of the agent, but hardly any of both.
    const either = [{ type: "SESSION_CREATED" }, { agent_type: "router" }];
    const ids = await say(bus, [
      rare,
      ...Array.from({ length: 2 * (MAX_ENTRIES_PER_PAGE + 1_000) }, (_, i) => either[i % 2] as Said),
      rare,
    ]);
    const first = await list(bus, { ...rare, limit: "5" });
    expect(idsOf(first)).toEqual(ids.slice(-1));
    expect(first.next_cursor).not.toBeNull();
    expect(await listAll(bus, { ...rare, limit: "5" })).toEqual([ids.at(-1), ids[0]]);
    expect(await listAll(bus, { ...rare, limit: "5", order: "asc" })).toEqual([ids[0], ids.at(-1)]);
  });

  it("finds the events of a busy agent that are of a rare type at once, and those of a rare agent of a busy type", async () => {
    const bus = busInMemory();
    const rareType = { type: "SESSION_CREATED", agent_type: "router" };
    const rareAgent = { type: "MESSAGE_RECEIVED", agent_type: "poet" };
    const ids = await say(bus, [
      rareType,
      rareAgent,
      ...Array.from({ length: MAX_ENTRIES_PER_PAGE + 1_000 }, () => ({ agent_type: "router" })),
      rareType,
      rareAgent,
    ]);
    for (const [wanted, found] of [
      [rareType, [ids.at(-2), ids[0]]],
      [rareAgent, [ids.at(-1), ids[1]]],
    ] as const) {
      const page = await list(bus, { ...wanted, limit: "5" });
      expect(idsOf(page)).toEqual(found);
      expect(page.next_cursor).toBeNull();
    }
  });

  it("ends a page early when its events are large, and misses nothing", async () => {
    const bus = busInMemory();
    const ids: string[] = [];
    for (let i = 0; i < 60; i++) {
      bus.clock.nowMs += 1;
      const event = { type: "MESSAGE_RECEIVED", data: { text: "x".repeat(180_000) } };
      ids.push((await emit(bus.deps, event, { agent: openAgent("agent") })).result.event_id);
    }
    const first = await list(bus, { limit: "60", order: "asc" });
    expect(JSON.stringify(first.events).length).toBeLessThan(6_000_000);
    expect(first.next_cursor).not.toBeNull();
    expect(await listAll(bus, { limit: "60", order: "asc" })).toEqual(ids);
    expect(await listAll(bus, { limit: "60" })).toEqual([...ids].reverse());
  });

  it("shows no token anywhere [history-6]", async () => {
    const bus = busInMemory();
    const { request } = await openRequest(
      bus.deps,
      { type: "CONTEXT_REQUESTED", data: {}, timeout: 5 },
      { agent: openAgent("asker") },
    );
    const shown = JSON.stringify([await list(bus), await showEvent(bus.deps, request.eventId, openAgent("agent"))]);
    expect(shown).not.toContain(request.replyToken);
  });

  it("shows one event with the state of its request", async () => {
    const bus = busInMemory();
    const { request } = await openRequest(
      bus.deps,
      { type: "CONTEXT_REQUESTED", data: {}, timeout: 5 },
      { agent: openAgent("asker") },
    );
    expect(await showEvent(bus.deps, request.eventId, openAgent("agent"))).toMatchObject({
      event: { id: request.eventId, deadline: request.deadline },
      request: {
        status: "pending",
        expect: { mode: "first" },
        expected: ["alice", "bob"],
        missing: ["alice", "bob"],
        ended_at: null,
      },
      responses: [],
      deliveries: [],
    });
    expect(await codeOf(showEvent(bus.deps, "nothing", openAgent("agent")))).toBe("not_found");
  });

  it("shows no wait, and accepted answers, for an event whose key an ask had used that broke off", async () => {
    const bus = busInMemory();
    const { deps, store, publisher } = bus;
    const sender = { agent: openAgent("agent"), idempotencyKey: "key" };
    const brokenOff: typeof store.putEvent = async () => Promise.reject(new BusError("unavailable", "It died here."));
    const dying = { ...deps, store: Object.assign(Object.create(store), { putEvent: brokenOff }) };
    await failureOf(openRequest(dying, { type: "CONTEXT_REQUESTED", data: {}, timeout: 1 }, sender));
    const { result } = await emit(deps, { type: "CONTEXT_REQUESTED", data: {} }, sender);
    expect(await store.getRequest(result.event_id)).not.toBeNull();

    const body = { response: {}, reply_token: publisher.published[0]?.reply_to.token };
    const { verdict } = await respond(deps, result.event_id, body, { agent: openAgent("alice") });
    await store.endRequest({ eventId: result.event_id, state: "TIMED_OUT", at: "2026-06-01", expiresAt: 9e9 });
    const shown = await showEvent(deps, result.event_id, openAgent("agent"));
    expect(shown.request).toBeNull();
    expect(shown.responses).toMatchObject([{ verdict }]);
    expect(verdict).toBe("accepted");
  });
});

describe("a query that is wrong", () => {
  it.each([
    ["limit", { limit: "0" }],
    ["limit", { limit: "1001" }],
    ["limit", { limit: "ten" }],
    ["order", { order: "up" }],
    ["from", { from: "yesterday" }],
    ["from", { from: "2026-13-01T00:00:00Z" }],
    ["from", { from: "2026-02-30T00:00:00Z" }],
    ["to", { to: "9999-12-31T23:59:59-01:00" }],
    ["to", { from: "2026-06-02T00:00:00Z", to: "2026-06-01T00:00:00Z" }],
    ["page", { page: "2" }],
    ["cursor", { cursor: "made-up" }],
    ["cursor", { cursor: "bWFkZQ.dXA" }],
  ])("names %s", async (field, query) => {
    expect((await failureOf(list(busInMemory(), query))).errors[0]?.pointer).toBe(`/${field}`);
  });

  it("names a type that does not exist", async () => {
    expect(await codeOf(list(busInMemory(), { type: "MESSAGE_RECIEVED" }))).toBe("unknown_event_type");
  });

  it("has a cursor that was edited, or belongs to another query or another agent [history-1]", async () => {
    const bus = busInMemory();
    await say(
      bus,
      Array.from({ length: 4 }, () => ({})),
    );
    const cursor = (await list(bus, { limit: "2" })).next_cursor ?? "";
    const [payload = "", signature = ""] = cursor.split(".");
    const refused = (query: Record<string, string>, caller?: string) =>
      codeOf(list(bus, { limit: "2", ...query }, caller));
    expect(await refused({ cursor: `${payload.slice(0, -2)}AA.${signature}` })).toBe("invalid_request");
    expect(await refused({ cursor: payload })).toBe("invalid_request");
    expect(await refused({ cursor, order: "asc" })).toBe("invalid_request");
    expect(await refused({ cursor, type: "SESSION_CREATED" })).toBe("invalid_request");
    expect(await refused({ cursor }, "somebody else")).toBe("invalid_request");
    expect(idsOf(await list(bus, { limit: "1", cursor }))).toHaveLength(1);
  });
});
