/**
 * The live stream: events as they come, over as many connections as it takes.
 *
 * A connection that ends or breaks is followed by another, from the last cursor on (`Last-Event-ID`), so that nothing is
 * left out; what a cursor could not hold is known here by its id, so that nothing comes twice.
 */
import type { DeliveredEvent } from "../shared/event.ts";
import { linkAbort, sleep } from "./abort.ts";
import type { Connection } from "./calls.ts";
import { targetOf } from "./endpoints.ts";
import { isRetryable, pauseMs } from "./retry.ts";
import { readSse, type SseMessage } from "./sse.ts";
import type { Call } from "./transport.ts";

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

/** The bus answers with headers at once; a cold start fits within it. */
const OPEN_LIMIT_MS = 30_000;
/** A connection that lived for less than this counts as a failure: the next one is not opened at once. */
const SHORT_LIFE_MS = 1_000;
/** More than a server's cursor holds, so that whatever it repeats is recognised. */
const REMEMBERED_IDS = 2_048;

/** Where the stream is. */
interface Place {
  cursor: string | undefined;
  opened: boolean;
  readonly seen: Set<string>;
}

/**
 * Delivered events until the signal aborts. Until it has been open once it is tried as often as any call; from then on
 * for as long as it takes.
 * @throws AgentEventBusError when the bus refuses it, or cannot be reached to begin with
 */
export async function* liveEvents(
  connection: Connection,
  options: StreamOptions,
): AsyncGenerator<DeliveredEvent, void> {
  const { signal } = options;
  const isOver = (): boolean => signal?.aborted === true;
  const place: Place = { cursor: undefined, opened: false, seen: new Set() };
  for (let failures = 0; !isOver(); ) {
    const startedAt = performance.now();
    let retryAfterMs: number | undefined;
    try {
      yield* oneConnection(connection, options, place);
    } catch (error) {
      if (isOver()) return;
      if (!isRetryable(error) || (!place.opened && failures + 1 >= connection.retry.tries)) throw error;
      retryAfterMs = error.retryAfterMs;
    }
    failures = performance.now() - startedAt < SHORT_LIFE_MS ? failures + 1 : 0;
    if (failures > 0 || retryAfterMs !== undefined)
      await sleep(pauseMs(connection.retry, Math.max(1, failures), retryAfterMs), signal).catch(() => undefined);
  }
}

async function* oneConnection(
  connection: Connection,
  options: StreamOptions,
  place: Place,
): AsyncGenerator<DeliveredEvent, void> {
  const link = linkAbort(options.signal, OPEN_LIMIT_MS);
  try {
    const response = await connection.transport.open(streamCall(options, place), "text/event-stream", link.signal);
    link.disarm();
    for await (const message of readSse(response.body, link.signal)) {
      const event = take(message, place);
      if (!place.opened) options.onOpen?.();
      place.opened = true;
      if (event !== null) yield event;
    }
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

/** Notes how far the stream is; the event of the message, unless it brings none or one that came before. */
function take(message: SseMessage, place: Place): DeliveredEvent | null {
  if (message.id !== undefined && message.id !== "") place.cursor = message.id;
  if (message.event !== "message" || message.data === "") return null;
  const event = JSON.parse(message.data) as DeliveredEvent;
  if (place.seen.has(event.id)) return null;
  place.seen.add(event.id);
  // A set keeps the order of its entries: the first is the oldest.
  if (place.seen.size > REMEMBERED_IDS) place.seen.delete(place.seen.values().next().value as string);
  return event;
}
