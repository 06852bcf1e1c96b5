/** A small HTTP server on 127.0.0.1 that plays the bus: it notes every call and answers as the test says. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";
import type { DeliveredEvent } from "../../../shared/event.ts";
import type { JsonObject } from "../../../shared/json.ts";

export interface PlayedCall {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage["headers"];
  readonly text: string;
  /** The body, read as a JSON object. */
  readonly body: JsonObject;
  /** Resolves when the client has closed the connection. */
  readonly gone: Promise<void>;
}

/** Answers a call; `nth` counts from 1 over all calls. */
export type Answer = (call: PlayedCall, reply: ServerResponse, nth: number) => void | Promise<void>;

export interface PlayedBus {
  readonly url: string;
  readonly calls: PlayedCall[];
}

export async function playBus(answer: Answer): Promise<PlayedBus> {
  const calls: PlayedCall[] = [];
  const server = createServer((request, reply) => {
    const chunks: Buffer[] = [];
    const gone = new Promise<void>((resolve) => reply.on("close", resolve));
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const text = Buffer.concat(chunks).toString();
      const { pathname, searchParams } = new URL(request.url ?? "/", "http://bus");
      const body = text === "" ? {} : (JSON.parse(text) as JsonObject);
      const call: PlayedCall = {
        method: request.method ?? "",
        path: pathname,
        query: searchParams,
        headers: request.headers,
        text,
        body,
        gone,
      };
      calls.push(call);
      void answer(call, reply, calls.length);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, calls };
}

/** Tries often and pauses little, so that tests need not wait. */
export const QUICK = { tries: 4, baseMs: 4, capMs: 16 } as const;

export function sendJson(
  reply: ServerResponse,
  status: number,
  body: object,
  headers: Record<string, string> = {},
): void {
  reply.writeHead(status, {
    "content-type": status >= 400 ? "application/problem+json" : "application/json",
    ...headers,
  });
  reply.end(JSON.stringify(body));
}

export function sendProblem(
  reply: ServerResponse,
  status: number,
  code: string,
  more: object = {},
  headers: Record<string, string> = {},
): void {
  const retryable = status === 429 || status >= 500;
  sendJson(
    reply,
    status,
    {
      type: `urn:agent-event-bus:error:${code}`,
      title: code,
      status,
      code,
      retryable,
      detail: `played ${code}`,
      ...more,
    },
    headers,
  );
}

export const openSse = (reply: ServerResponse): void => {
  reply.writeHead(200, { "content-type": "text/event-stream; charset=utf-8" });
  reply.flushHeaders();
};

export function sendBlock(reply: ServerResponse, block: { event?: string; id?: string; data?: object }): void {
  const lines = [
    ...(block.id === undefined ? [] : [`id: ${block.id}`]),
    ...(block.event === undefined ? [] : [`event: ${block.event}`]),
    ...(block.data === undefined ? [] : [`data: ${JSON.stringify(block.data)}`]),
  ];
  reply.write(`${lines.join("\n")}\n\n`);
}

export const receiptFor = (call: PlayedCall, more: object = {}): object => ({
  event_id: "e-1",
  type: call.body.type,
  timestamp: "2026-11-20T10:00:00.000Z",
  correlation_id: "c-1",
  published: true,
  replayed: false,
  ...more,
});

export const answered = (eventId: string, response: JsonObject): object => ({
  event_id: eventId,
  status: "answered",
  response,
  responses: [
    {
      response_id: "r-1",
      event_id: eventId,
      response,
      timestamp: "2026-11-20T10:00:01.000Z",
      responder: "librarian",
      status: "ok",
    },
  ],
  missing: [],
  elapsed_ms: 12,
});

export const pending = (eventId: string): object => ({
  event_id: eventId,
  status: "pending",
  responses: [],
  resume: `/requests/${eventId}`,
});

/** An event as a subscriber gets it. */
export function delivered(id: string, more: Partial<DeliveredEvent> = {}): DeliveredEvent {
  return {
    id,
    type: "CONTEXT_REQUESTED",
    data: { topic: "weather" },
    timestamp: "2026-11-20T10:00:00.000Z",
    correlation_id: "c-1",
    hops: 0,
    source: "asker",
    reply_to: { url: `/events/${id}/responses`, token: `token-of-${id}` },
    ...more,
  };
}

/** Something that comes later, to be resolved from elsewhere. */
export function later<T = void>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => undefined;
  const promise = new Promise<T>((onResolve) => {
    resolve = onResolve;
  });
  return { promise, resolve };
}
