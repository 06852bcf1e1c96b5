/** Between a Function URL and a `Handle`: the AWS event in, the response out, streamed where the platform can. */
import type { Writable } from "node:stream";
import type { APIGatewayProxyEventV2, Context } from "aws-lambda";
import config from "../../bus.config.ts";
import { BusError } from "../../shared/errors.ts";
import type { Deps } from "../../shared/ports.ts";
import { type Config, isLambda, readConfig } from "./config.ts";
import { createAwsDeps } from "./deps.ts";
import { type Handle, type HttpRequest, type HttpResponse, problemResponse } from "./http.ts";

/** What the Node runtime of Lambda provides; emulators may not. */
interface LambdaStreaming {
  streamifyResponse(
    handler: (event: APIGatewayProxyEventV2, stream: Writable, context: Context) => Promise<void>,
  ): unknown;
  HttpResponseStream: {
    from(stream: Writable, head: { statusCode: number; headers: Readonly<Record<string, string>> }): Writable;
  };
}

interface BufferedResult {
  statusCode: number;
  headers: Readonly<Record<string, string>>;
  body: string;
}

/** What is built on cold start. */
export interface Runtime {
  readonly env: Pick<Config, "allowAnonymous">;
  readonly deps: Deps;
}

/** The runtime of this function: built once, on Lambda before the first call, elsewhere when it is first needed. */
export function coldStart(): () => Runtime {
  let built: Runtime | null = null;
  const runtime = (): Runtime => {
    if (built === null) {
      const env = readConfig();
      built = { env, deps: createAwsDeps(env, config) };
    }
    return built;
  };
  if (isLambda()) runtime();
  return runtime;
}

/** A Lambda handler from a `handle`. */
export function lambdaHandler(handle: Handle): unknown {
  const { awslambda } = globalThis as { awslambda?: Partial<LambdaStreaming> };
  // The SDK puts an empty `awslambda` where there is none.
  const canStream = typeof awslambda?.streamifyResponse === "function";
  return adaptHandle(handle, coldStart(), canStream ? (awslambda as LambdaStreaming) : undefined);
}

/** The adapter itself, from plain parts. */
export function adaptHandle(handle: Handle, runtime: () => Runtime, streaming: LambdaStreaming | undefined): unknown {
  const run = async (event: APIGatewayProxyEventV2, context: Context, signal: AbortSignal): Promise<HttpResponse> => {
    const { env, deps } = runtime();
    const caller = callerOf(event, env);
    if (caller === null)
      return problemResponse(new BusError("unauthenticated", "The call is not signed by a known identity."), deps.log);
    return handle(toRequest(event, context, caller, signal), deps);
  };
  return streaming === undefined ? bufferedHandler(run) : streamedHandler(run, streaming);
}

type Run = (event: APIGatewayProxyEventV2, context: Context, signal: AbortSignal) => Promise<HttpResponse>;

function streamedHandler(run: Run, { streamifyResponse, HttpResponseStream }: LambdaStreaming): unknown {
  return streamifyResponse(async (event, stream, context) => {
    const gone = new AbortController();
    stream.once("close", () => gone.abort());
    stream.once("error", () => gone.abort());
    const response = await run(event, context, gone.signal);
    const out = HttpResponseStream.from(stream, { statusCode: response.status, headers: response.headers });
    if (typeof response.body === "string") out.write(response.body);
    else for await (const chunk of response.body) if (!(await writeTo(out, chunk, gone.signal))) break;
    out.end();
    // The answer is on its way; the function lives on until this is done.
    await response.afterwards?.();
  });
}

/** Writes, and waits while the reader is slow; false when there is no reader any more. */
async function writeTo(out: Writable, chunk: string, gone: AbortSignal): Promise<boolean> {
  if (gone.aborted) return false;
  if (out.write(chunk)) return true;
  await new Promise<void>((resolve) => {
    out.once("drain", resolve);
    gone.addEventListener("abort", () => resolve(), { once: true });
  });
  return !gone.aborted;
}

function bufferedHandler(run: Run): unknown {
  return async (event: APIGatewayProxyEventV2, context: Context): Promise<BufferedResult> => {
    const response = await run(event, context, new AbortController().signal);
    const body = typeof response.body === "string" ? response.body : await collect(response.body);
    await response.afterwards?.();
    return { statusCode: response.status, headers: response.headers, body };
  };
}

async function collect(chunks: AsyncIterable<string>): Promise<string> {
  let text = "";
  for await (const chunk of chunks) text += chunk;
  return text;
}

/** The identity that IAM verified; sessions of one role are one agent. Null when there is none and there must be. */
export function callerOf(event: APIGatewayProxyEventV2, env: Pick<Config, "allowAnonymous">): string | null {
  const context = event.requestContext as { authorizer?: { iam?: { userArn?: string } } };
  const arn = context.authorizer?.iam?.userArn;
  if (arn === undefined || arn === "") return env.allowAnonymous ? "anonymous" : null;
  const session = /^arn:([^:]+):sts::(\d+):assumed-role\/([^/]+)\//.exec(arn);
  return session === null ? arn : `arn:${session[1]}:iam::${session[2]}:role/${session[3]}`;
}

function toRequest(event: APIGatewayProxyEventV2, context: Context, caller: string, signal: AbortSignal): HttpRequest {
  const deadline = performance.now() + context.getRemainingTimeInMillis();
  return {
    method: event.requestContext.http.method,
    path: event.rawPath,
    query: new URLSearchParams(event.rawQueryString),
    headers: lowerCased(event.headers),
    body: Buffer.from(event.body ?? "", event.isBase64Encoded ? "base64" : "utf8"),
    caller,
    signal,
    remainingMs: () => deadline - performance.now(),
  };
}

function lowerCased(headers: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) => (value === undefined ? [] : [[name.toLowerCase(), value]])),
  );
}
