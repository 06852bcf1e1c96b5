/**
 * The callbacks of a pull queue: so many at once, and each event once in this process.
 *
 * Delivery is at least once. A message that comes again while its callback runs is the same work under a new receipt;
 * one whose callback has succeeded here is only acknowledged again.
 */
import type { Message } from "../shared/deliveries/message-queue.ts";
import { errorFields } from "./log.ts";
import type { Queue } from "./queue.ts";
import { deliverTaken, type QueuedWork, settle, type Taken } from "./queued-delivery.ts";
import { recentIds } from "./recent-ids.ts";

export interface QueueWorker {
  /** Begins with a message. There must be room for it. */
  begin(queue: Queue, message: Message): void;
  /** Gives back at once what is not begun. */
  giveBack(queue: Queue, messages: readonly Message[], reason: string): void;
  /** How many further callbacks may run; resolves once it is at least one. */
  room(): Promise<number>;
  /** Resolves when every callback has ended and the bus was told. */
  idle(): Promise<void>;
}

export interface WorkerOptions<Types extends object> extends QueuedWork<Types> {
  /** The type that the callback is made for; `*` for any. */
  readonly eventType: string;
  readonly concurrency: number;
}

/** A lost acknowledgement is noticed within minutes; this many are what a busy subscriber handles meanwhile. */
const REMEMBERED_IDS = 2_048;

export function createQueueWorker<Types extends object>(options: WorkerOptions<Types>): QueueWorker {
  const { eventType, concurrency } = options;
  const running = new Map<string, Taken>();
  const handled = recentIds(REMEMBERED_IDS);
  const unsettled = new Set<Promise<void>>();
  let onRoom = (): void => undefined;

  const run = async (taken: Taken): Promise<void> => {
    const outcome = await deliverTaken(options, taken);
    running.delete(taken.event.id);
    if (outcome.kind !== "failed") handled.add(taken.event.id);
    onRoom();
    await settle(options, taken, outcome);
  };
  /** What `begin` and `giveBack` start never fails, and is waited for in the end. */
  const track = (task: Promise<void>): void => {
    const tracked = task.finally(() => unsettled.delete(tracked));
    unsettled.add(tracked);
  };
  return {
    begin(queue, { event, receipt, attempt }) {
      const known = running.get(event.id);
      if (known !== undefined) {
        known.receipt = receipt;
        known.attempt = attempt;
        return;
      }
      const taken: Taken = { queue, event, receipt, attempt };
      if (handled.has(event.id)) return track(settle(options, taken, { kind: "done" }));
      if (eventType !== "*" && event.type !== eventType) {
        // It was kept for an earlier subscription of this name: not for this callback.
        const error = new Error(`"${options.subscriber}" takes ${eventType} now, not ${event.type}.`);
        options.log.error(error.message, { subscriber: options.subscriber, event_id: event.id, attempt });
        return track(settle(options, taken, { kind: "failed", error }));
      }
      running.set(event.id, taken);
      track(run(taken));
    },
    giveBack: (queue, messages, reason) => track(giveBackAll(options, queue, messages, reason)),
    async room() {
      while (running.size >= concurrency)
        await new Promise<void>((resolve) => {
          onRoom = resolve;
        });
      return concurrency - running.size;
    },
    async idle() {
      while (unsettled.size > 0) await Promise.all(unsettled);
    },
  };
}

async function giveBackAll(
  { subscriber, log }: Pick<WorkerOptions<object>, "subscriber" | "log">,
  queue: Queue,
  messages: readonly Message[],
  reason: string,
): Promise<void> {
  const receipts = messages.map(({ receipt }) => receipt);
  try {
    await queue.giveBack(receipts, 0, reason);
  } catch (error) {
    log.warn("messages could not be given back: they come again later", {
      subscriber,
      messages: receipts.length,
      ...errorFields(error),
    });
  }
}
