import { describe, expect, it } from "vitest";
import * as respond from "../../functions/respond.ts";
import type { HttpRequest } from "../../functions/runtime/http.ts";
import { openAgent } from "../../shared/agents/agent.ts";
import { toBinary } from "../../shared/cloud-events/outgoing.ts";
import { dispatchEvent } from "../../shared/deliveries/dispatch.ts";
import { emit } from "../../shared/emit.ts";
import type { DeliveredEvent } from "../../shared/event.ts";
import { showEvent } from "../../shared/history.ts";
import { readTraceparent } from "../../shared/input.ts";
import { describeOutcome } from "../../shared/request-outcome.ts";
import { busInMemory } from "../support/bus-in-memory.ts";
import { ask, EMITTER, publish, subscribed, TYPE, webhookInput } from "../support/run-time-bus.ts";
import { workDue } from "../support/webhook-worker.ts";
import { direct, message, queued, setUp } from "./client/called-subscriber.ts";
import { answered, delivered } from "./client/played-bus.ts";

const TRACE_ID = "0af7651916cd43dd8448eb211c80319c";
const SPAN = "b7ad6b7169203331";
const TRACE = `00-${TRACE_ID}-${SPAN}-01`;

describe("a traceparent", () => {
  it.each([
    ["as the standard has it", TRACE],
    ["that is not sampled", `00-${TRACE_ID}-${SPAN}-00`],
  ])("%s is taken", (_, header) => {
    expect(readTraceparent(header)).toBe(header);
  });

  it.each([
    ["of the same length", `01-${TRACE_ID}-${SPAN}-01`],
    ["that says more", `cc-${TRACE_ID}-${SPAN}-01-what-the-future-will-be-like`],
  ])("of a later version %s is passed on as one of the first", (_, header) => {
    expect(readTraceparent(header)).toBe(TRACE);
  });

  it.each([
    ["that is absent", undefined],
    ["that is empty", ""],
    ["with a trace of zeros", `00-${"0".repeat(32)}-${SPAN}-01`],
    ["with a span of zeros", `00-${TRACE_ID}-${"0".repeat(16)}-01`],
    ["of the version that is forbidden", `ff-${TRACE_ID}-${SPAN}-01`],
    ["in capitals", TRACE.toUpperCase()],
    ["that is too short", `00-${TRACE_ID}-${SPAN}`],
    ["of the first version that says more", `${TRACE}-more`],
    ["of a later version with something stuck to it", `01-${TRACE_ID}-${SPAN}-01.what`],
    ["given twice", `${TRACE}, ${TRACE}`],
    ["with a line break behind it", `${TRACE}\n`],
  ])("%s is as if it were not there", (_, header) => {
    expect(readTraceparent(header)).toBeUndefined();
  });
});

describe("the trace of an event", () => {
  it("is a header of the call of a webhook, and an attribute where CloudEvents are wanted", async () => {
    const bus = busInMemory();
    await subscribed(bus, webhookInput({}));
    const sent = await emit(bus.deps, { type: TYPE, data: {} }, { ...EMITTER, traceparent: TRACE });
    await sent.afterwards();
    await dispatchEvent(bus.deps, bus.publisher.published.at(-1) as DeliveredEvent);
    await workDue(bus);
    expect(bus.webhooks.calls[0]?.headers["traceparent"]).toBe(TRACE);
    expect(bus.webhooks.bodies[0]).toMatchObject({ traceparent: TRACE });
    const { headers } = toBinary(bus.publisher.published.at(-1) as DeliveredEvent);
    expect(headers["ce-traceparent"]).toBe(TRACE);
  });

  it("is not made up where there is none", async () => {
    const bus = busInMemory();
    await subscribed(bus, webhookInput({}));
    await publish(bus);
    await workDue(bus);
    expect(bus.webhooks.calls[0]?.headers).not.toHaveProperty("traceparent");
  });
});

describe("the trace of an answer", () => {
  const answer = async (header: string | undefined) => {
    const bus = busInMemory();
    const request = await ask(bus, { require_subscribers: false });
    const body = { response: {}, reply_token: request.replyToken };
    const call: HttpRequest = {
      method: "POST",
      path: `/events/${request.eventId}/responses`,
      query: new URLSearchParams(),
      headers: header === undefined ? {} : { traceparent: header },
      body: new TextEncoder().encode(JSON.stringify(body)),
      agent: openAgent("responder"),
      signal: new AbortController().signal,
      gone: new AbortController().signal,
      canStream: true,
      remainingMs: () => 60_000,
    };
    expect((await respond.handle(call, bus.deps)).status).toBe(200);
    const ended = await bus.store.getRequest(request.eventId);
    if (ended === null) throw new Error("The request is gone.");
    const outcome = await describeOutcome(bus.deps, ended);
    const shown = await showEvent(bus.deps, request.eventId, openAgent(request.requester));
    return { told: outcome.responses[0], shown: shown.responses[0] };
  };

  it("is told to whoever asked, and stands in history", async () => {
    const { told, shown } = await answer(TRACE);
    expect([told?.traceparent, shown?.traceparent]).toEqual([TRACE, TRACE]);
  });

  it("is left out where there is none, or none that is well-formed", async () => {
    for (const header of [undefined, "nonsense"]) {
      const { told, shown } = await answer(header);
      expect(told).not.toHaveProperty("traceparent");
      expect(shown).not.toHaveProperty("traceparent");
    }
  });
});

describe("a subscriber's callback", () => {
  const OWN = `00-${TRACE_ID}-00f067aa0ba902b7-01`;
  const traces = async (input: (event: DeliveredEvent) => object, own?: string, trace: string | undefined = TRACE) => {
    const given = own === undefined ? {} : { traceparent: own };
    const { handler, calls } = await setUp(
      async (_, context) => {
        await context.emit("SESSION_UPDATED", {}, given);
        await context.emitAndWait("CONTEXT_REQUESTED", {}, { timeout: 5, ...given });
        await context.progress({ done: 0.5 });
        await context.respond({ ok: true }, given);
      },
      {},
      (call) => (call.path === "/requests" ? [200, answered("e-9", {})] : undefined),
    );
    const event = delivered("e-1", trace === undefined ? {} : { traceparent: trace });
    await handler(input(event), { getRemainingTimeInMillis: () => 30_000 });
    return calls.map(({ path, headers }) => [path, headers["traceparent"]]);
  };
  const all = (progress: string | undefined, others = progress) => [
    ["/events", others],
    ["/requests", others],
    ["/events/e-1/responses", progress],
    ["/events/e-1/responses", others],
  ];

  it("passes the trace of its event on with all that it says", async () => {
    expect(await traces(direct)).toEqual(all(TRACE));
    expect(await traces((event) => queued(message(event)))).toEqual(all(TRACE));
  });

  it("may name a span of its own", async () => {
    expect(await traces(direct, OWN)).toEqual(all(TRACE, OWN));
  });
});
