/**
 * Waiting for the outcome of a request, over as many calls as it takes.
 *
 * Ask, or join the wait again; go on from a 202, a broken connection or a failure; at the deadline look once more. What
 * is told is what the record says (I3); what could not be learned is told as unknown (I11).
 *
 * Until the bus has said which request it is, the question is asked again under the same key, which joins the same wait
 * (I5). From then on the wait is joined by the request's id.
 */
import type { PendingRequest, ResponseView } from "../shared/request-outcome.ts";
import { linkAbort, sleep } from "./abort.ts";
import { readText } from "./body.ts";
import type { Connection, WaitOptions, WaitOutcome } from "./calls.ts";
import { eventBody, keyedHeaders } from "./emit.ts";
import { targetOf } from "./endpoints.ts";
import { AgentEventBusError, unreachable } from "./errors.ts";
import { isRetryable, pauseMs, withRetries } from "./retry.ts";
import { readSse } from "./sse.ts";
import { CALL_TIMEOUT_MS, type Call, parseObject } from "./transport.ts";

/** After the deadline, this long for the bus to say how it ended: a write, a way back, a clock a little behind. */
const DEADLINE_GRACE_MS = 2_000;
/** One joined call. Proxies commonly cut what is silent for 30 s. */
const JOIN_SECONDS = 20;
/** A joined call that takes this much longer than it asked for is taken for lost. */
const JOIN_SLACK_MS = 10_000;
/** A first call is held for up to 55 s by default; one that says nothing for twice that is joined anew. */
const FIRST_CALL_LIMIT_MS = 110_000;
/** A call that came back pending sooner than this is not followed by the next at once. */
const SHORT_ROUND_MS = 250;
/** The last look must not hold the caller up for long. */
const LAST_LOOK_TIMEOUT_MS = 3_000;

/** A wait in the client's hands. */
interface Wait {
  /** Known once the bus has said it. */
  eventId: string | undefined;
  /** The question, until then. */
  readonly question: Call | null;
  /** By the monotonic clock, grace included. */
  readonly endsAt: number;
  /** Failures in a row after which it is given up. */
  readonly maxFailures: number;
  readonly signal: AbortSignal | undefined;
  readonly onProgress: ((progress: ResponseView) => void) | undefined;
  /** Progress that was passed on: a joined stream repeats what has come. */
  readonly seen: Set<string>;
}

/** Asks and waits until the outcome or the deadline. */
export function ask(connection: Connection, type: string, data: unknown, options: WaitOptions): Promise<WaitOutcome> {
  const { timeout, expect, requireSubscribers, signal, onProgress } = options;
  const body = {
    ...eventBody(connection, type, data, options),
    timeout,
    expect,
    require_subscribers: requireSubscribers,
  };
  return settle(connection, {
    eventId: undefined,
    question: { ...targetOf("request"), headers: keyedHeaders(options), body },
    endsAt: performance.now() + timeout * 1000 + DEADLINE_GRACE_MS,
    maxFailures: Number.POSITIVE_INFINITY,
    signal,
    onProgress,
    seen: new Set(),
  });
}

/** Joins the wait of a request and goes on until it ends; its own deadline, which the bus knows, bounds it. */
export function join(
  connection: Connection,
  eventId: string,
  options: Pick<WaitOptions, "signal" | "onProgress">,
): Promise<WaitOutcome> {
  return settle(connection, {
    eventId,
    question: null,
    endsAt: Number.POSITIVE_INFINITY,
    maxFailures: connection.retry.tries,
    signal: options.signal,
    onProgress: options.onProgress,
    seen: new Set(),
  });
}

async function settle(connection: Connection, wait: Wait): Promise<WaitOutcome> {
  let lastFailure: unknown;
  for (let failures = 0; ; ) {
    wait.signal?.throwIfAborted();
    const startedAt = performance.now();
    if (startedAt >= wait.endsAt) return lookOnce(connection, wait, lastFailure);
    let retryAfterMs: number | undefined;
    try {
      const reply = await oneRound(connection, wait);
      if (reply.status !== "pending") return reply;
      lastFailure = undefined;
      if (performance.now() - startedAt >= SHORT_ROUND_MS) {
        failures = 0;
        continue;
      }
      failures = Math.min(failures + 1, connection.retry.tries - 1);
    } catch (error) {
      wait.signal?.throwIfAborted();
      if (!isRetryable(error)) throw error;
      failures += 1;
      if (failures >= wait.maxFailures) throw error;
      lastFailure = error;
      retryAfterMs = error.retryAfterMs;
    }
    const pause = pauseMs(connection.retry, Math.max(1, failures), retryAfterMs);
    await sleep(Math.max(0, Math.min(pause, wait.endsAt - performance.now())), wait.signal);
  }
}

