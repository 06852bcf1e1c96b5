/**
 * The live stream: events as they come, over as many connections as it takes.
 *
 * A connection that ends or breaks is followed by another, from the last cursor on (`Last-Event-ID`), so that nothing
 * is left out; what a cursor could not hold is known here by its id, so that nothing comes twice.
 */
import type { DeliveredEvent } from "../shared/event.ts";
import { linkAbort, sleep } from "./abort.ts";
import type { Connection } from "./calls.ts";
import { targetOf } from "./endpoints.ts";
import { type AgentEventBusError, unreachable } from "./errors.ts";
import { type RecentIds, recentIds } from "./recent-ids.ts";
import { isRetryable, pauseMs } from "./retry.ts";
import { readSse, type SseMessage } from "./sse.ts";
import { type Call, parseObject } from "./transport.ts";

export interface StreamOptions {
  readonly type?: string | undefined;
  readonly correlationId?: string | undefined;
  /** The stream counts as a subscriber of this name while it is open. */
  readonly as?: string | undefined;
  /** A cursor to go on from; without it, from now. */
  readonly after?: string | undefined;
  /** Ends the stream quietly when it aborts. */
  readonly signal?: AbortSignal | undefined;
  /** Called when the stream is open for the first time: from here on nothing is missed. */
  readonly onOpen?: (() => void) | undefined;
}

/** The bus says at once where a stream begins; a cold start fits within it. */
const OPEN_LIMIT_MS = 30_000;
/** A stream that was never open is given up after this, however many tries are left: somebody waits for it to open. */
const FIRST_OPEN_LIMIT_MS = 60_000;
/** A connection that lived for less than this counts as a failure: the next one is not opened at once. */
const SHORT_LIFE_MS = 1_000;
/** A resumed stream repeats a fraction of a second at the most; this many recognise it up to thousands a second. */
const REMEMBERED_IDS = 2_048;

/** Where the stream is. */
interface Place {
  cursor: string | undefined;
  opened: boolean;
  readonly seen: RecentIds;
}

/**
 * Delivered events until the signal aborts. Until it has been open once it is tried as often as any call, and for a
 * minute at most; from then on for as long as it takes.
 * @throws AgentEventBusError when the bus refuses it, or it cannot be opened to begin with
 */
export async function* liveEvents(
  connection: Connection,
  options: StreamOptions,
): AsyncGenerator<DeliveredEvent, void> {
  const { signal } = options;
  const isOver = (): boolean => signal?.aborted === true;
  const place: Place = { cursor: undefined, opened: false, seen: recentIds(REMEMBERED_IDS) };
  const giveUpAt = performance.now() + FIRST_OPEN_LIMIT_MS;
  for (let failures = 0; !isOver(); ) {
    const startedAt = performance.now();
    const openLimitMs = place.opened ? OPEN_LIMIT_MS : Math.min(OPEN_LIMIT_MS, giveUpAt - startedAt);
    let failure: AgentEventBusError | undefined;
    try {
      yield* oneConnection(connection, options, place, openLimitMs);
    } catch (error) {
      if (isOver()) return;
      if (!isRetryable(error)) throw error;
      failure = error;
    }
    failures = !place.opened || performance.now() - startedAt < SHORT_LIFE_MS ? failures + 1 : 0;
    if (failures === 0 && failure?.retryAfterMs === undefined) continue;
    const pause = pauseMs(connection.retry, Math.max(1, failures), failure?.retryAfterMs);
    if (!place.opened && (failures >= connection.retry.tries || performance.now() + pause >= giveUpAt)) throw failure;
    await sleep(pause, signal).catch(() => undefined);
  }
}

async function* oneConnection(
  connection: Connection,
  options: StreamOptions,
  place: Place,
  openLimitMs: number,
): AsyncGenerator<DeliveredEvent, void> {
  const link = linkAbort(options.signal, openLimitMs);
  try {
    const response = await connection.transport.open(streamCall(options, place), "text/event-stream", link.signal);
    for await (const message of readSse(response.body, link.signal)) {
      link.disarm();
      const event = take(message, place);
      if (!place.opened) options.onOpen?.();
      place.opened = true;
      if (event !== null) yield event;
    }
    if (!place.opened) throw unreachable("The stream ended before it was open.");
  } finally {
    link.abort();
    link.release();
  }
}

function streamCall({ type, correlationId, as, after }: StreamOptions, { cursor }: Place): Call {
  return {
    ...targetOf("stream"),
    query: { type, correlation_id: correlationId, as, after: cursor === undefined ? after : undefined },
    ...(cursor === undefined ? {} : { headers: { "last-event-id": cursor } }),
  };
}

/**
 * Notes how far the stream is; the event of the message, unless it brings none or one that came before.
 * @throws AgentEventBusError `unreachable` for what cannot be read; the place stays, so that it comes again
 */
function take({ id, event: name, data }: SseMessage, place: Place): DeliveredEvent | null {
  const event = name === "message" && data !== "" ? (parseObject(data) as DeliveredEvent) : null;
  if (id !== undefined && id !== "") place.cursor = id;
  if (event === null || place.seen.has(event.id)) return null;
  place.seen.add(event.id);
  return event;
}
