/** The one local origin: node:http on the outside, what the functions work with on the inside. */

import { once, setMaxListeners } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { HttpRequest, HttpResponse } from "../functions/runtime/http.ts";
import { openAgent } from "../shared/agents/agent.ts";
import { BusError, toProblem } from "../shared/errors.ts";
import { MAX_BODY_BYTES } from "../shared/limits.ts";
import { corsHeaders, preflightHeaders, whyForbidden } from "./guards.ts";

/** Who calls: nobody proves anything on loopback. */
const LOCAL_AGENT = openAgent("local");

/** As long as a Lambda function may run. */
const CALL_MS = 900_000;

/** How long a body that was refused may go on. */
const UNREAD_BODY_MS = 5_000;

export interface ServerOptions {
  /** 0 for any free port. */
  readonly port: number;
  /** Answers one request. Never throws. */
  readonly serve: (request: HttpRequest) => Promise<HttpResponse>;
}

export interface Server {
  /** `http://127.0.0.1:<port>` */
  readonly url: string;
  /**
   * Takes no more calls. Those under way are told by their signal, so that waits end as pending and streams end; what
   * is not over after `graceMs` is cut off.
   */
  close(graceMs: number): Promise<void>;
}

/** Listens on loopback. @throws Error with `code: "EADDRINUSE"` when the port is taken */
export async function startServer({ port, serve }: ServerOptions): Promise<Server> {
  const open = new Set<ServerResponse>();
  const shutdown = new AbortController();
  // Every call that is held listens to it, and there may be any number of them.
  setMaxListeners(0, shutdown.signal);
  let closing = false;

  const server = createServer((incoming, outgoing) => {
    const gone = new AbortController();
    open.add(outgoing);
    if (closing) outgoing.shouldKeepAlive = false;
    outgoing.once("close", () => {
      open.delete(outgoing);
      if (!outgoing.writableFinished) gone.abort();
      if (closing) setImmediate(() => server.closeIdleConnections());
    });
    answer(incoming, outgoing, serve, { signal: shutdown.signal, gone: gone.signal }).catch(() => outgoing.destroy());
  });
  // Node closes an idle connection after 5 s, just when a slow poller sends on it again.
  server.keepAliveTimeout = 75_000;
  server.listen(port, "127.0.0.1");
  await once(server, "listening");

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close(graceMs) {
      closing = true;
      const closed = once(server, "close");
      server.close();
      for (const outgoing of open) if (!outgoing.headersSent) outgoing.shouldKeepAlive = false;
      shutdown.abort();
      const cutOff = setTimeout(() => server.closeAllConnections(), graceMs);
      await closed;
      clearTimeout(cutOff);
    },
  };
}

async function answer(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  serve: ServerOptions["serve"],
  signals: Pick<HttpRequest, "signal" | "gone">,
): Promise<void> {
  const endsAt = performance.now() + CALL_MS;
  const { origin } = incoming.headers;
  const refusal = whyForbidden(incoming.headers);
  if (refusal !== null) return refuse(incoming, outgoing, new BusError("forbidden", refusal));
  if (incoming.method === "OPTIONS") {
    outgoing.writeHead(204, preflightHeaders(origin)).end();
    return;
  }
  const body = await readBody(incoming);
  if (body === null)
    return refuse(
      incoming,
      outgoing,
      new BusError("payload_too_large", `A body may have ${MAX_BODY_BYTES} bytes.`),
      corsHeaders(origin),
    );

  const target = splitTarget(incoming.url ?? "/");
  const response = await serve({
    method: incoming.method ?? "GET",
    path: target.path,
    query: new URLSearchParams(target.query),
    headers: joinHeaders(incoming),
    body,
    agent: LOCAL_AGENT,
    ...signals,
    canStream: true,
    remainingMs: () => endsAt - performance.now(),
  });
  await send(outgoing, response, corsHeaders(origin), AbortSignal.any([signals.signal, signals.gone]));
  await response.afterwards?.();
}

/** Path and query as they were sent: `new URL` would resolve `..` and take `//x` for a host. */
function splitTarget(target: string): { path: string; query: string } {
  const question = target.indexOf("?");
  return question < 0
    ? { path: target, query: "" }
    : { path: target.slice(0, question), query: target.slice(question + 1) };
}

function joinHeaders(incoming: IncomingMessage): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(incoming.headers))
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(", ") : value;
  return headers;
}

/** The whole body; null when it is over the limit, of which no more is then read. */
async function readBody(incoming: IncomingMessage): Promise<Uint8Array | null> {
  if (Number(incoming.headers["content-length"] ?? 0) > MAX_BODY_BYTES) return null;
  const chunks: Buffer[] = [];
  let bytes = 0;
  // Not the plain iterator: left early, it would destroy the socket before the refusal is sent.
  for await (const chunk of incoming.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_BODY_BYTES) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** Sends a response; a stream only as fast as the client reads it, and no further than the client is there. */
async function send(
  outgoing: ServerResponse,
  response: HttpResponse,
  extra: Record<string, string>,
  signal: AbortSignal,
): Promise<void> {
  const { status, headers, body } = response;
  if (typeof body === "string") {
    outgoing.writeHead(status, { ...headers, ...extra, "content-length": Buffer.byteLength(body) }).end(body);
    return;
  }
  outgoing.writeHead(status, { ...headers, ...extra });
  outgoing.flushHeaders();
  for await (const chunk of body) {
    if (signal.aborted) break;
    if (!outgoing.write(chunk)) await drained(outgoing, signal);
  }
  outgoing.end();
}

async function drained(outgoing: ServerResponse, signal: AbortSignal): Promise<void> {
  await once(outgoing, "drain", { signal }).catch(() => undefined);
}

/** Answers with a problem. What is left of the body is read for a while and dropped, or the client could not hear it. */
function refuse(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  error: BusError,
  extra: Record<string, string> = {},
): void {
  const problem = toProblem(error);
  outgoing
    .writeHead(problem.status, { ...extra, "content-type": "application/problem+json" })
    .end(JSON.stringify(problem));
  if (incoming.complete) return;
  const hangUp = setTimeout(() => incoming.destroy(), UNREAD_BODY_MS);
  incoming.once("close", () => clearTimeout(hangUp)).resume();
}
