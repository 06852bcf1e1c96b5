/**
 * Who may talk to a bus that asks nobody for a name: programs of this machine, and pages served from it. Where it listens
 * for others too, whoever calls it has a key; the guards go on to keep pages of other sites away.
 *
 * The socket is bound to loopback, but a browser can be led to it: by a page of another site (hence `Origin`), or by a
 * name that is made to resolve to 127.0.0.1 (DNS rebinding, hence `Host`).
 */
import type { IncomingHttpHeaders } from "node:http";
import { isIP } from "node:net";
import { CLOUD_EVENT_HEADERS } from "../shared/cloud-events/outgoing.ts";

/** Whether `host[:port]` is what this machine may be called. */
export type IsOurs = (host: string) => boolean;

/** What is wrong with where a request comes from; null when it may go on. @param isOurs loopback only, when not given */
export function whyForbidden(headers: IncomingHttpHeaders, isOurs: IsOurs = isLoopbackHost): string | null {
  const { host, origin } = headers;
  if (host === undefined || !isOurs(host))
    return isOurs === isLoopbackHost
      ? "The Host header does not name this machine's loopback interface."
      : "The Host header names neither an address nor this machine.";
  if (origin !== undefined) return isLoopbackOrigin(origin) ? null : "The page's origin is not on this machine.";
  // Links, images and the like carry no Origin, but every browser says where they come from.
  if (headers["sec-fetch-site"] === "cross-site") return "The request comes from a page of another site.";
  return null;
}

/** Whether `host[:port]` is a loopback name or address. */
export const isLoopbackHost: IsOurs = (host) => {
  const name = nameIn(host);
  return name !== null && isLoopbackName(name);
};

/**
 * Where it listens for others: any address, for a name that is made to lead here is no address, and the names that this
 * machine is known to have.
 */
export function hostsOf(names: readonly string[]): IsOurs {
  const known = names.map((name) => name.toLowerCase());
  return (host) => {
    const name = nameIn(host);
    if (name === null) return false;
    return isLoopbackName(name) || isIP(name.replace(/^\[|\]$/g, "")) !== 0 || known.includes(name.toLowerCase());
  };
}

/** The name in `host[:port]`, an IPv6 address in brackets; null when it is neither name nor address. */
function nameIn(host: string): string | null {
  return /^(\[[0-9a-f:.]+\]|[a-z0-9.-]+)(:\d{1,5})?$/i.exec(host)?.[1] ?? null;
}

function isLoopbackOrigin(origin: string): boolean {
  const host = /^https?:\/\/(.+)$/i.exec(origin)?.[1];
  return host !== undefined && isLoopbackHost(host);
}

/** @param name an IPv6 address in brackets */
export function isLoopbackName(name: string): boolean {
  const lower = name.toLowerCase();
  // RFC 6761, section 6.3: whatever ends in .localhost is this machine.
  return (
    lower === "localhost" || lower.endsWith(".localhost") || lower === "[::1]" || /^127(\.\d{1,3}){3}$/.test(lower)
  );
}

/** The headers that let a page of this machine read an answer. */
export function corsHeaders(origin: string | undefined): Record<string, string> {
  if (origin === undefined) return {};
  return {
    "access-control-allow-origin": origin,
    "access-control-expose-headers": "link, location, retry-after, www-authenticate",
    vary: "origin",
  };
}

/** What a page may send. */
const ALLOWED_HEADERS: readonly string[] = [
  "accept",
  "authorization",
  "content-type",
  "idempotency-key",
  "last-event-id",
  "traceparent",
  ...CLOUD_EVENT_HEADERS,
];

/** The answer to a browser that asks beforehand. */
export function preflightHeaders(origin: string | undefined): Record<string, string> {
  return {
    ...corsHeaders(origin),
    "access-control-allow-methods": "GET, POST, PATCH, DELETE",
    "access-control-allow-headers": ALLOWED_HEADERS.join(", "),
    "access-control-max-age": "600",
  };
}
