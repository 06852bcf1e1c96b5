import { describe, expect, it } from "vitest";
import { AgentEventBus } from "../../../client/agent-event-bus.ts";
import { playBus, QUICK, sendJson, sendProblem } from "./played-bus.ts";

const page = (ids: string[], next_cursor: string | null): object => ({
  events: ids.map((id) => ({ id })),
  next_cursor,
});

async function idsOf(events: AsyncIterable<{ id: string }>): Promise<string[]> {
  const ids: string[] = [];
  for await (const { id } of events) ids.push(id);
  return ids;
}

describe("history, against a server that plays the bus", () => {
  it("reads page after page, with the same filters, to the end", async () => {
    const { url, calls } = await playBus((call, reply, nth) => {
      if (nth === 2) sendProblem(reply, 503, "unavailable");
      else sendJson(reply, 200, call.query.has("cursor") ? page(["c"], null) : page(["a", "b"], "next+page"));
    });
    const from = new Date("2026-01-01T00:00:00Z");
    const query = {
      type: "MESSAGE_RECEIVED",
      agentType: "router",
      correlationId: "c 1",
      from,
      to: "2026-02-01T00:00:00Z",
      order: "asc",
      pageSize: 2,
    } as const;
    expect(await idsOf(new AgentEventBus({ url, retry: QUICK }).history(query))).toEqual(["a", "b", "c"]);
    const sent = {
      type: "MESSAGE_RECEIVED",
      agent_type: "router",
      correlation_id: "c 1",
      from: "2026-01-01T00:00:00.000Z",
      to: "2026-02-01T00:00:00Z",
      order: "asc",
      limit: "2",
    };
    expect(calls.map((call) => Object.fromEntries(call.query))).toEqual([
      sent,
      { ...sent, cursor: "next+page" },
      { ...sent, cursor: "next+page" },
    ]);
  });

  it("ends after as many events as are wanted, and reads no page beyond them", async () => {
    const { url, calls } = await playBus((_, reply) => sendJson(reply, 200, page(["a", "b"], "more")));
    expect(await idsOf(new AgentEventBus({ url }).history({ limit: 2 }))).toEqual(["a", "b"]);
    expect(calls.map((call) => Object.fromEntries(call.query))).toEqual([{ limit: "2" }]);
  });

  it("shows one event, and the catalogue", async () => {
    const { url, calls } = await playBus((call, reply) =>
      sendJson(
        reply,
        200,
        call.path === "/event-types"
          ? { event_types: [{ name: "X" }] }
          : { event: { id: "e-1" }, request: null, responses: [] },
      ),
    );
    const bus = new AgentEventBus({ urls: JSON.stringify({ history: url }) });
    await expect(bus.getEvent("e-1")).resolves.toMatchObject({ event: { id: "e-1" } });
    await expect(bus.eventTypes()).resolves.toEqual([{ name: "X" }]);
    expect(calls.map((call) => call.path)).toEqual(["/events/e-1", "/event-types"]);
  });
});
