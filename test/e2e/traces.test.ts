import { afterEach, describe, expect, test } from "vitest";
import { AgentEventBus } from "../../client/agent-event-bus.ts";
import { call, cleanUp, eventually, startDev } from "../support/embedded.ts";
import { type TestSubscriber, writeConfig } from "../support/subscriber-config.ts";
import { receiveHttp } from "../support/webhook-endpoint.ts";

afterEach(cleanUp);

const TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736";
const ASKER = `00-${TRACE_ID}-00f067aa0ba902b7-01`;
const ANSWERER = `00-${TRACE_ID}-b7ad6b7169203331-01`;

interface Told {
  readonly status: string;
  readonly response: Record<string, unknown>;
  readonly responses: readonly { readonly responder: string; readonly traceparent?: string }[];
}

/** What is asked is answered after two further steps: one that is told to all, and a question of its own. */
const SUBSCRIBERS: readonly TestSubscriber[] = [
  {
    name: "planner",
    on: "CONTEXT_REQUESTED",
    via: "direct",
    code: `export const handler = subscriber<"CONTEXT_REQUESTED">(async (event, context) => {
      await context.emit("SESSION_UPDATED", {});
      const { response } = await context.emitAndWait("UPGRADE_REQUESTED", { target: "billing" }, { timeout: 10 });
      return { seen: event.traceparent, approved: response?.approved === true };
    });`,
  },
  {
    name: "recorder",
    on: "SESSION_UPDATED",
    via: "queue",
    answers: false,
    code: `export const handler = subscriber<"SESSION_UPDATED">(async (event, context) => {
      await context.emit("SESSION_CREATED", { seen: event.traceparent ?? null });
    });`,
  },
];

describe("one trace", () => {
  test("goes from who asks through every way of delivery, and what is said on the way, to who answers", async () => {
    const config = writeConfig(SUBSCRIBERS);
    const { url } = await startDev({ config: config.path, args: ["--allow-loopback-webhooks"] });
    const bus = new AgentEventBus({ url });
    const seen: Record<string, string | undefined> = {};

    const hook = await receiveHttp((incoming, answer) => {
      seen["webhook"] = String(incoming.headers["traceparent"]);
      incoming.resume();
      answer.end();
    });
    await bus.createSubscription({
      name: "hook",
      eventTypes: ["SESSION_UPDATED"],
      target: { kind: "webhook", url: `http://127.0.0.1:${hook.port}/` },
      answers: false,
    });
    const approver = await bus.subscribe("UPGRADE_REQUESTED", async (event, context) => {
      seen["stream"] = event.traceparent;
      await context.respond({ approved: true }, { traceparent: ANSWERER });
    });
    const archived = (event: { traceparent?: string }): void => {
      seen["queue"] = event.traceparent;
    };
    const archive = await bus.subscribe("SESSION_UPDATED", archived, {
      durable: "archive",
      answers: false,
    });

    const question = { type: "CONTEXT_REQUESTED", data: { topic: "upgrades" }, timeout: 15 };
    const asked = await call<Told & { event_id: string }>(`${url}/requests`, question, {
      headers: { traceparent: ASKER },
    });
    expect(asked.body).toMatchObject({ status: "answered", response: { seen: ASKER, approved: true } });
    expect(asked.body.responses).toMatchObject([{ responder: "planner", traceparent: ASKER }]);
    await eventually(() => expect(Object.keys(seen).sort()).toEqual(["queue", "stream", "webhook"]));
    expect(seen).toEqual({ queue: ASKER, stream: ASKER, webhook: ASKER });

    const ofConversation = `${url}/events?correlation_id=${asked.body.event_id}&order=asc`;
    const events = await eventually(async () => {
      const { body } = await call<{ events: { id: string; type: string; traceparent?: string; data: object }[] }>(
        ofConversation,
      );
      expect(body.events.map(({ type }) => type).sort()).toEqual([
        "CONTEXT_REQUESTED",
        "SESSION_CREATED",
        "SESSION_UPDATED",
        "UPGRADE_REQUESTED",
      ]);
      return body.events;
    });
    expect(events.map(({ traceparent }) => traceparent?.split("-")[1])).toEqual(events.map(() => TRACE_ID));
    expect(events.find(({ type }) => type === "SESSION_CREATED")?.data).toEqual({ seen: ASKER });

    // Whose span answered is the answer's to say.
    const nested = events.find(({ type }) => type === "UPGRADE_REQUESTED")?.id;
    const { body } = await call<Pick<Told, "responses">>(`${url}/events/${nested}`);
    expect(body.responses).toMatchObject([{ traceparent: ANSWERER }]);
    await Promise.all([approver.close(), archive.close()]);
  });
});
