/**
 * Subscribing over a pull queue: it gathers events while the subscriber is away, and brings again what failed.
 *
 * Make the subscription, or find the one of this name; poll once, so that the bus knows that somebody is there; poll on.
 */
import { MAX_MESSAGES } from "../shared/limits.ts";
import { linkAbort } from "./abort.ts";
import type { Connection } from "./calls.ts";
import type { BusOfContext } from "./context.ts";
import type { Delivery } from "./delivery.ts";
import { eventTypes } from "./history.ts";
import { consoleLogger, errorFields } from "./log.ts";
import { type Queue, queueOf } from "./queue.ts";
import { handOver, type Poller, pollOn } from "./queue-poller.ts";
import { createQueueWorker } from "./queue-worker.ts";
import { withRetries } from "./retry.ts";
import { DEFAULT_CONCURRENCY, type DurableOptions, type Subscription } from "./subscribe-options.ts";
import { createSubscription } from "./subscriptions.ts";

/**
 * Resolves once the first poll has been answered: from then on it can be asked.
 * @throws AgentEventBusError when it cannot be made or polled to begin with; the signal's reason
 */
export async function openDurableSubscription<Types extends object>(
  connection: Connection,
  bus: BusOfContext<Types>,
  eventType: string,
  callback: Delivery<Types>["callback"],
  options: DurableOptions,
): Promise<Subscription> {
  const { durable: subscriber, concurrency = DEFAULT_CONCURRENCY, answers = true, log = consoleLogger } = options;
  options.signal?.throwIfAborted();
  const link = linkAbort(options.signal);
  const worker = createQueueWorker({ bus, callback, subscriber, answers, log, eventType, concurrency });
  const make = (signal: AbortSignal) => makeQueue(connection, eventType, options, signal);
  const { queue, messages } = await make(link.signal)
    .then(async (queue) => ({ queue, messages: await firstPoll(connection, queue, concurrency, link.signal) }))
    .catch((error: unknown) => {
      link.release();
      throw error;
    });
  const { retry } = connection;
  const poller: Poller = { queue, worker, subscriber, retry, log, remake: make, closing: link.signal };
  handOver(poller, messages);

  const closed = pollOn(poller)
    .catch((error: unknown) =>
      log.error("the subscription ended", { subscriber, type: eventType, ...errorFields(error) }),
    )
    .finally(() => {
      link.release();
      return worker.idle();
    });
  return {
    subscriber,
    get subscriptionId() {
      return poller.queue.subscriptionId;
    },
    closed,
    close() {
      link.abort();
      return closed;
    },
  };
}

/** `*` is every type that there is now: those that are added later count from the next start on. */
async function makeQueue(
  connection: Connection,
  eventType: string,
  { durable, filter, answers, visibility, maxAttempts }: DurableOptions,
  signal: AbortSignal,
): Promise<Queue> {
  const types = eventType === "*" ? (await eventTypes(connection, signal)).map(({ name }) => name) : [eventType];
  const target = { kind: "queue", visibility, maxAttempts } as const;
  const wanted = { name: durable, eventTypes: types, target, filter, answers };
  return queueOf(connection, await createSubscription(connection, wanted, signal));
}

/** Not held: its answer says that the bus has noted who is there. */
function firstPoll(connection: Connection, queue: Queue, concurrency: number, signal: AbortSignal) {
  const max = Math.min(concurrency, MAX_MESSAGES);
  return withRetries(connection.retry, signal, () => queue.take({ max, waitSeconds: 0, signal }));
}
