/**
 * Calls the endpoints of webhooks. Their URLs are chosen by agents, and what is behind them may be hostile: no call gets
 * anywhere but to the public internet, none takes longer than its time or more memory than its share, and none throws.
 *
 * Where it leads (`destination.ts`), a connection to there (`connection.ts`), the exchange (`exchange.ts`), the outcome.
 */
import { lookup } from "node:dns/promises";
import type { IncomingMessage } from "node:http";
import { connect as connectTcp } from "node:net";
import type { WebhookCall, WebhookOutcome, WebhookSender } from "../../../shared/webhooks/port.ts";
import { type ConnectionSettings, openConnection } from "./connection.ts";
import { findDestination, type Resolve } from "./destination.ts";
import { isJson, post, readJsonText } from "./exchange.ts";
import { failureReason } from "./failure-reason.ts";
import { readRetryAfter } from "./retry-after.ts";

/** For all of an attempt: name, connection, TLS, headers and body. */
const ATTEMPT_LIMIT_MS = 15_000;

/** For a name, while somebody waits for a subscription to be made. */
const CHECK_LIMIT_MS = 5_000;

export interface WebhookSenderOptions extends Partial<ConnectionSettings> {
  /** Calls http and https on any port of this machine too: for a bus that runs there as well. Default false. */
  readonly allowLoopback?: boolean;
  /** Default: as the operating system does. */
  readonly resolve?: Resolve;
  /** Default: 15 s. */
  readonly timeoutMs?: number;
  /** Wall clock, epoch milliseconds: for dates in `Retry-After`. */
  readonly now?: () => number;
}

type Settings = Required<Omit<WebhookSenderOptions, "ca">> & Pick<ConnectionSettings, "ca">;

/** An outcome before its time is known. */
type Untimed<T> = T extends WebhookOutcome ? Omit<T, "elapsedMs"> : never;

export function createWebhookSender(options: WebhookSenderOptions = {}): WebhookSender {
  const settings: Settings = {
    allowLoopback: false,
    resolve: resolveBySystem,
    connect: connectTcpTo,
    timeoutMs: ATTEMPT_LIMIT_MS,
    now: Date.now,
    ...options,
  };
  return {
    check: (url) =>
      within(Math.min(CHECK_LIMIT_MS, settings.timeoutMs), async (signal) => {
        const destination = await findDestination(url, settings, signal);
        return destination.kind === "refused" ? destination.reason : null;
      }),

    async send(call) {
      const startedMs = performance.now();
      const outcome = await within(settings.timeoutMs, (signal) => attempt(call, settings, signal));
      return { ...outcome, elapsedMs: Math.round(performance.now() - startedMs) };
    },
  };
}

async function attempt(call: WebhookCall, settings: Settings, signal: AbortSignal): Promise<Untimed<WebhookOutcome>> {
  try {
    const destination = await findDestination(call.url, settings, signal);
    if (destination.kind === "refused") return { kind: "failed", reason: destination.reason };
    const socket = await openConnection(destination, settings, signal);
    return await outcomeOf(await post(socket, destination.url, call), settings.now(), signal);
  } catch (error) {
    return {
      kind: "failed",
      reason: signal.aborted ? `no answer within ${settings.timeoutMs / 1_000} s` : failureReason(error),
    };
  }
}

/** @throws Error when an answer that could matter breaks off */
async function outcomeOf(
  answer: IncomingMessage,
  nowMs: number,
  signal: AbortSignal,
): Promise<Untimed<WebhookOutcome>> {
  const { statusCode: status = 0, headers } = answer;
  const isDelivered = status >= 200 && status <= 299;
  // It is read even when it does not matter: many a server takes it badly when nobody listens to its end.
  const body = await readJsonText(answer, signal).catch((error: unknown) => {
    if (isDelivered && isJson(answer)) throw error;
    return null;
  });
  if (isDelivered) return { kind: "delivered", status, body };
  const retryAfterMs = readRetryAfter(headers["retry-after"], nowMs);
  return {
    kind: "failed",
    reason: status >= 300 && status <= 399 ? `HTTP ${status}: redirects are not followed` : `HTTP ${status}`,
    status,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  };
}

/** @param work is told by its signal when its time is up; what it opened ends with it, however it ends */
async function within<T>(limitMs: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(), limitMs);
  try {
    return await work(limit.signal);
  } finally {
    clearTimeout(timer);
    limit.abort();
  }
}

async function resolveBySystem(host: string): Promise<string[]> {
  return (await lookup(host, { all: true })).map(({ address }) => address);
}

const connectTcpTo: ConnectionSettings["connect"] = (address, port) => connectTcp({ host: address, port });
