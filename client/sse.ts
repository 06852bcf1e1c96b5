/** Reading server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html) from a body. */
import { createParser, type EventSourceMessage } from "eventsource-parser";
import { STREAM_HEARTBEAT_MS } from "../shared/limits.ts";
import { unreachable } from "./errors.ts";

/** The server sends a comment each 15 s; without one for three times that the connection is dead. */
export const STREAM_IDLE_LIMIT_MS = 3 * STREAM_HEARTBEAT_MS;

/** A block of the stream; `data` is empty for one that only brings an id. */
export interface SseMessage {
  readonly event: string;
  readonly data: string;
  readonly id: string | undefined;
}

/**
 * The blocks of a stream, until it ends. One that was cut short is left out.
 *
 * @param idleMs a stream that is silent for longer (not even a comment) is taken for dead
 * @throws AgentEventBusError `unreachable` when the connection breaks or is silent
 */
export async function* readSse(body: ReadableStream<Uint8Array> | null, idleMs = Number.POSITIVE_INFINITY): AsyncGenerator<SseMessage, void> {
  let message: EventSourceMessage | undefined;
  let id: string | undefined;
  const parser = createParser({ onEvent: (parsed) => (message = parsed) });
  for await (const line of readLines(body, idleMs)) {
    parser.feed(`${line}\n`);
    // The parser says nothing of a block without data, but its id is the place to go on from.
    if (line.startsWith("id:")) id = line.slice(3).trim();
    if (line !== "") continue;
    if (message !== undefined) yield { event: message.event ?? "message", data: message.data, id: message.id };
    else if (id !== undefined) yield { event: "message", data: "", id };
    message = undefined;
    id = undefined;
  }
}

async function* readLines(body: ReadableStream<Uint8Array> | null, idleMs: number): AsyncGenerator<string> {
  if (body === null) return;
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let rest = "";
  try {
    for (;;) {
      const { done, value } = await readWithin(reader, idleMs);
      if (done) return;
      rest += decoder.decode(value, { stream: true });
      // A carriage return at the end may be the first half of a line break.
      const lines = rest.split(/\r\n|\n|\r(?!$)/);
      rest = lines.pop() as string;
      yield* lines;
    }
  } finally {
    // Also when the reader of the stream has had enough: the connection is closed.
    await reader.cancel().catch(() => undefined);
  }
}

async function readWithin(reader: ReadableStreamDefaultReader<Uint8Array>, idleMs: number): Promise<ReadableStreamReadResult<Uint8Array>> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const silence = new Promise<never>((_, reject) => {
    if (idleMs !== Number.POSITIVE_INFINITY) timer = setTimeout(() => reject(unreachable(`The stream was silent for ${idleMs} ms.`)), idleMs);
  });
  try {
    return await Promise.race([reader.read().catch(broken), silence]);
  } finally {
    clearTimeout(timer);
  }
}

function broken(cause: unknown): never {
  throw unreachable("The stream broke off.", cause);
}
