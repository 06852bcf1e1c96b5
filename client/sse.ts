/** Reading server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html) from a body. */
import { createParser, type EventSourceMessage } from "eventsource-parser";
import { STREAM_HEARTBEAT_MS } from "../shared/limits.ts";
import { readChunks } from "./body.ts";

/** The server sends a comment each 15 s; without one for three times that the connection is dead. */
const STREAM_IDLE_LIMIT_MS = 3 * STREAM_HEARTBEAT_MS;

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
 * @throws AgentEventBusError `unreachable` when the connection breaks or is silent; the signal's reason when it aborts
 */
export async function* readSse(
  body: ReadableStream<Uint8Array> | null,
  signal: AbortSignal,
  idleMs = STREAM_IDLE_LIMIT_MS,
): AsyncGenerator<SseMessage, void> {
  let message: EventSourceMessage | undefined;
  let id: string | undefined;
  const parser = createParser({ onEvent: (parsed) => (message = parsed) });
  for await (const line of readLines(body, signal, idleMs)) {
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

async function* readLines(
  body: ReadableStream<Uint8Array> | null,
  signal: AbortSignal,
  idleMs: number,
): AsyncGenerator<string> {
  if (body === null) return;
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of readChunks(body, signal, idleMs)) {
    rest += decoder.decode(chunk, { stream: true });
    // A carriage return at the end may be the first half of a line break.
    const lines = rest.split(/\r\n|\n|\r(?!$)/);
    rest = lines.pop() as string;
    yield* lines;
  }
}
