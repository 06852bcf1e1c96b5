import { describe, expect, it } from "vitest";
import { openAgent } from "../../../shared/agents/agent.ts";
import { BusError } from "../../../shared/errors.ts";
import type { Deps } from "../../../shared/ports.ts";
import { openRequest } from "../../../shared/request.ts";
import { respond } from "../../../shared/respond.ts";
import { waitForEnd } from "../../../shared/wait.ts";
import { busInMemory } from "../../support/bus-in-memory.ts";
import { codeOf } from "../../support/failures.ts";

const question = { type: "CONTEXT_REQUESTED", data: {}, timeout: 10 };
const asker = { agent: openAgent("asker") };

describe("who asks", () => {
  it("leaves nothing behind when the wait cannot even be opened [wait-1]", async () => {
    const bus = busInMemory();
    const { createRequest } = bus.store;
    const opened: string[] = [];
    bus.store.createRequest = async ({ eventId }) => {
      opened.push(eventId);
      throw new BusError("unavailable", "The process died.");
    };
    expect(await codeOf(openRequest(bus.deps, question, { ...asker, idempotencyKey: "key" }))).toBe("unavailable");
    const [id = ""] = opened;
    expect([await bus.store.getEvent(id), await bus.store.getRequest(id)]).toEqual([null, null]);
    expect(bus.publisher.published).toEqual([]);
    bus.store.createRequest = createRequest;
    await openRequest(bus.deps, question, { ...asker, idempotencyKey: "key" });
    expect(bus.publisher.published.map((event) => event.id)).toEqual([id]);
  });

  it("gets the answer of somebody who is quicker than its first look [wait-3]", async () => {
    const bus = busInMemory();
    const verdicts: string[] = [];
    const deps: Deps = {
      ...bus.deps,
      publisher: {
        publish: async (events) => {
          for (const { id, reply_to } of events) {
            const body = { response: { quick: true }, reply_token: reply_to?.token };
            verdicts.push((await respond(bus.deps, id, body, { agent: openAgent("answerer") })).verdict);
          }
          return bus.publisher.publish(events);
        },
      },
    };
    const { request } = await openRequest(deps, question, asker);
    const end = await waitForEnd(deps, request, { holdMs: 60_000 });
    expect([verdicts, end.kind, end.request.state]).toEqual([["accepted"], "ended", "ANSWERED"]);
  });

  it("and is gone leaves its wait as it is: whoever comes back to it has the answer [wait-9]", async () => {
    const bus = busInMemory();
    const { request } = await openRequest(bus.deps, question, asker);
    const gone = new AbortController();
    const held = waitForEnd(bus.deps, request, { holdMs: 60_000, signal: gone.signal });
    gone.abort();
    expect(await held).toMatchObject({ kind: "pending", request: { state: "PENDING" } });
    const answer = { response: {}, reply_token: request.replyToken };
    await respond(bus.deps, request.eventId, answer, { agent: openAgent("answerer") });
    const again = await waitForEnd(bus.deps, request, { holdMs: 60_000 });
    expect(again).toMatchObject({ kind: "ended", request: { state: "ANSWERED" } });
  });

  it.each([-300_000, 300_000])(
    "waits as long as it said although the clock jumps by %i ms [wait-10]",
    async (jumpMs) => {
      const bus = busInMemory();
      let skewMs = 0;
      const deps: Deps = { ...bus.deps, now: () => bus.clock.nowMs + skewMs };
      const { request } = await openRequest(deps, question, asker);
      const startMs = bus.deps.monotonic();
      const held = waitForEnd(deps, request, { holdMs: 60_000 });
      await bus.clock.pause(2_000);
      skewMs = jumpMs;
      expect(await held).toMatchObject({ kind: "ended", request: { state: "TIMED_OUT" } });
      expect(Math.abs(bus.deps.monotonic() - startMs - 10_000)).toBeLessThan(250);
    },
  );
});
