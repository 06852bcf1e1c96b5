/**
 * The part of the embedded run that is loaded again when code changes: the configuration, the domain, the functions'
 * handlers, and what they work with. It holds no state of its own; the host lends it everything that must last.
 */
import * as emit from "../functions/emit.ts";
import * as history from "../functions/history.ts";
import * as reconcile from "../functions/reconcile.ts";
import * as request from "../functions/request.ts";
import * as respond from "../functions/respond.ts";
import { createDeps } from "../functions/runtime/deps.ts";
import { createDynamoEventStore } from "../functions/runtime/dynamo-event-store.ts";
import type { Handle, HttpRequest, HttpResponse } from "../functions/runtime/http.ts";
import * as stream from "../functions/stream.ts";
import type { BusConfig } from "../shared/bus-config.ts";
import type { DeployedSubscriber } from "../shared/deployed-subscriber.ts";
import { BusError, toProblem } from "../shared/errors.ts";
import type { Logger } from "../shared/ports.ts";
import { type ApiFunction, matchRoute } from "../shared/routes.ts";
import { type AcceptDeliveries, createLocalPublisher } from "./publisher.ts";
import { type SharedReads, sharingStore } from "./shared-reads.ts";
import { embeddedClient, TABLE_NAME } from "./table.ts";
import { type Wakeups, wakingStore } from "./wakeups.ts";

/** On AWS it runs each minute; here nobody wants to wait that long for what a crash left behind. */
const RECONCILE_EVERY_MS = 10_000;

/** What the host lends. It outlives every version of the code. */
export interface Host {
  readonly storeEndpoint: string;
  readonly wakeups: Wakeups;
  readonly reads: SharedReads;
  readonly accept: AcceptDeliveries;
  readonly log: Logger;
}

export interface App {
  readonly subscribers: readonly DeployedSubscriber[];
  /** Answers one request. Never throws. */
  serve(request: HttpRequest): Promise<HttpResponse>;
  /** Starts the repeated work. */
  start(): void;
  /** Ends the repeated work; calls under way go on. */
  retire(): void;
}

const HANDLES: Readonly<Record<ApiFunction, Handle>> = {
  emit: emit.handle,
  request: request.handle,
  respond: respond.handle,
  history: history.handle,
  stream: stream.handle,
};

/** One process, one clock, and an index that does not lag: only a slow write keeps an event from being seen in order. */
const INDEX_SETTLE_MS = 2_000;

/** Puts one version of the code together. */
export function createApp(config: BusConfig, { storeEndpoint, wakeups, reads, accept, log }: Host): App {
  const store = createDynamoEventStore({ client: embeddedClient(storeEndpoint), tableName: TABLE_NAME });
  const deps = createDeps({
    store: wakingStore(sharingStore(store, reads), wakeups),
    publisher: createLocalPublisher(config.subscribers, accept),
    config,
    log,
    pause: wakeups.pause,
    indexSettleMs: INDEX_SETTLE_MS,
  });
  let timer: NodeJS.Timeout | undefined;
  let retired = false;

  async function reconcileRepeatedly(): Promise<void> {
    try {
      await reconcile.handle(deps);
    } catch (error) {
      log.error("reconcile failed", { error: (error as Error).message });
    }
    if (!retired) timer = setTimeout(reconcileRepeatedly, RECONCILE_EVERY_MS);
  }

  return {
    subscribers: config.subscribers,
    async serve(incoming) {
      const route = matchRoute(incoming.method, incoming.path);
      if (route.kind === "unmatched") return notFound(incoming, route.allowed);
      return HANDLES[route.servedBy](incoming, deps);
    },
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
