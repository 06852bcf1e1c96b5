/** From the options of a client to what every operation works with. */
import type { Connection } from "./calls.ts";
import { urlsFromEnvironment } from "./config.ts";
import { type BusUrls, resolveEndpoints } from "./endpoints.ts";
import { DEFAULT_RETRY, type RetryPolicy } from "./retry.ts";
import { createSign, type SigningOptions } from "./signing.ts";
import { createTransport, type Fetch } from "./transport.ts";

/** Without `url` and `urls`: the environment's AGENT_EVENT_BUS_URLS and AGENT_EVENT_BUS_URL, else `npm run dev`'s. */
export interface AgentEventBusOptions extends SigningOptions {
  /** One base URL for everything. */
  readonly url?: string | undefined;
  /** The URL of each function, as an object or as the JSON of the stack's `Urls` output; `url` serves what it lacks. */
  readonly urls?: BusUrls | string | undefined;
  /** `agent_type` of what is emitted without one of its own. */
  readonly agentType?: string | undefined;
  /** In place of the global `fetch`. */
  readonly fetch?: Fetch | undefined;
  readonly retry?: Partial<RetryPolicy> | undefined;
}

/** @throws Error that says which URL cannot be used */
export function connect(options: AgentEventBusOptions): Connection {
  const isPlaced = options.url !== undefined || options.urls !== undefined;
  const endpoints = resolveEndpoints(isPlaced ? options : urlsFromEnvironment());
  const fetch: Fetch = options.fetch ?? ((url, init) => globalThis.fetch(url, init));
  return {
    transport: createTransport(endpoints, createSign(options), fetch),
    retry: { ...DEFAULT_RETRY, ...options.retry },
    agentType: options.agentType,
  };
}
