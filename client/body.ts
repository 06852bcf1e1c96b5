/** Reading a response's body. */
import { linkAbort } from "./abort.ts";
import { unreachable } from "./errors.ts";

/**
 * The chunks of a body until it ends; leaving the loop closes the connection.
 *
 * The signal is watched here although `fetch` was given it: Node's `fetch` forgets it once its `Response` has been
 * garbage-collected, and a stream outlives that.
 *
 * @param idleMs a body that brings nothing for longer is taken for dead
 * @throws AgentEventBusError `unreachable` when the connection breaks or is silent; the signal's reason when it aborts
 */
export async function* readChunks(
  body: ReadableStream<Uint8Array>,
  signal: AbortSignal,
  idleMs = Number.POSITIVE_INFINITY,
): AsyncGenerator<Uint8Array, void> {
  const reader = body.getReader();
  const close = (): void => void reader.cancel().catch(() => undefined);
  signal.addEventListener("abort", close, { once: true });
  try {
    for (;;) {
      signal.throwIfAborted();
      const { done, value } = await readWithin(reader, idleMs);
      // Closing makes a read that is under way end as if the body did.
      signal.throwIfAborted();
      if (done) return;
      yield value;
    }
  } finally {
    signal.removeEventListener("abort", close);
    close();
  }
}

/** A whole body as text. @throws as `readChunks` does */
export async function readText(response: Response, signal: AbortSignal): Promise<string> {
  if (response.body === null) return "";
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of readChunks(response.body, signal)) text += decoder.decode(chunk, { stream: true });
  return text + decoder.decode();
}

async function readWithin(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  idleMs: number,
): Promise<ReadableStreamReadResult<Uint8Array>> {
  if (idleMs === Number.POSITIVE_INFINITY) return reader.read().catch(broken);
  const silence = linkAbort(undefined, idleMs);
  const silent = new Promise<never>((_, reject) => {
    silence.signal.addEventListener("abort", () => reject(silence.signal.reason), { once: true });
  });
  try {
    return await Promise.race([reader.read().catch(broken), silent]);
  } finally {
    silence.release();
  }
}

function broken(cause: unknown): never {
  throw unreachable("The connection broke off.", cause);
}
