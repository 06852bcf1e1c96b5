/** One HTTP exchange on a connection that is there: the request, and as much of the answer as matters. */
import { type IncomingMessage, request } from "node:http";
import type { Socket } from "node:net";
import type { WebhookCall } from "../../../shared/webhooks/port.ts";

/** Of an answer's body. An answer to an event may have 192 KiB, but that is for those who post it. */
const MAX_BODY_BYTES = 64 * 1024;

/** Fatal: bytes that are not UTF-8, among them compressed ones, are no text. */
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Sends the call and gives the answer once its headers are there. A redirect is an answer like any other.
 *
 * @throws Error with a code of Node's, when there is no answer or it is not HTTP
 */
export function post(socket: Socket, url: URL, { headers, body }: WebhookCall): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const sending = request({
      // On this very connection, which nobody else uses and which is not used again.
      createConnection: () => socket,
      method: "POST",
      path: `${url.pathname}${url.search}`,
      headers: {
        "user-agent": "agent-event-bus",
        ...headers,
        host: url.host,
        "content-length": Buffer.byteLength(body),
        "accept-encoding": "identity",
      },
    });
    sending.on("response", resolve);
    sending.on("error", reject);
    // An answer that wants another protocol (101) ends the connection, and nothing else is said of it.
    sending.on("close", () => reject(new Error("the connection was closed without an answer")));
    sending.end(body);
  });
}

/**
 * The text of an answer that is JSON, or may be; null when it is something else, empty, or too long.
 *
 * @param signal when the connection is cut off
 * @throws Error when the answer breaks off
 */
export async function readJsonText(answer: IncomingMessage, signal: AbortSignal): Promise<string | null> {
  const bytes = await readAtMost(answer, MAX_BODY_BYTES);
  // A body whose end is the end of the connection seems whole when it was cut off.
  signal.throwIfAborted();
  if (bytes === null || !mayBeJson(answer)) return null;
  try {
    const text = utf8.decode(bytes);
    return text.trim() === "" ? null : text;
  } catch {
    return null;
  }
}

/** Null when there is more; then the rest is not read, and the connection is gone. */
async function readAtMost(answer: IncomingMessage, maxBytes: number): Promise<Uint8Array | null> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of answer as AsyncIterable<Uint8Array>) {
    bytes += chunk.length;
    if (bytes > maxBytes) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** It says so, or says nothing: many a small server does not. */
function mayBeJson(answer: IncomingMessage): boolean {
  return answer.headers["content-type"] === undefined || isJson(answer);
}

/** `application/json` and its kin (`application/problem+json`), whatever the parameters. */
export function isJson({ headers }: IncomingMessage): boolean {
  return /^[^/;\s]+\/([^/;\s]+\+)?json\s*(;|$)/i.test(headers["content-type"]?.trim() ?? "");
}
