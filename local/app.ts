/**
 * The part of the embedded run that is loaded again when code changes: the configuration, the domain, the functions'
 * handlers, and what they work with. It holds no state of its own; the host lends it everything that must last.
 */

import * as agents from "../functions/agents.ts";
import * as deliverWebhook from "../functions/deliver-webhook.ts";
import * as deliveries from "../functions/deliveries.ts";
import * as dispatch from "../functions/dispatch.ts";
import * as emit from "../functions/emit.ts";
import * as history from "../functions/history.ts";
import * as queue from "../functions/queue.ts";
import * as reconcile from "../functions/reconcile.ts";
import * as request from "../functions/request.ts";
import * as respond from "../functions/respond.ts";
import { freshAgentSecret } from "../functions/runtime/agent-parts.ts";
import type { TableCalls } from "../functions/runtime/aws/calls.ts";
import { createDeps } from "../functions/runtime/deps.ts";
import { createDynamoRateStore } from "../functions/runtime/dynamo/rates.ts";
import { createDynamoEventStore } from "../functions/runtime/dynamo-event-store.ts";
import type { Handle, HttpRequest, HttpResponse } from "../functions/runtime/http.ts";
import { configuredAgents, LOCAL } from "../functions/runtime/iam-agents.ts";
import { createRequestReads } from "../functions/runtime/shared-request-reads.ts";
import { freshWebhookSecret } from "../functions/runtime/subscription-parts.ts";
import { createWebhookSender } from "../functions/runtime/webhook/sender.ts";
import * as stream from "../functions/stream.ts";
import * as subscriptions from "../functions/subscriptions.ts";
import type { AgentDeps } from "../shared/agents/administer.ts";
import type { BusConfig } from "../shared/bus-config.ts";
import { type DeadLetter, recordDeadLetter } from "../shared/deliveries/dead-letters.ts";
import type { RedriveDeps } from "../shared/deliveries/redrive.ts";
import type { DeployedSubscriber } from "../shared/deployed-subscriber.ts";
import { BusError, toProblem } from "../shared/errors.ts";
import type { DeliveredEvent } from "../shared/event.ts";
import type { StreamDeps } from "../shared/live-stream.ts";
import type { Logger, WebhookQueue, WebhookTask } from "../shared/ports.ts";
import { type ApiFunction, matchRoute } from "../shared/routes.ts";
import type { SubscribeDeps } from "../shared/subscriptions/subscribe.ts";
import type { WaitDeps } from "../shared/wait.ts";
import { type DeliverDeps, pendingTasks, type TaskOutcome } from "../shared/webhooks/deliver.ts";
import { type Identify, identifyBy, identifyNobody, issueAdministratorKey } from "./key-mode.ts";
import { type AcceptDeliveries, type AcceptEvents, createLocalPublisher } from "./publisher.ts";
import { type SharedReads, sharingStore } from "./shared-reads.ts";
import type { SubscriberKeys } from "./subscriber-keys.ts";
import { TABLE_NAME } from "./table.ts";
import { type Wakeups, wakingStore } from "./wakeups.ts";

/** What the host lends. It outlives every version of the code. */
export interface Host {
  readonly table: TableCalls;
  /** The pause between two runs of the reconciler. */
  readonly reconcileEveryMs: number;
  readonly wakeups: Wakeups;
  readonly reads: SharedReads;
  readonly accept: AcceptDeliveries;
  readonly acceptForDispatch: AcceptEvents;
  /** Hands an event to one deployed subscriber, or to the dispatcher, again. @throws when it cannot */
  readonly redeliver: (name: string, event: DeliveredEvent) => void;
  readonly webhookQueue: WebhookQueue;
  readonly allowLoopbackWebhooks: boolean;
  /** By which deployed subscribers are known; null where nobody has to prove who he is. */
  readonly subscriberKeys: SubscriberKeys | null;
  readonly log: Logger;
}

