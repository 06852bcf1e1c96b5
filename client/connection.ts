/** From the options of a client to what every operation works with. */
import type { Connection } from "./calls.ts";
import { keyFromEnvironment, urlsFromEnvironment } from "./config.ts";
import { type BusUrls, resolveEndpoints } from "./endpoints.ts";
import { sendKey } from "./key.ts";
import { DEFAULT_RETRY, type RetryPolicy } from "./retry.ts";
import { createSign, type Sign, type SigningOptions } from "./signing.ts";
import { createTransport, type Fetch } from "./transport.ts";

/** Without `url` and `urls`: the environment's AGENT_EVENT_BUS_URLS and AGENT_EVENT_BUS_URL, else `npm run dev`'s. */
export interface AgentEventBusOptions extends SigningOptions {
  /** One base URL for everything. */
  readonly url?: string | undefined;
  /** The URL of each function, as an object or as the JSON of the stack's `Urls` output; `url` serves what it lacks. */
  readonly urls?: BusUrls | string | undefined;
  /**
   * An agent key (`aeb_…`), sent with every call in place of a signature; over plain http only to this machine. Without it,
   * and without `credentials`: the environment's AGENT_EVENT_BUS_KEY.
   */
  readonly key?: string | undefined;
  /** `agent_type` of what is emitted without one of its own. */
  readonly agentType?: string | undefined;
  /** In place of the global `fetch`. */
  readonly fetch?: Fetch | undefined;
  readonly retry?: Partial<RetryPolicy> | undefined;
}

/** @throws Error that says which URL cannot be used, or that what was given as a key is none */
export function connect(options: AgentEventBusOptions): Connection {
  const isPlaced = options.url !== undefined || options.urls !== undefined;
  const endpoints = resolveEndpoints(isPlaced ? options : urlsFromEnvironment());
  const fetch: Fetch = options.fetch ?? ((url, init) => globalThis.fetch(url, init));
  return {
    transport: createTransport(endpoints, proofOf(options), fetch),
    retry: { ...DEFAULT_RETRY, ...options.retry },
    agentType: options.agentType,
  };
}

/** What proves who calls: an agent key, or a signature where one is needed. */
function proofOf(options: AgentEventBusOptions): Sign {
  if (options.key !== undefined && options.credentials !== undefined)
    throw new Error("Give a key or credentials, not both: a call carries one proof of who makes it.");
  const key = options.key ?? (options.credentials === undefined ? keyFromEnvironment() : undefined);
  return key === undefined ? createSign(options) : sendKey(key);
}
