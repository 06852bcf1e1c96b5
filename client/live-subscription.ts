/** Subscribing over the live stream: events come to a callback, its answers go back by themselves. */
import type { DeliveredEvent } from "../shared/event.ts";
import { linkAbort } from "./abort.ts";
import type { Connection } from "./calls.ts";
import type { BusOfContext } from "./context.ts";
import { type Delivery, deliver } from "./delivery.ts";
import { liveEvents } from "./live-stream.ts";
import { consoleLogger, errorFields } from "./log.ts";
import { DEFAULT_CONCURRENCY, type LiveOptions, type Subscription } from "./subscribe-options.ts";

/** Resolves once the stream is open. @throws AgentEventBusError when it cannot be opened; the signal's reason */
export async function openLiveSubscription<Types extends object>(
  connection: Connection,
  bus: BusOfContext<Types>,
  eventType: string,
  callback: Delivery<Types>["callback"],
  options: LiveOptions,
): Promise<Subscription> {
  const {
    as: subscriber = randomName(),
    correlationId,
    concurrency = DEFAULT_CONCURRENCY,
    answers = true,
    after,
    log = consoleLogger,
  } = options;
  options.signal?.throwIfAborted();
  const link = linkAbort(options.signal);
  const { promise: opened, resolve: onOpen, reject: onRefused } = deferred();
  const events = liveEvents(connection, {
    type: eventType === "*" ? undefined : eventType,
    correlationId,
    as: answers ? subscriber : undefined,
    after,
    signal: link.signal,
    onOpen,
  });
  const run = (event: DeliveredEvent) =>
    deliver({
      bus,
      event,
      callback,
      subscriber,
      answers,
      attempt: 1,
      comesAgainAt: Number.POSITIVE_INFINITY,
      functionEndsAt: Number.POSITIVE_INFINITY,
      log,
    });

  const closed = forEachLimited(events, concurrency, run)
    .catch((error: unknown) => {
      log.error("the subscription ended", { subscriber, type: eventType, ...errorFields(error) });
      onRefused(error);
    })
    .finally(() => {
      link.release();
      onRefused(options.signal?.reason ?? new Error("The subscription was closed before it was open."));
    });
  await opened;
  return {
    subscriber,
    closed,
    close() {
      link.abort();
      return closed;
    },
  };
}

/** Works on up to `limit` events at once; takes the next only when there is room for it. `work` never throws. */
async function forEachLimited<T>(
  items: AsyncIterable<T>,
  limit: number,
  work: (item: T) => Promise<unknown>,
): Promise<void> {
  const running = new Set<Promise<unknown>>();
  try {
    for await (const item of items) {
      const task = work(item).finally(() => running.delete(task));
      running.add(task);
      if (running.size >= limit) await Promise.race(running);
    }
  } finally {
    await Promise.all(running);
  }
}

const randomName = (): string => `listener-${crypto.randomUUID().slice(0, 8)}`;

function deferred(): { promise: Promise<void>; resolve: () => void; reject: (reason: unknown) => void } {
  let resolve: () => void = () => undefined;
  let reject: (reason: unknown) => void = () => undefined;
  const promise = new Promise<void>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  return { promise, resolve, reject };
}
