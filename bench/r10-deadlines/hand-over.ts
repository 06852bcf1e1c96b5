/** Waits that outlive their function: the Lambda handler of `request` itself, with a function's time that runs out. */
import type { APIGatewayProxyEventV2, Context } from "aws-lambda";
import { handle } from "../../functions/request.ts";
import { createDeps } from "../../functions/runtime/deps.ts";
import { adaptHandle, type Runtime } from "../../functions/runtime/lambda.ts";
import { openAgent } from "../../shared/agents/agent.ts";
import { defineBus } from "../../shared/bus-config.ts";
import { MemoryEventStore } from "../../test/support/memory-event-store.ts";
import { MemoryRateStore } from "../../test/support/memory-rate-store.ts";
import { silentLogger } from "../../test/support/silent-logger.ts";

/** How long the function may run: what is left of it when it hands over is what is measured. */
const LIFE_MS = 3_000;

/** Opens waits that are longer than the function's life. @returns how much of it was left when each was handed over, in ms */
export async function leftAtHandOver(count: number): Promise<number[]> {
  const runtime = runtimeInMemory();
  const handler = adaptHandle(handle, () => runtime, undefined) as (
    event: APIGatewayProxyEventV2,
    context: Context,
  ) => Promise<{ statusCode: number; headers: Record<string, string>; body: string }>;
  const one = async (): Promise<number> => {
    const endsAt = performance.now() + LIFE_MS;
    const remaining = (): number => endsAt - performance.now();
    const answer = await handler(question(), { getRemainingTimeInMillis: remaining } as Context);
    const { resume } = JSON.parse(answer.body) as { resume?: string };
    if (answer.statusCode !== 202 || resume === undefined || answer.headers["location"] !== resume)
      throw new Error(`A wait was not handed over, but answered with ${answer.statusCode}: ${answer.body}`);
    return remaining();
  };
  return Promise.all(Array.from({ length: count }, one));
}

/** The domain on a store in memory: only the function's time is played. */
function runtimeInMemory(): Runtime {
  const deps = createDeps({
    store: new MemoryEventStore(Date.now),
    rates: new MemoryRateStore(),
    publisher: { publish: async (events) => events.map(() => ({ kind: "published" })) },
    config: defineBus({ eventTypes: { BENCH_SILENT: { group: "bench" } } }),
    configuredAgent: openAgent,
    log: silentLogger,
  });
  return { env: { allowAnonymous: true, auth: "iam" }, deps, metrics: { add: () => {}, write: async () => {} } };
}

function question(): APIGatewayProxyEventV2 {
  const question = { type: "BENCH_SILENT", data: {}, timeout: 60, require_subscribers: false };
  return {
    version: "2.0",
    rawPath: "/requests",
    rawQueryString: "",
    headers: { "content-type": "application/json" },
    requestContext: { http: { method: "POST" } },
    body: JSON.stringify(question),
    isBase64Encoded: false,
  } as unknown as APIGatewayProxyEventV2;
}
