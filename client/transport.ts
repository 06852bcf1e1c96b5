/** One HTTP call: addressed, signed, sent once, its failure made an `AgentEventBusError`. Retrying is the caller's. */
import { linkAbort } from "./abort.ts";
import { readText } from "./body.ts";
import { type Endpoints, queryString, type Target } from "./endpoints.ts";
import { AgentEventBusError, errorOfResponse, unreachable } from "./errors.ts";
import type { Sign } from "./signing.ts";

export interface Call extends Target {
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  /** Names in lower case. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly body?: object;
}

/** What a call to `fetch` looks like, so that tests and emulators can put their own in its place. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

interface CallLimits {
  readonly signal?: AbortSignal | undefined;
  readonly timeoutMs: number;
}

export interface Transport {
  /** A JSON object. @throws AgentEventBusError; the signal's reason when it aborts */
  json<Body>(call: Call, limits: CallLimits): Promise<Body>;
  /** A call that is answered with nothing but its success: 204. @throws as `json` does */
  done(call: Call, limits: CallLimits): Promise<void>;
  /**
   * An answer of any length, to be read under the same signal.
   * @throws AgentEventBusError; the signal's reason when it aborts
   */
  open(call: Call, accept: string, signal: AbortSignal): Promise<Response>;
}

/** For calls that are not held: a cold start and a slow store fit well within it. */
export const CALL_TIMEOUT_MS = 15_000;

export function createTransport(endpoints: Endpoints, sign: Sign, fetch: Fetch): Transport {
  const open: Transport["open"] = async (call, accept, signal) => {
    const url = new URL(`${endpoints(call.servedBy)}${call.path}${queryString(call.query ?? {})}`);
    const body = call.body === undefined ? undefined : toJson(call.body);
    const plain = { accept, ...(body === undefined ? {} : { "content-type": "application/json" }), ...call.headers };
    const headers = await sign({ method: call.method, url, headers: plain, body });
    signal.throwIfAborted();
    const init: RequestInit = {
      method: call.method,
      headers,
      signal,
      redirect: "error",
      ...(body === undefined ? {} : { body }),
    };
    const response = await fetch(url.href, init).catch((cause: unknown) => {
      signal.throwIfAborted();
      throw unreachable(`No answer from ${url.href}: ${reasonOf(cause)}`, cause);
    });
    if (response.ok) return response;
    throw errorOfResponse(response, await readText(response, signal));
  };
  const within = async <T>(
    { signal, timeoutMs }: CallLimits,
    work: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> => {
    const link = linkAbort(signal, timeoutMs);
    try {
      return await work(link.signal);
    } finally {
      link.release();
    }
  };
  return {
    open,
    json: <Body>(call: Call, limits: CallLimits) =>
      within(limits, async (signal) => {
        const response = await open(call, "application/json", signal);
        return parseObject(await readText(response, signal)) as Body;
      }),
    done: (call, limits) =>
      within(limits, async (signal) => {
        const response = await open(call, "application/json", signal);
        const text = await readText(response, signal);
        // Whatever else says "fine" is not the bus: a page of a proxy, say.
        if (response.status !== 204 || text !== "")
          throw unreachable(`An empty answer was expected, not a ${response.status}.`);
      }),
  };
}

/** @throws AgentEventBusError `invalid_json` for what JSON cannot write: a circle, a BigInt, endless depth */
function toJson(body: object): string {
  try {
    return JSON.stringify(body);
  } catch (cause) {
    const detail = `The body cannot be written as JSON: ${reasonOf(cause)}`;
    throw new AgentEventBusError("invalid_json", detail, { status: 0, retryable: false, cause });
  }
}

/** `fetch` says only that it failed; why is in the cause. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  return cause instanceof Error ? cause.message || cause.name : String(cause);
}

/** @throws AgentEventBusError `unreachable` for an answer that is not the bus's: a proxy's page, a body cut short */
export function parseObject(text: string): object {
  try {
    const value: unknown = JSON.parse(text);
    if (value !== null && typeof value === "object") return value;
  } catch (cause) {
    throw unreachable("The answer was not JSON.", cause);
  }
  throw new AgentEventBusError("unreachable", "The answer was not a JSON object.", { status: 0, retryable: true });
}
