/** Which URL serves which operation. */
import { API_FUNCTIONS, type ApiFunction, type Operation, ROUTES } from "../shared/routes.ts";

/** The URLs of the functions, as the stack's `Urls` output gives them. */
export type BusUrls = Readonly<Partial<Record<ApiFunction, string>>>;

/** Where `npm run dev` listens. */
export const LOCAL_URL = "http://127.0.0.1:7070";

/** The base URL of a function, without a slash at its end. @throws Error when there is none */
export type Endpoints = (servedBy: ApiFunction) => string;

/** Method, path and function of an operation, its parameters filled in. */
export interface Target {
  readonly method: string;
  /** With a slash at its beginning; encoded. */
  readonly path: string;
  readonly servedBy: ApiFunction;
}

export function targetOf(operation: Operation, params: Readonly<Record<string, string>> = {}): Target {
  const route = ROUTES.find((one) => one.operation === operation) as (typeof ROUTES)[number];
  const path = route.path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(params[name] ?? ""));
  return { method: route.method, path, servedBy: route.servedBy };
}

/**
 * One base URL serves everything, unless `urls` has one for the function.
 * @param urls an object or its JSON
 * @throws Error that says which URL cannot be used
 */
export function resolveEndpoints(given: {
  readonly url?: string | undefined;
  readonly urls?: BusUrls | string | undefined;
}): Endpoints {
  const urls = given.urls === undefined ? {} : parseUrls(given.urls);
  const base = given.url === undefined && given.urls === undefined ? LOCAL_URL : given.url;
  const bases = new Map<ApiFunction, string>();
  for (const servedBy of API_FUNCTIONS) {
    const url = urls[servedBy] ?? base;
    if (url !== undefined) bases.set(servedBy, checkUrl(servedBy, url));
  }
  return (servedBy) => {
    const found = bases.get(servedBy);
    if (found === undefined) throw new Error(`There is no URL for "${servedBy}": give urls.${servedBy} or url.`);
    return found;
  };
}

function parseUrls(urls: BusUrls | string): BusUrls {
  if (typeof urls !== "string") return urls;
  try {
    const parsed: unknown = JSON.parse(urls);
    if (parsed !== null && typeof parsed === "object" && !Array.isArray(parsed)) return parsed as BusUrls;
  } catch {
    // Told below, like JSON that is no object.
  }
  throw new Error(
    `urls (or AGENT_EVENT_BUS_URLS): expected a JSON object like {"emit": "https://..."}, not "${urls.slice(0, 60)}"`,
  );
}

function checkUrl(servedBy: ApiFunction, url: string): string {
  const parsed = URL.canParse(url) ? new URL(url) : null;
  if (parsed === null || !/^https?:$/.test(parsed.protocol))
    throw new Error(`The URL for "${servedBy}" must be an http or https URL, not "${url}".`);
  return `${parsed.origin}${parsed.pathname.replace(/\/+$/, "")}`;
}

/** As RFC 3986 has it, the way signatures are reckoned: spaces as `%20`, and nothing left that is reserved. */
const encode = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);

/** A query string without its undefined members. */
export function queryString(query: Readonly<Record<string, string | number | undefined>>): string {
  const pairs = Object.entries(query).flatMap(([name, value]) =>
    value === undefined ? [] : [`${encode(name)}=${encode(String(value))}`],
  );
  return pairs.length === 0 ? "" : `?${pairs.join("&")}`;
}
