/**
 * The inside of a subscriber's thread: calls its handler as Lambda would, several calls at once.
 *
 * Each subscriber's bundle is this module with its handler, so this imports nothing that the handler does not need.
 */
import { parentPort } from "node:worker_threads";

/** From the bus: call the handler. */
export interface CallMessage {
  readonly call: number;
  readonly input: unknown;
  /** Epoch milliseconds; when the function's time is up. */
  readonly endsAt: number;
}

/** To the bus: that calls are taken now, and what each came to. */
export type ThreadMessage =
  | { readonly kind: "ready" }
  | { readonly kind: "returned"; readonly call: number; readonly result: unknown }
  | { readonly kind: "threw"; readonly call: number; readonly message: string; readonly stack: string };

/** Serves calls of a handler until the thread is ended. @throws Error when the module exports no `handler` */
export function serve(name: string, handler: unknown): void {
  if (typeof handler !== "function")
    throw new Error(`the module of ${name} has no export named "handler" that is a function`);
  const say = (message: ThreadMessage): void => parentPort?.postMessage(message);

  parentPort?.on("message", async ({ call, input, endsAt }: CallMessage) => {
    try {
      const result: unknown = await handler(input, lambdaContext(name, call, endsAt));
      // What Lambda hands back has gone through JSON, too.
      say({ kind: "returned", call, result: JSON.parse(JSON.stringify(result ?? null)) });
    } catch (error) {
      const { message, stack } = error instanceof Error ? error : new Error(String(error));
      say({ kind: "threw", call, message, stack: stack ?? message });
    }
  });
  say({ kind: "ready" });
}

function lambdaContext(name: string, call: number, endsAt: number): Record<string, unknown> {
  return {
    awsRequestId: `local-${call}`,
    functionName: name,
    functionVersion: "$LATEST",
    invokedFunctionArn: `arn:aws:lambda:local:000000000000:function:${name}`,
    memoryLimitInMB: "256",
    logGroupName: `/aws/lambda/${name}`,
    logStreamName: "local",
    callbackWaitsForEmptyEventLoop: false,
    getRemainingTimeInMillis: () => Math.max(0, endsAt - Date.now()),
  };
}
