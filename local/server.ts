/** The one local origin: node:http on the outside, what the functions work with on the inside. */

import { once, setMaxListeners } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { whileLetIn, withoutCredentials } from "../functions/runtime/authenticate.ts";
import { type HttpRequest, type HttpResponse, retryAfter } from "../functions/runtime/http.ts";
import { BusError, toProblem } from "../shared/errors.ts";
import { type CallGate, createCallGate, type Place } from "./call-gate.ts";
import { corsHeaders, type IsOurs, isLoopbackHost, preflightHeaders, whyForbidden } from "./guards.ts";
import type { Identify } from "./key-mode.ts";
import { inUrl, LOOPBACK, listen } from "./listening.ts";
import { createBodyReader, type ReadBody } from "./read-body.ts";

/** As long as a Lambda function may run. */
const CALL_MS = 900_000;

/** So soon a whole request has to be there: who sends slowly keeps a place that others could use. */
const ARRIVAL = { headersTimeout: 30_000, requestTimeout: 30_000, connectionsCheckingInterval: 5_000 } as const;

/** How long a body that was refused may go on. */
const UNREAD_BODY_MS = 5_000;

export interface ServerOptions {
  /** 0 for any free port. */
  readonly port: number;
  /** Where to listen beside 127.0.0.1. Default: nowhere. */
  readonly host?: string;
  /** Which names in a call's `Host` are this machine's. Default: those of loopback. */
  readonly isOurs?: IsOurs;
  /** Whose call it is. Never throws. */
  readonly identify: Identify;
  /** Answers one request. Never throws. */
  readonly serve: (request: HttpRequest) => Promise<HttpResponse>;
  /** How many calls are under way at once. */
  readonly gate?: CallGate;
}

export interface Server {
  /** `http://127.0.0.1:<port>` */
  readonly url: string;
  /** Where it listens for others: the same, unless it was given a host. */
  readonly outsideUrl: string;
  /**
   * Takes no more calls. Those under way are told by their signal, so that waits end as pending and streams end; what
   * is not over after `graceMs` is cut off.
   */
  close(graceMs: number): Promise<void>;
}

/** Listens on loopback, and elsewhere if told. @throws Error with `code: "EADDRINUSE"` when the port is taken */
export async function startServer(options: ServerOptions): Promise<Server> {
  const { port, host = LOOPBACK, gate = createCallGate() } = options;
  const open = new Set<ServerResponse>();
  const shutdown = new AbortController();
  // Every call that is held listens to it, and there may be any number of them.
  setMaxListeners(0, shutdown.signal);
  let closing = false;

  const readBody = createBodyReader();
  const server = createServer(ARRIVAL, (incoming, outgoing) => {
    const gone = new AbortController();
    open.add(outgoing);
    if (closing) outgoing.shouldKeepAlive = false;
    outgoing.once("close", () => {
      open.delete(outgoing);
      if (!outgoing.writableFinished) gone.abort();
      if (closing) setImmediate(() => server.closeIdleConnections());
    });
    answer(incoming, outgoing, { ...options, gate, readBody }, { signal: shutdown.signal, gone: gone.signal }).catch(
      () => outgoing.destroy(),
    );
  });
  // Node closes an idle connection after 5 s, just when a slow poller sends on it again.
  server.keepAliveTimeout = 75_000;
  const listening = await listen(server, port, host);

  return {
    url: `http://${LOOPBACK}:${listening.port}`,
    outsideUrl: `http://${inUrl(host)}:${listening.port}`,
    async close(graceMs) {
      closing = true;
      const closed = listening.close();
      for (const outgoing of open) if (!outgoing.headersSent) outgoing.shouldKeepAlive = false;
      shutdown.abort();
      const cutOff = setTimeout(() => server.closeAllConnections(), graceMs);
      await closed;
      clearTimeout(cutOff);
    },
  };
}

type Gated = ServerOptions & { readonly gate: CallGate; readonly readBody: ReadBody };
type Signals = Pick<HttpRequest, "signal" | "gone">;

