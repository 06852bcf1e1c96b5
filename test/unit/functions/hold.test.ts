import { describe, expect, it } from "vitest";
import { handle } from "../../../functions/request.ts";
import type { HttpRequest } from "../../../functions/runtime/http.ts";
import { openAgent } from "../../../shared/agents/agent.ts";
import { endRequest } from "../../../shared/end-request.ts";
import { BusError } from "../../../shared/errors.ts";
import { after, type BusInMemory, busInMemory, TEST_BUS } from "../../support/bus-in-memory.ts";

const question = { type: "CONTEXT_REQUESTED", data: {}, timeout: 600 };

/** Calls the function as long as `lifeMs` of its time are left; its time is the bus's virtual time. */
async function callWith(bus: BusInMemory, lifeMs: number, change: Partial<HttpRequest> = {}) {
  const endsAt = bus.clock.nowMs + lifeMs;
  const response = await handle(
    {
      method: "POST",
      path: "/requests",
      query: new URLSearchParams(),
      headers: {},
      body: new TextEncoder().encode(JSON.stringify(question)),
      agent: openAgent("asker"),
      signal: new AbortController().signal,
      gone: new AbortController().signal,
      canStream: true,
      remainingMs: () => endsAt - bus.clock.nowMs,
      ...change,
    },
    bus.deps,
  );
  const text = typeof response.body === "string" ? response.body : await collect(response.body);
  return { ...response, text, leftMs: endsAt - bus.clock.nowMs };
}

async function collect(chunks: AsyncIterable<string>): Promise<string> {
  let text = "";
  for await (const chunk of chunks) text += chunk;
  return text;
}

describe("a held call", () => {
  it("hands over with 202 and a link, at least 2 s before the function's time is up [wait-7]", async () => {
    const bus = busInMemory();
    const response = await callWith(bus, 30_000);
    const { event_id } = JSON.parse(response.text);
    expect([response.status, response.headers.location]).toEqual([202, `/requests/${event_id}`]);
    expect(JSON.parse(response.text)).toEqual({
      event_id,
      status: "pending",
      responses: [],
      resume: `/requests/${event_id}`,
    });
    expect(response.leftMs).toBeGreaterThanOrEqual(2_000);
    expect(response.leftMs).toBeLessThan(2_500);
  });

  it("hands over at the deployment's limit when the function would live longer", async () => {
    const bus = busInMemory({ ...TEST_BUS, limits: { holdSeconds: 5 } });
    const response = await callWith(bus, 900_000);
    expect(response.status).toBe(202);
    expect(900_000 - response.leftMs).toBeLessThan(5_500);
  });

  it("answers at once when there is hardly any time at all", async () => {
    expect((await callWith(busInMemory(), 500)).status).toBe(202);
  });

  it("as a stream ends with where the wait goes on", async () => {
    const response = await callWith(busInMemory(), 10_000, { headers: { accept: "text/event-stream" } });
    expect(response.status).toBe(200);
    expect(response.text).toMatch(/^event: accepted\n/);
    expect(response.text.trimEnd()).toMatch(
      /event: done\ndata: \{.*"status":"pending".*"resume":"\/requests\/[^"]+"\}$/,
    );
  });

  it("that joins again is held as long as it wants, and no longer", async () => {
    const bus = busInMemory();
    const { event_id } = JSON.parse((await callWith(bus, 10_000)).text);
    const join = (query: string) =>
      callWith(bus, 60_000, { method: "GET", path: `/requests/${event_id}`, query: new URLSearchParams(query) });
    const held = await join("wait=20");
    expect(held.status).toBe(202);
    expect(60_000 - held.leftMs).toBeGreaterThanOrEqual(20_000);
    expect(60_000 - held.leftMs).toBeLessThan(20_500);
    expect(60_000 - (await join("")).leftMs).toBe(0);
    const [ended] = await Promise.all([
      join("wait=20"),
      after(bus.clock, 1_000, () => endRequest(bus.deps, event_id, "CANCELLED")),
    ]);
    expect([ended.status, JSON.parse(ended.text).status]).toEqual([200, "cancelled"]);
  });

  it.each(["wait=-1", "wait=soon", "wait=86401", "wait=1e3", "later=1"])("refuses %s", async (query) => {
    const response = await callWith(busInMemory(), 60_000, {
      method: "GET",
      path: "/requests/x",
      query: new URLSearchParams(query),
    });
    expect([response.status, JSON.parse(response.text).code]).toEqual([422, "invalid_request"]);
  });
});

describe("what is under way beside a held call", () => {
  /** An event that is marked as published a while later than the caller could be answered. */
  function slowToMark() {
    const bus = busInMemory();
    const state = { isMarked: false };
    const { markPublished } = bus.store;
    bus.store.markPublished = async (eventId) => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      await markPublished.call(bus.store, eventId);
      state.isMarked = true;
    };
    return { bus, state };
  }

  it("is left to be done once the answer is on its way, whether that is whole or a stream", async () => {
    for (const accept of ["application/json", "text/event-stream"]) {
      const { bus, state } = slowToMark();
      const response = await callWith(bus, 500, { headers: { accept } });
      await response.afterwards?.();
      expect(state.isMarked).toBe(true);
    }
  });

  it("is done before a failure is told, for then nothing is left to be done", async () => {
    const { bus, state } = slowToMark();
    bus.store.getRequest = () => Promise.reject(new BusError("unavailable", "The store did not answer."));
    const response = await callWith(bus, 10_000);
    expect([response.status, state.isMarked]).toEqual([503, true]);
  });
});
