import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { call } from "../support/call.ts";
import { cleanUp, eventually, startDev } from "../support/embedded.ts";
import { type TestSubscriber, writeConfig } from "../support/subscriber-config.ts";

afterAll(cleanUp);

const BUDGET = 40;

/** Two agents that answer each other for ever: each gets the type that the other emits. `next` is that type. */
function aPair(on: string, back: string, emitting: (next: string) => string): TestSubscriber[] {
  const handler = (next: string): string =>
    `export const handler = subscriber(async (event, context) => { ${emitting(next)} });`;
  return [
    { name: `from-${on.toLowerCase().replace("_", "-")}`, on, via: "direct", code: handler(back) },
    { name: `from-${back.toLowerCase().replace("_", "-")}`, on: back, via: "queue", code: handler(on) },
  ];
}

/** As one who knows nothing of the client: a plain call, with the fields that it thinks of. */
const plainly = (path: string, body: string, contentType = "application/json"): string => `
  const answer = await fetch(process.env.AGENT_EVENT_BUS_URL + "${path}", { method: "POST", body: JSON.stringify(${body}),
    headers: { "content-type": "${contentType}" } });
  if (!answer.ok) console.log("refused", await answer.text());`;

interface Shown {
  readonly id: string;
  readonly hops: number;
}

describe("agents that answer each other for ever", () => {
  let url: string;
  let lines: readonly string[];

  beforeAll(async () => {
    const subscribers = [
      ...aPair("SESSION_CREATED", "SESSION_UPDATED", (next) => `await context.emit("${next}", {});`),
      ...aPair("CONVERSATION_CREATED", "CONVERSATION_UPDATED", (next) =>
        plainly("/events", `{ type: "${next}", data: {}, correlation_id: event.correlation_id }`),
      ),
      ...aPair("MESSAGE_RECEIVED", "MESSAGE_PROCESSED", (next) =>
        plainly(
          "/events",
          `{ events: [1, 2].map(() => ({ type: "${next}", data: {}, correlation_id: event.correlation_id })) }`,
        ),
      ),
      ...aPair("UPGRADE_REQUESTED", "UPGRADE_COMPLETED", (next) =>
        plainly(
          "/events",
          `{ specversion: "1.0", id: crypto.randomUUID(), source: "/loop", type: "${next}", data: {}, correlationid: event.correlation_id }`,
          "application/cloudevents+json",
        ),
      ),
    ];
    const run = await startDev({
      config: writeConfig(subscribers, { limits: { eventsPerConversation: BUDGET } }).path,
    });
    url = run.url;
    lines = run.lines;
  });

  const emit = (type: string, correlation_id: string): Promise<unknown> =>
    call(url, "POST", "/events", { body: { type, data: {}, correlation_id } });

  /** All events of a conversation, once there come no more. */
  async function atItsEnd(conversation: string): Promise<Shown[]> {
    let before = -1;
    let calm = 0;
    return eventually(async () => {
      const { json } = await call(url, "GET", `/events?correlation_id=${conversation}&limit=1000`);
      const events = json.events as Shown[];
      calm = events.length === before ? calm + 1 : 0;
      before = events.length;
      if (calm < 40) throw new Error(`there are ${events.length} events, and there may come more`);
      return events;
    });
  }

  it("stop after 16 hops when they say what led to what, as the client does for them [emit-18]", async () => {
    await emit("SESSION_CREATED", "with-causes");
    const events = await atItsEnd("with-causes");
    expect(events.map(({ hops }) => hops).sort((a, b) => a - b)).toEqual(Array.from({ length: 17 }, (_, i) => i));
    expect(lines.join("\n")).toContain("17 hops from the first of its chain");
  });

  it("stop when the budget of their conversation is spent, when they do not; and are told what to do [emit-18]", async () => {
    await emit("CONVERSATION_CREATED", "without-causes");
    const events = await atItsEnd("without-causes");
    expect(events.length).toBeGreaterThanOrEqual(BUDGET);
    expect(events.length).toBeLessThanOrEqual(BUDGET + 2);
    const { json } = await call(url, "POST", "/events", {
      body: { type: "CONVERSATION_CREATED", data: {}, correlation_id: "without-causes" },
    });
    expect(json).toMatchObject({ status: 422, code: "loop_detected", retryable: false });
    expect(json.detail).toContain("begin another conversation");
  });

  it("stop when many loops go round in one conversation at once [emit-18]", async () => {
    await Promise.all(Array.from({ length: 10 }, () => emit("CONVERSATION_CREATED", "ten-at-once")));
    const events = await atItsEnd("ten-at-once");
    // Each of them may be on its way when the budget is spent.
    expect(events.length).toBeLessThanOrEqual(BUDGET + 10);
  });

  it("stop when each event leads to two, in batches, though what is on its way then is let through [emit-18]", async () => {
    await emit("MESSAGE_RECEIVED", "in-batches");
    const events = await atItsEnd("in-batches");
    expect(events.length).toBeGreaterThanOrEqual(BUDGET);
    expect(events.length).toBeLessThanOrEqual(BUDGET * 3);
  });

  it("stop when they speak CloudEvents [emit-18]", async () => {
    await emit("UPGRADE_REQUESTED", "as-cloud-events");
    const events = await atItsEnd("as-cloud-events");
    expect(events.length).toBeGreaterThanOrEqual(BUDGET);
    expect(events.length).toBeLessThanOrEqual(BUDGET + 2);
  });
});

describe("agents that answer each other for ever and say nothing of it", () => {
  it("go round no faster than an agent may call [emit-18]", async () => {
    const rate = { perSecond: 10, burst: 20 };
    const subscribers = aPair("SESSION_CREATED", "SESSION_UPDATED", (next) =>
      // Each leads to three.
      [1, 2, 3]
        .map(() => plainly("/events", `{ type: "${next}", data: {} }`).replace("const answer", "var answer"))
        .join(""),
    );
    const { url, waitForLine } = await startDev({
      config: writeConfig(subscribers, { limits: { ratePerAgent: rate } }).path,
    });
    const begun = performance.now();
    await call(url, "POST", "/events", { body: { type: "SESSION_CREATED", data: {} } });
    await waitForLine(/refused .*rate_limited/);
    const { status, json } = await eventually(async () => {
      const reply = await call(url, "GET", "/events?limit=50");
      if (reply.status !== 200) throw new Error(`${reply.status}`);
      return reply;
    });
    const seconds = (performance.now() - begun) / 1_000;
    expect(status).toBe(200);
    expect((json.events as unknown[]).length).toBeLessThanOrEqual(
      rate.burst + rate.burst / 10 + rate.perSecond * seconds,
    );
  });
});
