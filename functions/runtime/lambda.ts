/** Between a Function URL and a `Handle`: the AWS event in, the response out, within the function's time. */
import type { APIGatewayProxyEventV2, Context } from "aws-lambda";
import config from "../../bus.config.ts";
import type { Agent } from "../../shared/agents/agent.ts";
import { BusError } from "../../shared/errors.ts";
import { loggingAbout } from "../../shared/log.ts";
import type { Deps, Logger } from "../../shared/ports.ts";
import { type Identified, identifyByKey, whileLetIn, withoutCredentials } from "./authenticate.ts";
import { type AuthMode, type Config, isLambda, readConfig } from "./config.ts";
import { createAwsDeps } from "./deps.ts";
import { type Handle, type HttpRequest, type HttpResponse, problemResponse } from "./http.ts";
import { ANONYMOUS, accountOf, type ConfiguredAgent, iamAgentId } from "./iam-agents.ts";
import { type BufferedResult, collectBuffered, type LambdaStreaming, sendStreamed } from "./lambda-response.ts";
import { jsonLogger } from "./logger.ts";
import { createMetrics, type Metrics } from "./metrics.ts";

/** Kept for what is left to do when a reader does not take its answer in time. */
const LAST_WORK_MS = 1_000;

/** Why a call is broken off. Made once: an abort without a reason makes one each time, with a stack. */
const TIME_IS_UP = new Error("The time of the call is up.");

/** Lambda does not tell its functions that a client has gone. */
const NEVER = new AbortController().signal;

/** What is built on cold start. */
export interface Runtime<D extends Deps = Deps> {
  readonly env: Pick<Config, "allowAnonymous" | "auth">;
  readonly deps: D;
  /** To be written at the end of each call of the function. */
  readonly metrics: Metrics;
}

/** What a function works with beside what all do. Each brings its own, so that none starts with the others'. */
export type CreateParts<D extends Deps> = (deps: Deps) => Omit<D, keyof Deps>;

/** What a function differs in from the others. */
export interface Start<D extends Deps = Deps> {
  readonly parts?: CreateParts<D>;
  /** It publishes at nearly every call: a connection is opened for that too while it starts. Default false. */
  readonly publishes?: boolean;
  /** What its calls come with; as the deployment has it, when not given. */
  readonly auth?: AuthMode;
}

/** The runtime of this function: built once, on Lambda before the first call, elsewhere when it is first needed. */
export function coldStart<D extends Deps = Deps>({ parts, publishes = false }: Start<D> = {}): () => Runtime<D> {
  let built: Runtime<D> | null = null;
  const runtime = (): Runtime<D> => {
    if (built === null) {
      const env = readConfig();
      const log = jsonLogger(env.logLevel);
      const metrics = createMetrics(env.eventBusName, log);
      const deps = createAwsDeps(env, config, log, metrics, publishes);
      built = { env, metrics, deps: { ...deps, ...parts?.(deps) } as D };
    }
    return built;
  };
  if (isLambda()) runtime();
  return runtime;
}

/** The dependencies of one call of the function: its log says which one it is. */
export function ofInvocation<D extends Deps>(deps: D, { functionName, awsRequestId }: Context): D {
  return loggingAbout(deps, { function: functionName, request_id: awsRequestId });
}

/** A Lambda handler from a `handle`. */
export function lambdaHandler<D extends Deps = Deps>(handle: Handle<D>, start: Start<D> = {}): unknown {
  const { awslambda } = globalThis as { awslambda?: Partial<LambdaStreaming> };
  // The SDK puts an empty `awslambda` where there is none.
  const canStream = typeof awslambda?.streamifyResponse === "function";
  return adaptHandle(handle, coldStart(start), canStream ? (awslambda as LambdaStreaming) : undefined, start.auth);
}

/** The adapter itself, from plain parts. */
export function adaptHandle<D extends Deps>(
  handle: Handle<D>,
  runtime: () => Runtime<D>,
  streaming: LambdaStreaming | undefined,
  auth?: AuthMode,
): unknown {
  const serve: Run = async (event, context, signal) => {
    const { env, deps: always } = runtime();
    const deps = ofInvocation(always, context);
    const whose = () => identify(event, context, deps, { ...env, ...(auth === undefined ? {} : { auth }) });
    const identified = await whose();
    if (identified.kind === "refused") return identified.response;
    const { agent } = identified;
    const response = await handle(
      { ...toRequest(event, context, agent, signal), canStream: streaming !== undefined, gone: NEVER },
      deps,
    );
    return whileLetIn(response, agent, whose, deps.monotonic);
  };
  const run: Run = async (event, context, signal) => {
    const response = await serve(event, context, signal);
    return measured(response, runtime().metrics);
  };
  const log: LogOf = (context) => ofInvocation(runtime().deps, context).log;
  return streaming === undefined ? bufferedHandler(run, log) : streamedHandler(run, log, streaming);
}

