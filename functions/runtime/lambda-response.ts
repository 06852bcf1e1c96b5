/** A response out of Lambda: streamed where its runtime can, buffered elsewhere. */
import type { Writable } from "node:stream";
import type { APIGatewayProxyEventV2, Context } from "aws-lambda";
import type { Logger } from "../../shared/ports.ts";
import { type HttpResponse, problemResponse } from "./http.ts";

/** What the Node runtime of Lambda provides; emulators may not. */
export interface LambdaStreaming {
  streamifyResponse(
    handler: (event: APIGatewayProxyEventV2, stream: Writable, context: Context) => Promise<void>,
  ): unknown;
  HttpResponseStream: {
    from(stream: Writable, head: { statusCode: number; headers: Readonly<Record<string, string>> }): Writable;
  };
}

export interface BufferedResult {
  statusCode: number;
  headers: Readonly<Record<string, string>>;
  body: string;
}

/**
 * Sends a response. Its head leaves with the first write: what fails before that is answered with a problem, what fails
 * later is logged and ends the response early. Never throws.
 *
 * @param signal when the function's time is nearly up: a reader that does not take its answer must not hold it
 */
export async function sendStreamed(
  response: HttpResponse,
  stream: Writable,
  { HttpResponseStream }: LambdaStreaming,
  log: Logger,
  signal: AbortSignal,
): Promise<void> {
  const begin = ({ status, headers }: HttpResponse): Writable =>
    HttpResponseStream.from(stream, { statusCode: status, headers });
  const out = begin(response);
  let hasBegun = false;
  try {
    if (typeof response.body === "string") out.write(response.body);
    else {
      for await (const chunk of response.body) {
        hasBegun = true;
        if (!out.write(chunk)) await drained(out, signal);
        if (signal.aborted) break;
      }
      if (!hasBegun) out.write("");
    }
  } catch (error) {
    if (hasBegun)
      log.error("a stream broke off", {
        error: error instanceof Error ? (error.stack ?? error.message) : String(error),
      });
    else {
      const problem = problemResponse(error, log);
      begin(problem).write(problem.body);
    }
  }
  // Not `end(text)`: that is not taken for a first write.
  out.end();
}

/** Waits while the reader is slow, until the signal. */
async function drained(out: Writable, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => {
    const goOn = (): void => {
      out.off("drain", goOn);
      signal.removeEventListener("abort", goOn);
      resolve();
    };
    out.on("drain", goOn);
    signal.addEventListener("abort", goOn);
  });
}

/** A response as a whole, for a platform that cannot stream. */
export async function collectBuffered({ status, headers, body }: HttpResponse): Promise<BufferedResult> {
  let text = "";
  if (typeof body === "string") text = body;
  else for await (const chunk of body) text += chunk;
  return { statusCode: status, headers, body: text };
}
