/** Server-sent events: https://html.spec.whatwg.org/multipage/server-sent-events.html */
import { STREAM_HEARTBEAT_MS } from "../../shared/limits.ts";
import type { HttpResponse } from "./http.ts";

export interface ServerSentEvent {
  /** Absent: the default, `message`. */
  readonly event?: string;
  readonly id?: string;
  /** Written as JSON; absent for a block that only sets the id. */
  readonly data?: object;
}

/** A stream response, with a comment whenever it would be silent for too long. */
export function eventStream(events: AsyncIterable<ServerSentEvent>, afterwards?: () => Promise<void>): HttpResponse {
  return {
    status: 200,
    headers: {
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": "no-store",
      // Proxies that buffer would turn a stream into a late answer.
      "x-accel-buffering": "no",
    },
    body: withHeartbeat(events, STREAM_HEARTBEAT_MS),
    ...(afterwards === undefined ? {} : { afterwards }),
  };
}

/** The same events, with the first one there: what fails before it is told as a problem, not as a stream that breaks. */
export async function begun<T>(events: AsyncGenerator<T, void>): Promise<AsyncGenerator<T, void>> {
  const first = await events.next();
  return first.done === true ? events : prepend(first.value, events);
}

async function* prepend<T>(first: T, rest: AsyncGenerator<T, void>): AsyncGenerator<T, void> {
  try {
    yield first;
    yield* rest;
  } finally {
    await rest.return();
  }
}

export function formatEvent({ event, id, data }: ServerSentEvent): string {
  const lines = [
    ...(id === undefined ? [] : [`id: ${id}`]),
    ...(event === undefined ? [] : [`event: ${event}`]),
    ...(data === undefined ? [] : [`data: ${JSON.stringify(data)}`]),
  ];
  return `${lines.join("\n")}\n\n`;
}

async function* withHeartbeat(events: AsyncIterable<ServerSentEvent>, everyMs: number): AsyncGenerator<string> {
  const source = events[Symbol.asyncIterator]();
  let pending: Promise<IteratorResult<ServerSentEvent>> | null = null;
  try {
    for (;;) {
      pending ??= source.next();
      const next = await withinMs(pending, everyMs);
      if (next === null) yield ": still here\n\n";
      else if (next.done === true) return;
      else {
        pending = null;
        yield formatEvent(next.value);
      }
    }
  } finally {
    // The reader may have gone in the middle: the source cleans up once its step has come back.
    await source.return?.(undefined);
  }
}

/** The result, or null if it takes longer than `ms`. */
async function withinMs<T>(result: Promise<T>, ms: number): Promise<T | null> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const silence = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), ms);
  });
  try {
    return await Promise.race([result, silence]);
  } finally {
    clearTimeout(timer);
  }
}
