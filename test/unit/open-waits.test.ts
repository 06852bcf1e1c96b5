import { describe, expect, it } from "vitest";
import { type BusInMemory, busInMemory, TEST_BUS } from "../support/bus-in-memory.ts";
import { callInMemory } from "../support/call-in-memory.ts";

const bus = (openWaitsPerAgent: number): BusInMemory => busInMemory({ ...TEST_BUS, limits: { openWaitsPerAgent } });

/** Asks, and goes away at once: the call is held for no time at all. */
async function ask(on: BusInMemory, timeout: number, more: { caller?: string; key?: string } = {}) {
  const { caller = "agent", key } = more;
  const { deps } = on;
  return callInMemory({ ...on, deps: { ...deps, limits: { ...deps.limits, holdSeconds: 0 } } }, "POST", "/requests", {
    body: { type: "CONTEXT_REQUESTED", data: {}, timeout },
    headers: key === undefined ? {} : { "idempotency-key": key },
    caller,
  });
}

describe("questions that an agent leaves open", () => {
  it("are so many and no more, whether anybody waits for them or not [wait-9]", async () => {
    const on = bus(3);
    for (let i = 0; i < 3; i++) expect((await ask(on, 30)).status).toBe(202);
    const refused = await ask(on, 30);
    expect(refused.status).toBe(429);
    expect(refused.json).toMatchObject({ code: "rate_limited", retryable: true, retry_after_ms: 30_000 });
    expect(refused.headers.get("retry-after")).toBe("30");
    expect(on.publisher.published).toHaveLength(3);
    expect((await ask(on, 30, { caller: "another" })).status).toBe(202);
  });

  it("make room at the time that was told, when the first deadline has passed, though nobody has ended it yet", async () => {
    const on = bus(2);
    await ask(on, 20);
    await ask(on, 50);
    const { json } = await ask(on, 30);
    expect(json.retry_after_ms).toBe(20_000);
    on.clock.nowMs += 19_999;
    expect((await ask(on, 30)).status).toBe(429);
    on.clock.nowMs += 2;
    expect((await ask(on, 30)).status).toBe(202);
  });

  it("send nobody away for longer than a minute: an answer may come at any moment", async () => {
    const on = bus(1);
    await ask(on, 86_400);
    expect((await ask(on, 30)).json.retry_after_ms).toBe(60_000);
  });

  it("make room as soon as one is answered or cancelled", async () => {
    const on = bus(1);
    const { json } = await ask(on, 30);
    expect((await ask(on, 30)).status).toBe(429);
    await callInMemory(on, "DELETE", `/requests/${json.event_id}`);
    const second = await ask(on, 30);
    expect(second.status).toBe(202);
    const [, event] = on.publisher.published;
    await callInMemory(on, "POST", `/events/${second.json.event_id}/responses?as=alice`, {
      body: { response: {}, reply_token: event?.reply_to.token },
    });
    expect((await ask(on, 30)).status).toBe(202);
  });

  it("can be joined again and again by their key", async () => {
    const on = bus(1);
    const { json } = await ask(on, 30, { key: "one" });
    for (let i = 0; i < 5; i++) {
      const again = await ask(on, 30, { key: "one" });
      expect(again.status).toBe(202);
      expect(again.json.event_id).toBe(json.event_id);
    }
  });
});
