/** The paths of the wire contract and the function that serves each. */

import { MAX_NAME_CHARS } from "./limits.ts";

/** The functions with a Function URL. Their URLs are the keys of the client's map. */
export const API_FUNCTIONS = [
  "emit",
  "request",
  "respond",
  "history",
  "stream",
  "subscriptions",
  "queue",
  "deliveries",
  "agents",
] as const;
export type ApiFunction = (typeof API_FUNCTIONS)[number];

export interface Route {
  readonly operation: string;
  readonly method: "GET" | "POST" | "PATCH" | "DELETE";
  /** Segments in braces are parameters. */
  readonly path: string;
  readonly servedBy: ApiFunction;
}

/** Order matters where a literal segment and a parameter compete: the literal stands first. */
export const ROUTES = [
  { operation: "emit", method: "POST", path: "/events", servedBy: "emit" },
  { operation: "request", method: "POST", path: "/requests", servedBy: "request" },
  { operation: "resume", method: "GET", path: "/requests/{event_id}", servedBy: "request" },
  { operation: "cancel", method: "DELETE", path: "/requests/{event_id}", servedBy: "request" },
  { operation: "respond", method: "POST", path: "/events/{event_id}/responses", servedBy: "respond" },
  { operation: "stream", method: "GET", path: "/events/stream", servedBy: "stream" },
  { operation: "list", method: "GET", path: "/events", servedBy: "history" },
  { operation: "show", method: "GET", path: "/events/{event_id}", servedBy: "history" },
  { operation: "explain", method: "GET", path: "/events/{event_id}/explain", servedBy: "history" },
  { operation: "types", method: "GET", path: "/event-types", servedBy: "history" },
  { operation: "openapi", method: "GET", path: "/openapi.json", servedBy: "history" },
  { operation: "asyncapi", method: "GET", path: "/asyncapi.json", servedBy: "history" },
  { operation: "health", method: "GET", path: "/health", servedBy: "history" },
  { operation: "subscribe", method: "POST", path: "/subscriptions", servedBy: "subscriptions" },
  { operation: "subscriptions", method: "GET", path: "/subscriptions", servedBy: "subscriptions" },
  { operation: "subscription", method: "GET", path: "/subscriptions/{subscription_id}", servedBy: "subscriptions" },
  { operation: "change", method: "PATCH", path: "/subscriptions/{subscription_id}", servedBy: "subscriptions" },
  { operation: "unsubscribe", method: "DELETE", path: "/subscriptions/{subscription_id}", servedBy: "subscriptions" },
  {
    operation: "rotate",
    method: "POST",
    path: "/subscriptions/{subscription_id}/rotate-secret",
    servedBy: "subscriptions",
  },
  { operation: "messages", method: "GET", path: "/subscriptions/{subscription_id}/messages", servedBy: "queue" },
  { operation: "ack", method: "POST", path: "/subscriptions/{subscription_id}/ack", servedBy: "deliveries" },
  { operation: "nack", method: "POST", path: "/subscriptions/{subscription_id}/nack", servedBy: "deliveries" },
  { operation: "extend", method: "POST", path: "/subscriptions/{subscription_id}/extend", servedBy: "deliveries" },
  { operation: "dead", method: "GET", path: "/deliveries", servedBy: "deliveries" },
  { operation: "redrive", method: "POST", path: "/deliveries/redrive", servedBy: "deliveries" },
  { operation: "registerAgent", method: "POST", path: "/agents", servedBy: "agents" },
  { operation: "agents", method: "GET", path: "/agents", servedBy: "agents" },
  { operation: "agent", method: "GET", path: "/agents/{name}", servedBy: "agents" },
  { operation: "changeAgent", method: "PATCH", path: "/agents/{name}", servedBy: "agents" },
  { operation: "deleteAgent", method: "DELETE", path: "/agents/{name}", servedBy: "agents" },
  { operation: "rotateKey", method: "POST", path: "/agents/{name}/keys", servedBy: "agents" },
  { operation: "revokeKey", method: "DELETE", path: "/agents/{name}/keys/{key_id}", servedBy: "agents" },
] as const satisfies readonly Route[];

export type Operation = (typeof ROUTES)[number]["operation"];

export type RouteMatch =
  | {
      readonly kind: "matched";
      readonly operation: Operation;
      readonly servedBy: ApiFunction;
      readonly params: Readonly<Record<string, string>>;
    }
  | { readonly kind: "unmatched"; readonly allowed: readonly string[] };

/** Finds the route of a request; `allowed` names the methods that the path does serve. */
export function matchRoute(method: string, path: string): RouteMatch {
  const allowed = new Set<string>();
  for (const route of ROUTES) {
    const params = matchPath(route.path, path);
    if (params === null) continue;
    if (route.method === method)
      return { kind: "matched", operation: route.operation, servedBy: route.servedBy, params };
    allowed.add(route.method);
  }
  return { kind: "unmatched", allowed: [...allowed] };
}

function matchPath(template: string, path: string): Record<string, string> | null {
  const expected = template.split("/");
  const actual = path.replace(/(?<=.)\/$/, "").split("/");
  if (expected.length !== actual.length) return null;
  const params: Record<string, string> = {};
  for (const [i, segment] of expected.entries()) {
    const given = actual[i] ?? "";
    if (segment.startsWith("{")) {
      const value = decodeSegment(given);
      // An id is a name; what is longer than one names nothing.
      if (value === null || value === "" || value.length > MAX_NAME_CHARS) return null;
      params[segment.slice(1, -1)] = value;
    } else if (segment !== given) return null;
  }
  return params;
}

function decodeSegment(segment: string): string | null {
  try {
    return decodeURIComponent(segment);
  } catch {
    return null;
  }
}