export interface App {
  readonly subscribers: readonly DeployedSubscriber[];
  /** Whose call it is. Never throws. */
  readonly identify: Identify;
  /** A new key for the administrator; null when that agent is no administrator any more. @throws BusError `unavailable` */
  issueAdministratorKey(): Promise<string | null>;
  /** Answers one request. Never throws. */
  serve(request: HttpRequest): Promise<HttpResponse>;
  /** Brings an event to the run-time subscriptions that want it. @throws when it has to be done again */
  dispatch(event: DeliveredEvent): Promise<void>;
  /** One attempt of a webhook. @throws when it has to be made again */
  deliverWebhook(task: WebhookTask): Promise<TaskOutcome>;
  /** The webhooks that an earlier run left pending. */
  pendingWebhooks(): Promise<WebhookTask[]>;
  /** Records that a delivery to a deployed subscriber is dead. @throws when it has to be done again */
  recordDeadLetter(letter: DeadLetter): Promise<void>;
  /** Starts the repeated work. */
  start(): void;
  /** Ends the repeated work; calls under way go on. */
  retire(): void;
}

type AppDeps = SubscribeDeps & RedriveDeps & DeliverDeps & AgentDeps & WaitDeps & StreamDeps;

const HANDLES: Readonly<Record<ApiFunction, Handle<AppDeps>>> = {
  emit: emit.handle,
  request: request.handle,
  respond: respond.handle,
  history: history.handle,
  stream: stream.handle,
  subscriptions: subscriptions.handle,
  queue: queue.handle,
  deliveries: deliveries.handle,
  agents: agents.handle,
};

/** One process, one clock, and an index that does not lag: only a slow write keeps an event from being seen in order. */
const INDEX_SETTLE_MS = 2_000;

/** Every write wakes whoever waits for it. A wait looks all the same, should something else have written to the folder. */
const SURELY_WOKEN_MS = 1_000;

/** Puts one version of the code together. */
export function createApp(config: BusConfig, host: Host): App {
  const { wakeups, log } = host;
  const table = { calls: host.table, tableName: TABLE_NAME };
  const store = wakingStore(sharingStore(createDynamoEventStore(table), host.reads), wakeups);
  const deps: AppDeps = {
    ...createDeps({
      store,
      rates: createDynamoRateStore(table),
      publisher: createLocalPublisher(config.subscribers, host.accept, host.acceptForDispatch),
      config,
      configuredAgent: configuredAgents(config, { open: host.subscriberKeys === null ? LOCAL : undefined }),
      log,
      pause: wakeups.pause,
      indexSettleMs: INDEX_SETTLE_MS,
    }),
    // Those whom a write wakes are woken together, and need not wait for others whose time is up.
    readRequest: createRequestReads(store, queueMicrotask),
    surelyWokenMs: SURELY_WOKEN_MS,
    arrivals: host.reads.arrivals,
    webhooks: createWebhookSender({ allowLoopback: host.allowLoopbackWebhooks }),
    newWebhookSecret: freshWebhookSecret,
    newAgentSecret: freshAgentSecret,
    webhookQueue: host.webhookQueue,
    deployed: { redeliver: async (name, event) => host.redeliver(name, event) },
  };
  let timer: NodeJS.Timeout | undefined;
  let retired = false;

  async function reconcileRepeatedly(): Promise<void> {
    try {
      await reconcile.handle(deps);
    } catch (error) {
      log.error("reconcile failed", { error: (error as Error).message });
    }
    if (!retired) timer = setTimeout(reconcileRepeatedly, host.reconcileEveryMs);
  }

  return {
    subscribers: config.subscribers,
    identify: host.subscriberKeys === null ? identifyNobody : identifyBy(deps, config.subscribers, host.subscriberKeys),
    issueAdministratorKey: () => issueAdministratorKey(deps),
    async serve(incoming) {
      const route = matchRoute(incoming.method, incoming.path);
      if (route.kind === "unmatched") return notFound(incoming, route.allowed);
      return HANDLES[route.servedBy](incoming, deps);
    },
    dispatch: (event) => dispatch.handle(deps, event),
    deliverWebhook: (task) => deliverWebhook.handle(deps, task),
    pendingWebhooks: () => pendingTasks(deps),
    recordDeadLetter: (letter) => recordDeadLetter(deps, letter),
    start: () => void reconcileRepeatedly(),
    retire() {
      retired = true;
      clearTimeout(timer);
    },
  };
}

function notFound({ method, path }: HttpRequest, allowed: readonly string[]): HttpResponse {
  const detail =
    allowed.length === 0
      ? `There is nothing at ${path}.`
      : `${path} does not take ${method}; it takes ${allowed.join(", ")}.`;
  const problem = toProblem(new BusError("not_found", detail));
  return {
    status: problem.status,
    headers: {
      "content-type": "application/problem+json",
      ...(allowed.length === 0 ? {} : { allow: allowed.join(", ") }),
    },
    body: JSON.stringify(problem),
  };
}
