/** Plain HTTP calls, as any agent makes them; each has to be as the OpenAPI document says. */
import { createParser, type EventSourceMessage } from "eventsource-parser";
import { faultsOf } from "./conformance.ts";

export type Json = Record<string, unknown>;

export interface StreamedEvent {
  readonly event: string | undefined;
  readonly id: string | undefined;
  readonly data: Json | undefined;
}

export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The body; an empty object when it is no JSON. */
  readonly json: Json;
  /** The body as server-sent events. */
  readonly events: readonly StreamedEvent[];
  /** The body as it comes, when the call was `live`; an id alone is an event without data. */
  live(): AsyncGenerator<StreamedEvent, void>;
}

export interface CallOptions {
  /** Sent as it is when it is a string, else as JSON. */
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
  readonly signal?: AbortSignal;
  /** Do not wait for the end of the body if it is a stream. */
  readonly live?: boolean;
}

/** @throws Error when the call or its answer is not as the OpenAPI document says */
export async function call(base: string, method: string, path: string, options: CallOptions = {}): Promise<Reply> {
  const { body, signal, live = false } = options;
  const headers = { ...(body === undefined ? {} : { "content-type": "application/json" }), ...options.headers };
  const response = await fetch(`${base}${path}`, {
    method,
    headers,
    ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
    ...(signal === undefined ? {} : { signal }),
  });
  const isStream = (response.headers.get("content-type") ?? "").startsWith("text/event-stream");
  const text = live && isStream ? "" : await response.text();
  const { status, headers: answered } = response;
  const faults = faultsOf({
    method,
    path,
    requestHeaders: headers,
    requestBody: body,
    status,
    headers: answered,
    text,
  });
  if (faults.length > 0) throw new Error(`Not as the OpenAPI document says: ${faults.join("; ")}`);
  return {
    status: response.status,
    headers: response.headers,
    text,
    json: isStream ? {} : asJson(text),
    events: isStream ? parse(text) : [],
    live: () => readLive(response),
  };
}

function asJson(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return {};
  }
}

function parse(text: string): StreamedEvent[] {
  const events: StreamedEvent[] = [];
  createParser({ onEvent: (message) => events.push(toEvent(message)) }).feed(text);
  return events;
}

function toEvent({ event, id, data }: EventSourceMessage): StreamedEvent {
  return { event, id, data: JSON.parse(data) as Json };
}

/** Block by block, since a parser for pages drops blocks that have an id and no data. */
async function* readLive(response: Response): AsyncGenerator<StreamedEvent, void> {
  if (response.body === null) return;
  const decoder = new TextDecoder();
  let buffer = "";
  for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
    buffer += decoder.decode(chunk, { stream: true });
    for (let end = buffer.indexOf("\n\n"); end >= 0; end = buffer.indexOf("\n\n")) {
      const block = buffer.slice(0, end);
      buffer = buffer.slice(end + 2);
      const field = (name: string): string | undefined =>
        block
          .split("\n")
          .find((line) => line.startsWith(`${name}: `))
          ?.slice(name.length + 2);
      const data = field("data");
      if (data === undefined && field("id") === undefined) continue;
      yield {
        event: field("event"),
        id: field("id"),
        data: data === undefined ? undefined : (JSON.parse(data) as Json),
      };
    }
  }
}
