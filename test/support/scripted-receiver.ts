/** A real HTTP server that receives webhooks, and answers each path as a test has told it. */
import { once } from "node:events";
import { createServer as createHttpServer, type IncomingMessage, type RequestListener, type Server } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import type { AddressInfo } from "node:net";
import type { Json } from "./call.ts";

export interface ReceivedCall {
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
  /** The body; an empty object when it is no JSON object. */
  readonly json: Json;
  /** Monotonic, milliseconds. */
  readonly atMs: number;
}

export interface Answer {
  readonly status: number;
  readonly headers?: Record<string, string>;
  readonly body?: Json;
  /** Milliseconds before it answers. */
  readonly afterMs?: number;
}

export interface ScriptedReceiver {
  /** Where it listens on this machine. */
  readonly port: number;
  /** What has come to a path, in order. */
  calls(path: string): readonly ReceivedCall[];
  /** How a path answers its nth call (from 1); 204 when nobody says. */
  answer(path: string, how: (call: ReceivedCall, nth: number) => Answer): void;
  close(): Promise<void>;
}

/** @param tls key and certificate in PEM; without them it speaks http */
export async function startScriptedReceiver(tls?: { key: string; cert: string }): Promise<ScriptedReceiver> {
  const calls = new Map<string, ReceivedCall[]>();
  const answers = new Map<string, (call: ReceivedCall, nth: number) => Answer>();
  const serve: RequestListener = (incoming, outgoing) => {
    void receive(incoming).then((call) => {
      const path = incoming.url ?? "/";
      const sofar = calls.get(path) ?? [];
      calls.set(path, [...sofar, call]);
      const {
        status,
        headers = {},
        body,
        afterMs = 0,
      } = answers.get(path)?.(call, sofar.length + 1) ?? { status: 204 };
      const type = body === undefined ? {} : { "content-type": "application/json" };
      const reply = (): void => {
        outgoing.writeHead(status, { ...type, ...headers }).end(body === undefined ? undefined : JSON.stringify(body));
      };
      if (afterMs === 0) reply();
      else setTimeout(reply, afterMs);
    });
  };
  const server: Server = tls === undefined ? createHttpServer(serve) : createHttpsServer(tls, serve);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    calls: (path) => calls.get(path) ?? [],
    answer: (path, how) => void answers.set(path, how),
    async close() {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

async function receive(incoming: IncomingMessage): Promise<ReceivedCall> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming as AsyncIterable<Buffer>) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString();
  const headers = Object.fromEntries(
    Object.entries(incoming.headers).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.join(", ") : (value ?? ""),
    ]),
  );
  return { headers, text, json: asObject(text), atMs: performance.now() };
}

function asObject(text: string): Json {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Json) : {};
  } catch {
    return {};
  }
}