/** Counts what did not go well, and has all measures written once the caller has its answer. */
function measured(response: HttpResponse, metrics: Metrics): HttpResponse {
  const { status } = response;
  if (status >= 500) metrics.add("FailedCalls", 1);
  else if (status === 401 || status === 403) metrics.add("RefusedCalls", 1);
  else if (status === 429) metrics.add("RateLimitedCalls", 1);
  else if (status === 424) metrics.add("WaitsWithoutSubscribers", 1);
  return {
    ...response,
    async afterwards() {
      await response.afterwards?.();
      metrics.write();
    },
  };
}

/** The log of one call of the function. */
type LogOf = (context: Context) => Logger;

type Run = (event: APIGatewayProxyEventV2, context: Context, signal: AbortSignal) => Promise<HttpResponse>;

function streamedHandler(run: Run, log: LogOf, streaming: LambdaStreaming): unknown {
  return streaming.streamifyResponse((event, stream, context) =>
    withTimeLimit(context, async (timeLimit) => {
      let isSent = false;
      // When the runtime's own link to Lambda breaks. A client that goes is not reported at all.
      stream.once("close", () => {
        if (!isSent) timeLimit.abort(TIME_IS_UP);
      });
      const response = await run(event, context, timeLimit.signal);
      try {
        await sendStreamed(response, stream, streaming, log(context), timeLimit.signal);
      } finally {
        isSent = true;
        // The answer is on its way; the function lives on until this is done.
        await response.afterwards?.();
      }
    }),
  );
}

function bufferedHandler(run: Run, log: LogOf): unknown {
  return (event: APIGatewayProxyEventV2, context: Context): Promise<BufferedResult> =>
    withTimeLimit(context, async (timeLimit) => {
      const response = await run(event, context, timeLimit.signal);
      try {
        return await collectBuffered(response);
      } catch (error) {
        return await collectBuffered(problemResponse(error, log(context)));
      } finally {
        await response.afterwards?.();
      }
    });
}

/** Aborts the controller shortly before the function's time is up. */
async function withTimeLimit<T>(context: Context, work: (timeLimit: AbortController) => Promise<T>): Promise<T> {
  const timeLimit = new AbortController();
  const leftMs = Math.max(0, context.getRemainingTimeInMillis() - LAST_WORK_MS);
  const timer = setTimeout(() => timeLimit.abort(TIME_IS_UP), leftMs);
  try {
    return await work(timeLimit);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Who calls. Where calls come with keys, one that IAM has verified needs none: Lambda itself says so, and only at a URL
 * that takes signed calls (https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html).
 */
async function identify(
  event: APIGatewayProxyEventV2,
  context: Context,
  deps: Deps,
  env: Pick<Config, "allowAnonymous" | "auth">,
): Promise<Identified> {
  const isKeyed = env.auth === "keys";
  const verified = agentOf(
    event,
    { allowAnonymous: env.allowAnonymous && !isKeyed },
    deps.configuredAgent,
    context.invokedFunctionArn,
  );
  if (verified !== null) return { kind: "known", agent: verified };
  if (!isKeyed) {
    const error = new BusError("unauthenticated", "The call is not signed by a known identity.");
    return { kind: "refused", response: problemResponse(error, deps.log) };
  }
  const { authorization } = lowerCased(event.headers);
  return identifyByKey(deps, { method: event.requestContext.http.method, path: event.rawPath, authorization });
}

/** The agent that IAM verified. Null when there is none and there must be. @param functionArn of the function called */
export function agentOf(
  event: APIGatewayProxyEventV2,
  env: Pick<Config, "allowAnonymous">,
  configuredAgent: ConfiguredAgent,
  functionArn: string,
): Agent | null {
  const context = event.requestContext as { authorizer?: { iam?: { userArn?: string } } };
  const arn = context.authorizer?.iam?.userArn;
  if (arn === undefined || arn === "") return env.allowAnonymous ? configuredAgent(ANONYMOUS) : null;
  return configuredAgent(iamAgentId(arn), accountOf(functionArn));
}

function toRequest(
  event: APIGatewayProxyEventV2,
  context: Context,
  agent: Agent,
  signal: AbortSignal,
): Omit<HttpRequest, "canStream" | "gone"> {
  const deadline = performance.now() + context.getRemainingTimeInMillis();
  return {
    method: event.requestContext.http.method,
    path: event.rawPath,
    query: new URLSearchParams(event.rawQueryString),
    headers: withoutCredentials(lowerCased(event.headers)),
    body: Buffer.from(event.body ?? "", event.isBase64Encoded ? "base64" : "utf8"),
    agent,
    signal,
    remainingMs: () => deadline - performance.now(),
  };
}

function lowerCased(headers: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const lower: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) if (value !== undefined) lower[name.toLowerCase()] = value;
  return lower;
}
