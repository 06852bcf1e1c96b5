/** The request and response that every function's `handle` works with, whoever carries them. */
import type { Agent } from "../../shared/agents/agent.ts";
import { requireOperation } from "../../shared/agents/authorize.ts";
import { BusError, invalidField, type Problem, toProblem } from "../../shared/errors.ts";
import { readTraceparent } from "../../shared/input.ts";
import type { JsonValue } from "../../shared/json.ts";
import { MAX_BODY_BYTES } from "../../shared/limits.ts";
import { type LogFields, loggingAbout, traceField } from "../../shared/log.ts";
import { parseJson } from "../../shared/parse-json.ts";
import type { Deps, Logger } from "../../shared/ports.ts";
import { matchRoute, type Operation, type RouteMatch } from "../../shared/routes.ts";
import { COSTS } from "./call-cost.ts";
import { describeError } from "./describe-error.ts";

export interface HttpRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  /** The verified caller. */
  readonly agent: Agent;
  /** Aborts when the call must end: shortly before the function's time is up, or because the run is shutting down. */
  readonly signal: AbortSignal;
  /** Aborts when the client is known to be gone, which on Lambda it never is. A wait goes on to its end all the same. */
  readonly gone: AbortSignal;
  /** Whether a stream reaches the client as it comes; else it does at its end. */
  readonly canStream: boolean;
  /** How much longer the function may run, in milliseconds. */
  remainingMs(): number;
}

export interface HttpResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Text, or a stream of server-sent events. */
  readonly body: string | AsyncIterable<string>;
  /** What is left to do once the answer is on its way; never throws. */
  readonly afterwards?: () => Promise<void>;
}

/** Not known, not allowed, too often: what whoever runs the bus wants to know of. */
const REFUSALS: readonly number[] = [401, 403, 429];

/** What a function does with a request. Never throws: a failure is a problem document. */
export type Handle<D extends Deps = Deps> = (request: HttpRequest, deps: D) => Promise<HttpResponse>;

/** One operation of the wire contract; throws `BusError`. */
export type Serve<D extends Deps = Deps> = (
  request: HttpRequest,
  deps: D,
  params: Readonly<Record<string, string>>,
) => Promise<HttpResponse>;

/** A function's `handle` from the operations that it serves. */
export function serveOperations<D extends Deps = Deps>(operations: Partial<Record<Operation, Serve<D>>>): Handle<D> {
  return async (request, deps) => {
    const match = matchRoute(request.method, request.path);
    const call = loggingAbout(deps, aboutCall(request, match));
    const startedAt = deps.monotonic();
    try {
      const serve = match.kind === "matched" ? operations[match.operation] : undefined;
      if (match.kind !== "matched" || serve === undefined)
        throw notServed(request, match.kind === "unmatched" ? match.allowed : []);
      await charge(call, request, match.operation);
      requireOperation(call, request.agent, match.operation);
      const response = await serve(request, call, match.params);
      // Of a stream it is the time to its beginning.
      const elapsed_ms = Math.round(deps.monotonic() - startedAt);
      call.log.debug?.("a call was served", { status: response.status, elapsed_ms });
      return response;
    } catch (error) {
      return problemResponse(error, call.log);
    }
  };
}

/** By what the records of a call are found. Nothing of its body, its headers or its query but the trace's id. */
function aboutCall({ agent, headers }: HttpRequest, match: RouteMatch): LogFields {
  return {
    ...(match.kind === "matched" ? { operation: match.operation, ...match.params } : {}),
    agent: agent.id,
    ...traceField(readTraceparent(headers["traceparent"])),
  };
}

/** The error for a path or a method that is not served here. */
export function notServed(request: Pick<HttpRequest, "method" | "path">, allowed: readonly string[]): BusError {
  const hint =
    allowed.length > 0 ? `It serves ${allowed.join(" and ")}.` : "GET /health tells whether this is the right place.";
  return new BusError("not_found", `${request.method} ${request.path} is not served. ${hint}`);
}

export function jsonResponse(
  status: number,
  body: object,
  headers: Readonly<Record<string, string>> = {},
): HttpResponse {
  return {
    status,
    headers: { "content-type": "application/json; charset=utf-8", ...headers },
    body: JSON.stringify(body),
  };
}

/** Done, and nothing to say. */
export function emptyResponse(): HttpResponse {
  return { status: 204, headers: {}, body: "" };
}

/** A failure as the caller sees it; what was not foreseen is logged with its cause, and whoever is turned away is too. */
export function problemResponse(error: unknown, log: Logger): HttpResponse {
  const problem = toProblem(error);
  const { status, code } = problem;
  if (status >= 500) log.error("an operation failed", { status, code, error: describeError(error) });
  else if (REFUSALS.includes(status)) log.warn("a call was refused", { status, code });
  else log.debug?.("a call had a fault", { status, code });
  return {
    status: problem.status,
    headers: { "content-type": "application/problem+json; charset=utf-8", ...retryAfter(problem) },
    body: JSON.stringify(problem),
  };
}

/** Whole seconds, so never too early; 1 where the bus cannot know. (RFC 9110, section 10.2.3) */
export function retryAfter({ retryable, retry_after_ms = 1_000 }: Problem): Record<string, string> {
  return retryable ? { "retry-after": String(Math.ceil(retry_after_ms / 1_000)) } : {};
}

/** Takes what a call costs: a token before anything of it is looked at, then what its body or its query asks for. */
async function charge({ limiter }: Deps, request: HttpRequest, operation: Operation): Promise<void> {
  const { agent, query } = request;
  const { tokens, more } = COSTS[operation];
  await limiter.take(agent.id, tokens);
  if (more === undefined) return;
  const body = (): JsonValue => {
    try {
      return readBody(request);
    } catch {
      // What is wrong with a body is the operation's to say.
      return null;
    }
  };
  await limiter.take(agent.id, more({ query, body }), tokens);
}

/** Bodies that have been read: what a call costs, and what it wants, stand in the same one. */
const read = new WeakMap<HttpRequest["body"], JsonValue>();

/** The body as JSON. @throws BusError `payload_too_large`, `invalid_json` */
export function readBody({ body }: HttpRequest): JsonValue {
  const json = read.get(body) ?? parseBody(body);
  read.set(body, json);
  return json;
}

function parseBody(body: HttpRequest["body"]): JsonValue {
  if (body.length > MAX_BODY_BYTES)
    throw new BusError("payload_too_large", `The body has ${body.length} bytes; the limit is ${MAX_BODY_BYTES}.`);
  return parseJson(body);
}

/** The query as an object. @throws BusError `invalid_request` for a parameter given twice */
export function readQuery(request: HttpRequest): Record<string, string> {
  const query: Record<string, string> = Object.create(null);
  for (const [name, value] of request.query) {
    if (Object.hasOwn(query, name)) throw invalidField(`/${name}`, "one value was expected");
    query[name] = value;
  }
  return { ...query };
}

/** Whether the caller wants server-sent events. */
export function wantsEventStream(request: HttpRequest): boolean {
  return (request.headers["accept"] ?? "").toLowerCase().includes("text/event-stream");
}
