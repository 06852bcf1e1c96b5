/** A deployed subscriber's handler over a played bus, and what Lambda calls it with. */
import { AgentEventBus } from "../../../client/agent-event-bus.ts";
import { type SubscriberCallback, type SubscriberOptions, subscriber } from "../../../client/subscriber.ts";
import { type DeliveredEvent, EVENT_SOURCE } from "../../../shared/event.ts";
import type { BuiltInEventTypes } from "../../../shared/event-types/catalogue.ts";
import type { Logger } from "../../../shared/ports.ts";
import { type PlayedBus, type PlayedCall, playBus, QUICK, receiptFor, sendJson, sendProblem } from "./played-bus.ts";

export const direct = (event: DeliveredEvent): object => ({
  version: "0",
  source: EVENT_SOURCE,
  "detail-type": event.type,
  detail: event,
});

export const queued = (...messages: { id: string; body: string; receives?: number }[]): object => ({
  Records: messages.map(({ id, body, receives = 1 }) => ({
    messageId: id,
    body,
    attributes: { ApproximateReceiveCount: String(receives) },
    eventSource: "aws:sqs",
  })),
});
export const message = (event: DeliveredEvent, receives = 1) => ({
  id: `m-${event.id}`,
  body: JSON.stringify(direct(event)),
  receives,
});
export const inMs = (ms: number): string => new Date(Date.now() + ms).toISOString();

interface Line {
  readonly level: string;
  readonly message: string;
  readonly fields: Record<string, unknown>;
}

/** A handler over a played bus that takes every answer unless the test says otherwise. */
export async function setUp(
  callback: SubscriberCallback<BuiltInEventTypes, never>,
  options: Partial<SubscriberOptions> = {},
  onCall?: (call: PlayedCall) => [number, object] | undefined,
) {
  const played = await playBus((call, reply) => {
    const [status, body] = onCall?.(call) ?? [
      200,
      call.path === "/events"
        ? receiptFor(call)
        : { event_id: "e", response_id: "r", verdict: "accepted", timestamp: "t" },
    ];
    if (status >= 400) sendProblem(reply, status, (body as { code: string }).code, body);
    else sendJson(reply, status, body);
  });
  const lines: Line[] = [];
  const note =
    (level: string) =>
    (text: string, fields: Record<string, unknown> = {}) =>
      void lines.push({ level, message: text, fields });
  const log: Logger = { info: note("info"), warn: note("warn"), error: note("error") };
  const handler = subscriber(callback, {
    name: "librarian",
    bus: new AgentEventBus({ url: played.url, retry: QUICK }),
    log,
    ...options,
  });
  return { handler, lines, answers: () => answersOf(played), calls: played.calls };
}

export const answersOf = ({ calls }: Pick<PlayedBus, "calls">) =>
  calls
    .filter((call) => call.path.endsWith("/responses"))
    .map(({ path, query, body }) => ({
      path,
      as: query.get("as"),
      status: body.status,
      response: body.response,
      token: body.reply_token,
      id: body.response_id,
    }));
