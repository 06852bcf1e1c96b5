import { describe, expect, it } from "vitest";
import { openAgent } from "../../../shared/agents/agent.ts";
import { BusError } from "../../../shared/errors.ts";
import { showEvent } from "../../../shared/history.ts";
import { MAX_EVENT_BYTES } from "../../../shared/limits.ts";
import { openRequest } from "../../../shared/request.ts";
import { respond } from "../../../shared/respond.ts";
import { waitForEnd } from "../../../shared/wait.ts";
import { busInMemory } from "../../support/bus-in-memory.ts";
import { codeOf } from "../../support/failures.ts";
import { reconciled } from "../../support/run-time-bus.ts";

const asker = openAgent("asker");

async function askedBus() {
  const bus = busInMemory();
  const { request } = await openRequest(
    bus.deps,
    { type: "CONTEXT_REQUESTED", data: {}, timeout: 10 },
    { agent: asker },
  );
  const answer = (body: object) =>
    respond(
      bus.deps,
      request.eventId,
      { response: {}, reply_token: request.replyToken, ...body },
      { agent: openAgent("answerer") },
    );
  return { bus, request, answer };
}

describe("an answer", () => {
  it("that is too large or makes no sense is refused, and the request stays open [respond-3]", async () => {
    const { bus, request, answer } = await askedBus();
    expect(await codeOf(answer({ response: { text: "x".repeat(MAX_EVENT_BYTES) } }))).toBe("payload_too_large");
    expect(await codeOf(answer({ response: "yes" }))).toBe("invalid_request");
    expect(await codeOf(answer({ status: "perhaps" }))).toBe("invalid_request");
    expect((await bus.store.getRequest(request.eventId))?.state).toBe("PENDING");
    expect(await bus.store.getResponses(request.eventId)).toEqual([]);
    expect((await answer({})).verdict).toBe("accepted");
  });

  it("that nobody could count before the request was ended is late, and stays readable [respond-4]", async () => {
    const { bus, request, answer } = await askedBus();
    const { acceptAnswer } = bus.store;
    bus.store.acceptAnswer = async () => {
      throw new BusError("unavailable", "The process died.");
    };
    expect(await codeOf(answer({ response_id: "mine" }))).toBe("unavailable");
    bus.store.acceptAnswer = acceptAnswer;
    await bus.clock.pause(80_000);
    await reconciled(bus);
    const shown = await showEvent(bus.deps, request.eventId, asker);
    expect(shown.responses).toMatchObject([{ response_id: "mine", verdict: "late" }]);
    expect(await answer({ response_id: "mine" })).toMatchObject({ verdict: "replayed", first_verdict: "late" });
  });

  it("to what has been forgotten finds nothing any more [respond-9]", async () => {
    const { bus, request, answer } = await askedBus();
    await waitForEnd(bus.deps, request, { holdMs: 60_000 });
    await bus.clock.pause(91 * 86_400_000);
    expect(await codeOf(answer({}))).toBe("not_found");
  });
});
