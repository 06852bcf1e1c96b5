import { describe, expect, it } from "vitest";
import { AgentEventBus } from "../../../client/agent-event-bus.ts";
import { delivered, playBus, QUICK, sendJson, sendProblem } from "./played-bus.ts";

const verdict = { event_id: "e-1", response_id: "r-1", verdict: "accepted", timestamp: "2026-11-20T10:00:01.000Z" };

describe("respond, against a server that plays the bus", () => {
  it("posts to the event's reply_to with its token, and resolves with the verdict", async () => {
    const { url, calls } = await playBus((_, reply) => sendJson(reply, 200, verdict));
    const event = delivered("e-1", { reply_to: { url: "/events/e-1/responses?as=lib%20rarian", token: "t" } });
    await expect(
      new AgentEventBus({ url: `${url}/bus/` }).respond(event, { sky: "blue" }, { responseId: "r-1" }),
    ).resolves.toEqual(verdict);
    expect(calls[0]).toMatchObject({ method: "POST", path: "/bus/events/e-1/responses" });
    expect(calls[0]?.query.get("as")).toBe("lib rarian");
    expect(calls[0]?.body).toEqual({ response: { sky: "blue" }, reply_token: "t", response_id: "r-1" });
  });

  it("answers by id and token, for a subscriber, with a status", async () => {
    const { url, calls } = await playBus((_, reply) => sendJson(reply, 202, { ...verdict, verdict: "late" }));
    const result = await new AgentEventBus({ urls: { respond: url } }).respond(
      { eventId: "e-1", replyToken: "t" },
      { error: {} },
      { status: "rejected", as: "librarian" },
    );
    expect(result.verdict).toBe("late");
    expect(calls[0]).toMatchObject({ path: "/events/e-1/responses", body: { status: "rejected", reply_token: "t" } });
    expect(calls[0]?.query.get("as")).toBe("librarian");
  });

  it("adds the subscriber to a copy that is for all", async () => {
    const { url, calls } = await playBus((_, reply) => sendJson(reply, 200, verdict));
    await new AgentEventBus({ url }).respond(delivered("e-1"), {}, { as: "librarian" });
    expect(calls[0]?.query.getAll("as")).toEqual(["librarian"]);
  });

  it("never follows an event to another host", async () => {
    const { url, calls } = await playBus((_, reply) => sendJson(reply, 200, verdict));
    await new AgentEventBus({ url }).respond(
      delivered("e-1", { reply_to: { url: "https://elsewhere.example/events/e-1/responses?as=x", token: "t" } }),
      {},
    );
    expect(calls[0]?.path).toBe("/events/e-1/responses");
  });

  it("tries again with the same response id, and gives each call one of its own", async () => {
    const { url, calls } = await playBus((_, reply, nth) =>
      nth === 1 ? reply.destroy() && undefined : sendJson(reply, 200, verdict),
    );
    const bus = new AgentEventBus({ url, retry: QUICK });
    await bus.respond(delivered("e-1"), { n: 1 });
    await bus.respond(delivered("e-1"), { n: 2 });
    const ids = calls.map((call) => call.body.response_id);
    expect(ids[0]).toBe(ids[1]);
    expect(ids[2]).not.toBe(ids[1]);
  });

  it("throws what the bus refuses", async () => {
    const { url } = await playBus((_, reply) => sendProblem(reply, 409, "response_conflict"));
    await expect(new AgentEventBus({ url }).respond(delivered("e-1"), {})).rejects.toMatchObject({
      code: "response_conflict",
      retryable: false,
    });
  });
});
