/**
 * The client's environment: the only file of `client/` that reads it. Safe where there is no `process`: in browsers.
 */
import type { Credentials } from "./credentials.ts";

const read = (name: string): string | undefined => {
  const value = globalThis.process?.env?.[name];
  return value === "" ? undefined : value;
};

/** Where the bus is: `AGENT_EVENT_BUS_URLS` (the stack's `Urls` output, JSON) and `AGENT_EVENT_BUS_URL`. */
export function urlsFromEnvironment(): { readonly url?: string; readonly urls?: string } {
  const url = read("AGENT_EVENT_BUS_URL");
  const urls = read("AGENT_EVENT_BUS_URLS");
  return { ...(url === undefined ? {} : { url }), ...(urls === undefined ? {} : { urls }) };
}

/** `AGENT_EVENT_BUS_KEY`: an agent key. */
export const keyFromEnvironment = (): string | undefined => read("AGENT_EVENT_BUS_KEY");

/** `AWS_ACCESS_KEY_ID` and its companions, as Lambda sets them; undefined when they are not set. */
export function credentialsFromEnvironment(): Credentials | undefined {
  const accessKeyId = read("AWS_ACCESS_KEY_ID");
  const secretAccessKey = read("AWS_SECRET_ACCESS_KEY");
  const sessionToken = read("AWS_SESSION_TOKEN");
  if (accessKeyId === undefined || secretAccessKey === undefined) return undefined;
  return { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) };
}

export const regionFromEnvironment = (): string | undefined => read("AWS_REGION") ?? read("AWS_DEFAULT_REGION");

/** What a deployed subscriber is told by its deployment. */
export interface SubscriberEnvironment {
  /** `AGENT_EVENT_BUS_SUBSCRIBER`: its name. */
  readonly name: string | undefined;
  /** `AGENT_EVENT_BUS_MAX_RECEIVES`: after so many receives its queue gives a message up; infinite when not set. */
  readonly maxReceives: number;
  /** `AGENT_EVENT_BUS_RETRY_SECONDS`: what failed comes from its queue again no sooner than this; 0 when not set. */
  readonly retrySeconds: number;
  /** `AGENT_EVENT_BUS_ANSWERS`: false for an observer. */
  readonly answers: boolean;
}

/** @throws Error that names the variable that makes no sense */
export function subscriberFromEnvironment(): SubscriberEnvironment {
  return {
    name: read("AGENT_EVENT_BUS_SUBSCRIBER"),
    maxReceives: readNumber("AGENT_EVENT_BUS_MAX_RECEIVES", 1) ?? Number.POSITIVE_INFINITY,
    retrySeconds: readNumber("AGENT_EVENT_BUS_RETRY_SECONDS", 0) ?? 0,
    answers: read("AGENT_EVENT_BUS_ANSWERS") !== "false",
  };
}

function readNumber(name: string, least: number): number | undefined {
  const given = read(name);
  if (given === undefined) return undefined;
  const number = Number(given);
  if (!(number >= least)) throw new Error(`${name}: expected a number of at least ${least}, not "${given}"`);
  return number;
}