async function answer(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  options: Gated,
  signals: Signals,
): Promise<void> {
  const { isOurs = isLoopbackHost, gate } = options;
  const { origin } = incoming.headers;
  const refusal = whyForbidden(incoming.headers, isOurs);
  if (refusal !== null) return refuse(incoming, outgoing, problem(new BusError("forbidden", refusal)));
  if (incoming.method === "OPTIONS") {
    outgoing.writeHead(204, preflightHeaders(origin)).end();
    return;
  }
  const called = { method: incoming.method ?? "GET", ...readTarget(incoming.url ?? "/") };
  let place: Place | undefined;
  try {
    place = gate.enter(called);
    await answerCall(incoming, outgoing, options, { ...called, ...signals }, place);
  } catch (error) {
    // Turned away before it was looked at, by its numbers or by its size.
    if (!(error instanceof BusError) || outgoing.headersSent) throw error;
    await refuse(incoming, outgoing, problem(error), corsHeaders(origin));
  } finally {
    place?.leave();
  }
}

/** @throws BusError when it is turned away before a function has it */
async function answerCall(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  { serve, identify, readBody }: Gated,
  call: Signals & Pick<HttpRequest, "method" | "path" | "query">,
  place: Place,
): Promise<void> {
  const endsAt = performance.now() + CALL_MS;
  const { method, path, signal, gone } = call;
  const { origin, authorization } = incoming.headers;
  const whose = () => identify({ method, path, authorization });
  const identified = await whose();
  if (identified.kind === "refused") return refuse(incoming, outgoing, identified.response, corsHeaders(origin));
  const { agent } = identified;
  place.takeFor(agent);
  const body = await readBody(incoming, agent.id);

  const response = await serve({
    ...call,
    headers: withoutCredentials(joinHeaders(incoming)),
    body,
    agent,
    canStream: true,
    remainingMs: () => endsAt - performance.now(),
  });
  const watched = whileLetIn(response, agent, whose, () => performance.now());
  await send(outgoing, watched, corsHeaders(origin), [signal, gone]);
  await response.afterwards?.();
}

/** Path and query as they were sent: `new URL` would resolve `..` and take `//x` for a host. */
function readTarget(target: string): Pick<HttpRequest, "path" | "query"> {
  const question = target.indexOf("?");
  return question < 0
    ? { path: target, query: new URLSearchParams() }
    : { path: target.slice(0, question), query: new URLSearchParams(target.slice(question + 1)) };
}

function joinHeaders(incoming: IncomingMessage): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(incoming.headers))
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(", ") : value;
  return headers;
}

/** Sends a response; a stream only as fast as the client reads it, and until one of `ends` aborts. */
async function send(
  outgoing: ServerResponse,
  response: HttpResponse,
  extra: Record<string, string>,
  ends: readonly AbortSignal[],
): Promise<void> {
  const { status, headers, body } = response;
  if (typeof body === "string") {
    outgoing.writeHead(status, { ...headers, ...extra, "content-length": Buffer.byteLength(body) }).end(body);
    return;
  }
  outgoing.writeHead(status, { ...headers, ...extra });
  outgoing.flushHeaders();
  const signal = AbortSignal.any([...ends]);
  for await (const chunk of body) {
    if (signal.aborted) break;
    if (!outgoing.write(chunk)) await drained(outgoing, signal);
  }
  outgoing.end();
}

async function drained(outgoing: ServerResponse, signal: AbortSignal): Promise<void> {
  await once(outgoing, "drain", { signal }).catch(() => undefined);
}

/** A refusal that no function gives. */
function problem(error: BusError): HttpResponse {
  const told = toProblem(error);
  return {
    status: told.status,
    headers: { "content-type": "application/problem+json", ...retryAfter(told) },
    body: JSON.stringify(told),
  };
}

/** What is left of the body is read for a while and dropped, or the client could not hear the refusal. */
async function refuse(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  response: HttpResponse,
  extra: Record<string, string> = {},
): Promise<void> {
  await send(outgoing, response, extra, []);
  if (incoming.complete) return;
  const hangUp = setTimeout(() => incoming.destroy(), UNREAD_BODY_MS);
  incoming.once("close", () => clearTimeout(hangUp)).resume();
}
