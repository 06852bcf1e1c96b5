/** The composition root: what operations work with, built once per cold start. */
import { setTimeout as sleep } from "node:timers/promises";
import { createAwsCalls } from "#aws-calls";
import type { BusConfig } from "../../shared/bus-config.ts";
import { INDEX_SETTLE_MS } from "../../shared/limits.ts";
import type { Deps, EventPublisher, EventStore, Logger } from "../../shared/ports.ts";
import { createRateLimiter } from "../../shared/rate-limit/limiter.ts";
import type { RateStore } from "../../shared/rate-limit/store.ts";
import { type Config, isLambda } from "./config.ts";
import { createDynamoRateStore } from "./dynamo/rates.ts";
import { createDynamoEventStore } from "./dynamo-event-store.ts";
import { createEventBridgePublisher } from "./eventbridge-publisher.ts";
import { ANONYMOUS, configuredAgents } from "./iam-agents.ts";
import { measuringStore } from "./measuring-store.ts";
import type { Metrics } from "./metrics.ts";
import { randomBytes } from "./random.ts";
import { uuidv7 } from "./uuidv7.ts";

/** What differs between the runs; the rest is the same everywhere. */
export interface Parts {
  readonly store: EventStore;
  readonly rates: RateStore;
  readonly publisher: EventPublisher;
  readonly config: BusConfig;
  readonly log: Logger;
  readonly configuredAgent: Deps["configuredAgent"];
  /** Without it, a plain sleep. */
  readonly pause?: Deps["pause"];
  /** Without it, what many machines and a lagging index need. */
  readonly indexSettleMs?: number;
}

export function createDeps(parts: Parts): Deps {
  const { store, rates, publisher, config, log, pause = plainPause, indexSettleMs = INDEX_SETTLE_MS } = parts;
  return {
    store,
    publisher,
    catalogue: config.catalogue,
    subscribers: config.subscribers,
    configuredAgent: parts.configuredAgent,
    limits: config.limits,
    limiter: createRateLimiter({ store: rates, rate: config.limits.ratePerAgent, now: Date.now, log }),
    now: Date.now,
    monotonic: () => performance.now(),
    newId: uuidv7,
    newToken: () => randomBytes(16).toString("base64url"),
    pause,
    indexSettleMs,
    log,
  };
}

/**
 * The same on AWS. The region and the credentials are the function's own.
 * @param publishes whether a connection to EventBridge is needed from the first call on
 */
export function createAwsDeps(env: Config, config: BusConfig, log: Logger, metrics: Metrics, publishes = false): Deps {
  const aws = createAwsCalls();
  if (isLambda()) aws.openSockets(publishes ? ["dynamodb", "eventbridge"] : ["dynamodb"]);
  const table = { calls: aws.table, tableName: env.tableName };
  const store = createDynamoEventStore(table);
  return createDeps({
    store: measuringStore(store, metrics),
    rates: createDynamoRateStore(table),
    publisher: createEventBridgePublisher({ calls: aws.events, eventBusName: env.eventBusName }),
    config,
    configuredAgent: configuredAgents(config, { bus: env, open: env.allowAnonymous ? ANONYMOUS : undefined }),
    log,
  });
}

/** Across machines nothing can wake a wait: it looks again when its gap is over. */
async function plainPause(ms: number, _topic: string, signal?: AbortSignal): Promise<void> {
  await sleep(ms, undefined, signal === undefined ? {} : { signal }).catch((error: unknown) => {
    if (!(error instanceof Error && error.name === "AbortError")) throw error;
  });
}
