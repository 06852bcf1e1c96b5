/** Where a service is. */

import type { AwsService } from "../calls.ts";
import type { AwsEnvironment } from "../config.ts";
import type { Place } from "./socket-pool.ts";

/** The first part of their host names. */
const HOST_NAMES: Readonly<Record<AwsService, string>> = { dynamodb: "dynamodb", eventbridge: "events" };

/**
 * What the names of a partition's services end in, by how its regions begin; all others end in `amazonaws.com`. As in the
 * table of partitions that the SDKs carry.
 */
const SUFFIXES: readonly (readonly [string, string])[] = [
  ["cn-", "amazonaws.com.cn"],
  ["us-iso-", "c2s.ic.gov"],
  ["us-isob-", "sc2s.sgov.gov"],
  ["us-isof-", "csp.hci.ic.gov"],
  ["eu-isoe-", "cloud.adc-e.uk"],
  ["eusc-", "amazonaws.eu"],
];

/** @throws Error when another endpoint is set that is no URL of a host alone */
export function endpointOf(service: AwsService, { region, endpoints }: Omit<AwsEnvironment, "identity">): URL {
  const given = endpoints[service];
  if (given !== undefined) return hostUrl(given);
  const suffix = SUFFIXES.find(([start]) => region.startsWith(start))?.[1] ?? "amazonaws.com";
  return hostUrl(`https://${HOST_NAMES[service]}.${region}.${suffix}`);
}

/** Calls are posted to the root of a host, and signed for that. */
function hostUrl(given: string): URL {
  const url = URL.canParse(given) ? new URL(given) : null;
  if (url === null || !/^https?:$/.test(url.protocol) || url.pathname !== "/" || url.search !== "")
    throw new Error(`An endpoint of AWS is the URL of a host, as https://host:port, not "${given}".`);
  return url;
}

const PORTS: Readonly<Record<string, number>> = { "https:": 443, "http:": 80 };

/** Where to connect. An IPv6 address has brackets in a URL, and none elsewhere. */
export function placeOf({ protocol, hostname, port }: URL): Place {
  return { host: hostname.replace(/^\[|\]$/g, ""), port: port === "" ? (PORTS[protocol] ?? 443) : Number(port) };
}