type Reply = WaitOutcome | PendingRequest;

/** One call, held by the bus for as long as it likes within bounds. */
async function oneRound(connection: Connection, wait: Wait): Promise<Reply> {
  const leftMs = wait.endsAt - performance.now();
  const joinSeconds = Math.min(JOIN_SECONDS, Math.max(0, Math.ceil(leftMs) / 1000));
  const joined = wait.eventId !== undefined || wait.question === null;
  const call = joined ? joinCall(wait.eventId as string, joinSeconds) : (wait.question as Call);
  const timeoutMs = Math.min(leftMs, joined ? joinSeconds * 1000 + JOIN_SLACK_MS : FIRST_CALL_LIMIT_MS);
  if (wait.onProgress !== undefined) return streamedRound(connection, wait, call, timeoutMs);
  return noteId(wait, await connection.transport.json<Reply>(call, { signal: wait.signal, timeoutMs }));
}

const joinCall = (eventId: string, waitSeconds?: number): Call => ({
  ...targetOf("resume", { event_id: eventId }),
  query: { wait: waitSeconds },
});

/** The same as a stream of server-sent events: `accepted`, `progress` and `response` as they come, `done`. */
async function streamedRound(connection: Connection, wait: Wait, call: Call, timeoutMs: number): Promise<Reply> {
  const link = linkAbort(wait.signal, timeoutMs);
  try {
    const response = await connection.transport.open(call, "text/event-stream", link.signal);
    if (!response.headers.get("content-type")?.startsWith("text/event-stream"))
      return noteId(wait, parseObject(await readText(response, link.signal)) as Reply);
    for await (const { event, data } of readSse(response.body, link.signal)) {
      const body = parseObject(data);
      if (event === "done") return noteId(wait, body as Reply);
      if (event === "accepted") noteId(wait, body as { event_id: string });
      if (event === "progress") tellOnce(wait, body as ResponseView);
    }
    throw unreachable("The stream ended before the outcome.");
  } finally {
    link.abort();
    link.release();
  }
}

function tellOnce(wait: Wait, progress: ResponseView): void {
  if (wait.seen.has(progress.response_id)) return;
  wait.seen.add(progress.response_id);
  wait.onProgress?.(progress);
}

function noteId<Body extends { event_id: string }>(wait: Wait, body: Body): Body {
  if (typeof body.event_id === "string") wait.eventId = body.event_id;
  return body;
}

/** The client's time is up: the record decides, and where it cannot be read nothing is guessed (I11). */
async function lookOnce(connection: Connection, wait: Wait, lastFailure: unknown): Promise<WaitOutcome> {
  const { eventId, signal } = wait;
  if (eventId === undefined)
    throw unknown("The bus did not take the request in time, or its answer was lost.", eventId, lastFailure);
  const look = (): Promise<Reply> =>
    connection.transport.json<Reply>(joinCall(eventId), {
      signal,
      timeoutMs: Math.min(LAST_LOOK_TIMEOUT_MS, CALL_TIMEOUT_MS),
    });
  const reply = await withRetries({ ...connection.retry, tries: 2 }, signal, look).catch((error: unknown) => {
    signal?.throwIfAborted();
    throw unknown("The deadline has passed and the outcome could not be read.", eventId, error);
  });
  if (reply.status === "pending")
    throw unknown("The deadline has passed here, and the request is still open.", eventId, lastFailure);
  return reply;
}

function unknown(detail: string, eventId: string | undefined, cause: unknown): AgentEventBusError {
  const message = `${detail} Asking again with the same idempotency key is safe.`;
  return new AgentEventBusError("outcome_unknown", message, { status: 0, retryable: true, eventId, cause });
}
