import { expect, test } from "vitest";
import { messagesResponse } from "../../../functions/runtime/cloud-events-http.ts";
import type { HttpRequest } from "../../../functions/runtime/http.ts";
import { openAgent } from "../../../shared/agents/agent.ts";
import { toCloudEvent } from "../../../shared/cloud-events/outgoing.ts";
import { deliveredEvent } from "../../support/delivered-event.ts";

const message = { event: deliveredEvent({ id: "e-1" }), receipt: "r-1", attempt: 2 };

function shownTo(accept: string): unknown {
  const request: HttpRequest = {
    method: "GET",
    path: "/subscriptions/s-1/messages",
    query: new URLSearchParams(),
    headers: { accept },
    body: new Uint8Array(),
    agent: openAgent("agent"),
    signal: new AbortController().signal,
    gone: new AbortController().signal,
    canStream: true,
    remainingMs: () => 60_000,
  };
  const { status, headers, body } = messagesResponse(request, [message]);
  expect([status, headers["content-type"]]).toEqual([200, "application/json; charset=utf-8"]);
  return JSON.parse(body as string);
}

test.each(["", "*/*", "application/json", "application/cloudevents-batch+json"])(
  "messages of a queue are in the bus's own form for whoever accepts %j",
  (accept) => expect(shownTo(accept)).toEqual({ messages: [message] }),
);

test.each(["application/cloudevents+json", "text/html, Application/CloudEvents+JSON; charset=utf-8, */*"])(
  "messages of a queue carry CloudEvents with their reply address for whoever accepts %j",
  (accept) => {
    expect(shownTo(accept)).toEqual({ messages: [{ ...message, event: toCloudEvent(message.event) }] });
    expect(shownTo(accept)).toHaveProperty("messages.0.event.replyurl", "/events/e-1/responses");
  },
);
