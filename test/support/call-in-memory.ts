/** HTTP calls to the functions themselves, on a bus in memory. */
import { handle as agents } from "../../functions/agents.ts";
import { handle as deliveries } from "../../functions/deliveries.ts";
import { handle as emit } from "../../functions/emit.ts";
import { handle as history } from "../../functions/history.ts";
import { handle as queue } from "../../functions/queue.ts";
import { handle as request } from "../../functions/request.ts";
import { handle as respond } from "../../functions/respond.ts";
import type { Handle, HttpRequest } from "../../functions/runtime/http.ts";
import { handle as stream } from "../../functions/stream.ts";
import { handle as subscriptions } from "../../functions/subscriptions.ts";
import { type Agent, openAgent } from "../../shared/agents/agent.ts";
import { type ApiFunction, matchRoute } from "../../shared/routes.ts";
import type { AllDeps, BusInMemory } from "./bus-in-memory.ts";
import type { Call } from "./conformance.ts";

const HANDLES: Readonly<Record<ApiFunction, Handle<AllDeps>>> = {
  emit,
  request,
  respond,
  history,
  stream,
  subscriptions,
  queue,
  deliveries,
  agents,
};

/** How long a function may run, in the bus's virtual time. */
const LIFE_MS = 60_000;

export interface InMemoryCall {
  /** Sent as it is when it is a string, else as JSON. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** Its id, when it may do everything. Default `agent`. */
  readonly caller?: string | Agent;
  /** How long the function may run, in the bus's virtual time. */
  readonly lifeMs?: number;
  /** Default true. */
  readonly canStream?: boolean;
  /** Hears of the answer as it leaves: before what is left to do once the caller has it. */
  readonly onAnswer?: (status: number, text: string) => void;
}

/** @returns the call as it was made and answered, with its body as JSON where it is */
export async function callInMemory(
  { deps, clock }: BusInMemory,
  method: string,
  path: string,
  { body, headers = {}, caller = "agent", lifeMs = LIFE_MS, canStream = true, onAnswer }: InMemoryCall = {},
): Promise<Call & { readonly json: Record<string, unknown> }> {
  const endsAtMs = clock.nowMs + lifeMs;
  const route = matchRoute(method, path.split("?")[0] ?? "");
  const { signal } = new AbortController();
  const call: HttpRequest = {
    method,
    path: path.split("?")[0] ?? "",
    query: new URLSearchParams(path.split("?")[1] ?? ""),
    headers,
    body: new TextEncoder().encode(typeof body === "string" ? body : (JSON.stringify(body) ?? "")),
    agent: typeof caller === "string" ? openAgent(caller) : caller,
    signal,
    gone: signal,
    canStream,
    remainingMs: () => endsAtMs - clock.nowMs,
  };
  const response = await HANDLES[route.kind === "matched" ? route.servedBy : "history"](call, deps);
  const text = typeof response.body === "string" ? response.body : await whole(response.body);
  onAnswer?.(response.status, text);
  await response.afterwards?.();
  return {
    method,
    path,
    requestHeaders: headers,
    requestBody: body,
    status: response.status,
    headers: new Headers(response.headers),
    text,
    json: asJson(text),
  };
}

async function whole(chunks: AsyncIterable<string>): Promise<string> {
  let text = "";
  for await (const chunk of chunks) text += chunk;
  return text;
}

function asJson(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return {};
  }
}
