/** The bus as it is deployed, on services that count: its functions, its store, its clients; only time is played. */
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { EventBridgeClient } from "@aws-sdk/client-eventbridge";
import { SQSClient } from "@aws-sdk/client-sqs";
import { handle as deliveries } from "../../functions/deliveries.ts";
import { handle as emit } from "../../functions/emit.ts";
import { handle as history } from "../../functions/history.ts";
import { handle as queue } from "../../functions/queue.ts";
import { handle as request } from "../../functions/request.ts";
import { handle as respond } from "../../functions/respond.ts";
import { sdkEventCalls, sdkTableCalls } from "../../functions/runtime/aws/sdk-calls.ts";
import { createDeps } from "../../functions/runtime/deps.ts";
import { createDynamoRateStore } from "../../functions/runtime/dynamo/rates.ts";
import { createDynamoEventStore } from "../../functions/runtime/dynamo-event-store.ts";
import { createEventBridgePublisher } from "../../functions/runtime/eventbridge-publisher.ts";
import type { Handle, HttpRequest } from "../../functions/runtime/http.ts";
import { createSqsWebhookQueue } from "../../functions/runtime/sqs-webhook-queue.ts";
import { freshWebhookSecret } from "../../functions/runtime/subscription-parts.ts";
import { createWaitParts } from "../../functions/runtime/wait-parts.ts";
import { handle as subscriptions } from "../../functions/subscriptions.ts";
import { TABLE_NAME } from "../../local/table.ts";
import { type Agent, openAgent } from "../../shared/agents/agent.ts";
import { type BusDeclaration, defineBus } from "../../shared/bus-config.ts";
import type { DispatchDeps } from "../../shared/deliveries/dispatch.ts";
import type { RedriveDeps } from "../../shared/deliveries/redrive.ts";
import type { Deps, Logger } from "../../shared/ports.ts";
import { type ApiFunction, matchRoute } from "../../shared/routes.ts";
import type { SubscribeDeps } from "../../shared/subscriptions/subscribe.ts";
import type { WaitDeps } from "../../shared/wait.ts";
import type { DeliverDeps } from "../../shared/webhooks/deliver.ts";
import type { WebhookOutcome } from "../../shared/webhooks/port.ts";
import { type PlayedTime, playedTime } from "./played-time.ts";
import { type CountedServices, startCountedServices } from "./services.ts";

/** A type without a schema, that nobody deployed subscribes to. */
export const COUNTED_TYPE = "COUNTED";

export const COUNTED_BUS: BusDeclaration = {
  eventTypes: { [COUNTED_TYPE]: { group: "counted", description: "Is counted." } },
};

type CountedDeps = SubscribeDeps & DispatchDeps & DeliverDeps & RedriveDeps & WaitDeps;

export interface CountedBus {
  readonly deps: CountedDeps;
  readonly services: CountedServices;
  readonly time: PlayedTime;
  /** Calls a function as its URL does; what is left to do after the answer is done too. @throws Error unless it is answered with 2xx */
  call(method: string, path: string, options?: CallOptions): Promise<Record<string, unknown>>;
  close(): Promise<void>;
}

export interface CallOptions {
  readonly body?: unknown;
  readonly agent?: Agent;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Whoever calls when nobody else is named; it may do everything. */
export const CALLER = openAgent("agent");

const FUNCTIONS: Readonly<Partial<Record<ApiFunction, Handle<CountedDeps>>>> = {
  emit,
  request,
  respond,
  history,
  subscriptions,
  queue,
  deliveries,
};

/** As long as a held call may take, in played time. */
const LIFE_MS = 3_600_000;

const PATIENCE_MS = 60_000;

const quiet: Logger = { info() {}, warn() {}, error() {} };

/** @param learns whether its waits go by how long answers have taken; otherwise each reads as when nothing is known */
export async function startCountedBus(
  declaration: BusDeclaration = COUNTED_BUS,
  { learns = false }: { readonly learns?: boolean } = {},
): Promise<CountedBus> {
  const services = await startCountedServices();
  const time = playedTime();
  const access = {
    endpoint: services.url,
    region: "local",
    credentials: { accessKeyId: "local", secretAccessKey: "local" },
    // What is tried twice would be counted twice: a machine that is busy is waited for instead.
    maxAttempts: 1,
    requestHandler: { connectionTimeout: PATIENCE_MS, requestTimeout: PATIENCE_MS, throwOnRequestTimeout: true },
  };
  const client = new DynamoDBClient(access);
  const eventBridge = new EventBridgeClient(access);
  const sqs = new SQSClient({ ...access, md5: false });
  const table = { calls: sdkTableCalls(client), tableName: TABLE_NAME };
  const config = defineBus({ ...declaration, limits: { ...declaration.limits, ...UNBOUNDED } });
  const always: Deps = {
    ...createDeps({
      store: createDynamoEventStore({ ...table, now: time.now }),
      rates: createDynamoRateStore({ ...table, timeoutMs: PATIENCE_MS }),
      publisher: createEventBridgePublisher({ calls: sdkEventCalls(eventBridge), eventBusName: "bus" }),
      config,
      configuredAgent: openAgent,
      log: quiet,
      pause: time.pause,
    }),
    now: time.now,
    monotonic: time.monotonic,
  };
  const deps: CountedDeps = {
    ...always,
    ...(learns ? createWaitParts(always) : {}),
    webhookQueue: createSqsWebhookQueue(sqs, `${services.url}/000000000000/webhooks`),
    webhooks: { check: async () => null, send: async () => DELIVERED },
    newWebhookSecret: freshWebhookSecret,
    deployed: { redeliver: async () => {} },
  };
  return {
    deps,
    services,
    time,
    call: (method, path, options = {}) => call(deps, time, method, path, options),
    async close() {
      for (const one of [client, eventBridge, sqs]) one.destroy();
      await services.close();
    },
  };
}

/** Nobody is to be turned away while calls are counted. */
const UNBOUNDED = { ratePerAgent: { perSecond: 10_000, burst: 100_000 } };

/** What every endpoint answers. */
const DELIVERED: WebhookOutcome = { kind: "delivered", status: 204, body: null, elapsedMs: 5 };

async function call(
  deps: CountedDeps,
  time: PlayedTime,
  method: string,
  path: string,
  { body, agent = CALLER, headers = {} }: CallOptions,
): Promise<Record<string, unknown>> {
  const [pathname = "", query = ""] = path.split("?");
  const route = matchRoute(method, pathname);
  const serve = route.kind === "matched" ? FUNCTIONS[route.servedBy] : undefined;
  if (serve === undefined)
    throw new Error(`${method} ${pathname} is served by none of the functions that are counted.`);
  const { signal } = new AbortController();
  const endsAtMs = time.monotonic() + LIFE_MS;
  const request: HttpRequest = {
    method,
    path: pathname,
    query: new URLSearchParams(query),
    headers,
    body: Buffer.from(body === undefined ? "" : JSON.stringify(body)),
    agent,
    signal,
    gone: signal,
    canStream: false,
    remainingMs: () => endsAtMs - time.monotonic(),
  };
  const response = await serve(request, deps);
  await response.afterwards?.();
  const text = typeof response.body === "string" ? response.body : "";
  if (response.status >= 300) throw new Error(`${method} ${path}: ${response.status} ${text}`);
  return text === "" ? {} : (JSON.parse(text) as Record<string, unknown>);
}
