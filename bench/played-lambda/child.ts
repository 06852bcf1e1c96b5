/**
 * A Lambda environment, played: loads a bundle as Lambda's Node runtime does, calls its handler as a Function URL does, and
 * tells what that took. Bundled to plain JavaScript before it runs, so that nothing else is loaded.
 *
 * Times of the processor are user and system, in milliseconds.
 */
import { createRequire } from "node:module";
import { PassThrough, type Writable } from "node:stream";

/** What it is told to do; it answers with a `Report` each. */
export type Order =
  /** Load the bundle and make the first call. */
  | { readonly kind: "start"; readonly bundle: string; readonly call: Call }
  /** Make so many calls, so many at once. */
  | { readonly kind: "calls"; readonly count: number; readonly atOnce: number; readonly call: Call };

export interface Call {
  readonly path: string;
  readonly body: string;
  /** By how many agents, in turn. */
  readonly agents: number;
}

export interface Report {
  /** Until the module was loaded; 0 for further calls. */
  readonly startCpuMs: number;
  /** For all calls, with what each leaves to do after its answer. */
  readonly callsCpuMs: number;
  readonly callsMs: number;
  /** When the last answer was complete, in epoch milliseconds with fractions. */
  readonly answeredAtMs: number;
}

type Handler = (event: object, streamOrContext: unknown, context?: unknown) => Promise<unknown>;

const now = (): number => performance.timeOrigin + performance.now();
const cpuMs = (since?: NodeJS.CpuUsage): number => {
  const { user, system } = process.cpuUsage(since);
  return (user + system) / 1_000;
};

/** As Lambda's own: a handler that streams is marked as such. */
const STREAMS = Symbol("streams");
Object.assign(globalThis, {
  awslambda: {
    streamifyResponse: (handler: Handler) => Object.assign(handler, { [STREAMS]: true }),
    HttpResponseStream: { from: (stream: Writable) => stream },
  },
});

const context = {
  functionName: "emit",
  awsRequestId: "00000000-0000-4000-8000-000000000000",
  invokedFunctionArn: "arn:aws:lambda:eu-central-1:111122223333:function:emit",
  getRemainingTimeInMillis: () => 60_000,
};

let calls = 0;
let handler: Handler;
let answeredAtMs = 0;

/** One call; resolves when the function is done with it. */
async function invoke({ path, body, agents }: Call): Promise<void> {
  const agent = calls++ % agents;
  const event = {
    version: "2.0",
    rawPath: path,
    rawQueryString: "",
    headers: { "content-type": "application/json", host: "id.lambda-url.eu-central-1.on.aws" },
    requestContext: {
      http: { method: "POST", path },
      authorizer: { iam: { userArn: `arn:aws:sts::111122223333:assumed-role/agent-${agent}/session` } },
    },
    body,
    isBase64Encoded: false,
  };
  if (!(STREAMS in handler)) {
    const { statusCode } = (await handler(event, context)) as { statusCode: number };
    answeredAtMs = now();
    if (statusCode !== 202) throw new Error(`The call was answered with ${statusCode}.`);
    return;
  }
  const stream = new PassThrough();
  let text = "";
  stream.on("data", (chunk: Buffer) => {
    text += chunk.toString();
  });
  stream.on("end", () => {
    answeredAtMs = now();
  });
  await handler(event, stream, context);
  if (!text.includes('"published":true')) throw new Error(`The call was answered with ${text}`);
}

async function carryOut(order: Order): Promise<Report> {
  const beforeStart = process.cpuUsage();
  let startCpuMs = 0;
  if (order.kind === "start") {
    handler = (createRequire(order.bundle)(order.bundle) as { handler: Handler }).handler;
    startCpuMs = cpuMs(beforeStart);
  }
  const { count, atOnce } = order.kind === "start" ? { count: 1, atOnce: 1 } : order;
  const beforeCalls = process.cpuUsage();
  const begunAtMs = now();
  let left = count;
  const worker = async (): Promise<void> => {
    while (left-- > 0) await invoke(order.call);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return { startCpuMs, callsCpuMs: cpuMs(beforeCalls), callsMs: now() - begunAtMs, answeredAtMs };
}

process.on("message", (order: Order) => {
  carryOut(order).then(
    (report) => process.send?.({ report }),
    (error: unknown) => process.send?.({ error: error instanceof Error ? error.stack : String(error) }),
  );
});
process.on("disconnect", () => process.exit());
