import { describe, expect, it } from "vitest";
import { AgentEventBus } from "../../../client/agent-event-bus.ts";
import type { ResponseView } from "../../../client/calls.ts";
import { answered, openSse, pending, playBus, QUICK, sendBlock, sendProblem } from "./played-bus.ts";

const progress = (id: string, percent: number): ResponseView => ({
  response_id: id,
  event_id: "e-1",
  response: { percent },
  timestamp: "2026-11-20T10:00:00.000Z",
  responder: "librarian",
  status: "progress",
});

describe("emitAndWait with onProgress, against a server that plays the bus", () => {
  it("passes progress on as it comes and resolves with the outcome", async () => {
    const seen: unknown[] = [];
    const { url, calls } = await playBus((_, reply) => {
      openSse(reply);
      sendBlock(reply, {
        event: "accepted",
        data: { event_id: "e-1", deadline: "2026-11-20T10:00:00.000Z", expected: [], resume: "/requests/e-1" },
      });
      sendBlock(reply, { event: "progress", data: progress("p-1", 10) });
      reply.write(": still here\n\n");
      sendBlock(reply, { event: "progress", data: progress("p-2", 80) });
      sendBlock(reply, { event: "response", data: { ...progress("r-1", 100), status: "ok" } });
      sendBlock(reply, { event: "done", data: answered("e-1", { sky: "blue" }) });
      reply.end();
    });
    const outcome = await new AgentEventBus({ url }).emitAndWait(
      "CONTEXT_REQUESTED",
      {},
      { timeout: 30, onProgress: (one) => seen.push(one.response) },
    );
    expect(outcome).toMatchObject({ status: "answered", response: { sky: "blue" } });
    expect(seen).toEqual([{ percent: 10 }, { percent: 80 }]);
    expect(calls[0]?.headers.accept).toBe("text/event-stream");
  });

  it("joins a stream that broke off or handed over, without telling the same progress twice", async () => {
    const seen: string[] = [];
    const { url, calls } = await playBus((_, reply, nth) => {
      openSse(reply);
      sendBlock(reply, { event: "accepted", data: { event_id: "e-1" } });
      for (let i = 1; i <= nth; i++) sendBlock(reply, { event: "progress", data: progress(`p-${i}`, i) });
      if (nth === 1) setTimeout(() => reply.destroy(), 10);
      else if (nth === 2) sendBlock(reply, { event: "done", data: pending("e-1") });
      else sendBlock(reply, { event: "done", data: answered("e-1", {}) });
      if (nth > 1) reply.end();
    });
    const outcome = await new AgentEventBus({ url, retry: QUICK }).emitAndWait(
      "CONTEXT_REQUESTED",
      {},
      { timeout: 30, onProgress: (one) => seen.push(one.response_id) },
    );
    expect(outcome.status).toBe("answered");
    expect(seen).toEqual(["p-1", "p-2", "p-3"]);
    expect(calls.map((call) => `${call.method} ${call.path}`)).toEqual([
      "POST /requests",
      "GET /requests/e-1",
      "GET /requests/e-1",
    ]);
  });

  it("throws what the bus refuses", async () => {
    const { url } = await playBus((_, reply) => sendProblem(reply, 422, "unknown_event_type"));
    await expect(
      new AgentEventBus({ url }).emitAndWait("CONTEXT_REQUESTED", {}, { timeout: 1, onProgress: () => undefined }),
    ).rejects.toMatchObject({ code: "unknown_event_type" });
  });
});
