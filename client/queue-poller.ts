/**
 * Polling a pull queue for as long as the subscription is open: take what there is room for, hand it to the worker.
 *
 * A bus that is down, restarts or has no time is polled again, for ever, with pauses that grow; a subscription that was
 * deleted is made again; only what cannot become better ends it.
 */
import type { Message } from "../shared/deliveries/message-queue.ts";
import { MAX_MESSAGES, MAX_POLL_SECONDS } from "../shared/limits.ts";
import type { Logger } from "../shared/ports.ts";
import { linkAbort, sleep } from "./abort.ts";
import { AgentEventBusError } from "./errors.ts";
import { errorFields } from "./log.ts";
import type { Queue } from "./queue.ts";
import type { QueueWorker } from "./queue-worker.ts";
import { isRetryable, pauseMs, type RetryPolicy } from "./retry.ts";

export interface Poller {
  /** Changes when the subscription is made again. */
  queue: Queue;
  readonly worker: QueueWorker;
  readonly subscriber: string;
  readonly retry: RetryPolicy;
  readonly log: Logger;
  /** Makes the subscription again. */
  readonly remake: (signal: AbortSignal) => Promise<Queue>;
  /** Aborts when no more is to be taken. */
  readonly closing: AbortSignal;
}

/** A poll that brings nothing sooner than this was not held: the next one does not follow at once. */
const SHORT_POLL_MS = 250;
/**
 * A poll that is under way when the subscription closes may have taken messages that are on their way here: it is given
 * this long to bring them, so that they can be given back. (No longer than a pause between tries: who made those short
 * has no time.)
 */
const CLOSE_GRACE_MS = 1_000;

/** Hands over what was taken: to be begun, or given back when nothing more is to be begun. */
export function handOver({ queue, worker, closing }: Poller, messages: readonly Message[]): void {
  // Given back at its last receive a message would be dead, and nobody would have tried it.
  const unwanted = closing.aborted ? messages.filter(({ attempt }) => attempt < queue.maxAttempts) : [];
  if (unwanted.length > 0) worker.giveBack(queue, unwanted, "not begun: the subscriber was closed");
  for (const message of messages) if (!unwanted.includes(message)) worker.begin(queue, message);
}

/** Resolves when it is closed. @throws AgentEventBusError when the bus refuses for good */
export async function pollOn(poller: Poller): Promise<void> {
  const { worker, closing, retry, log, subscriber } = poller;
  const patience = closedAfter(closing, Math.min(CLOSE_GRACE_MS, retry.capMs));
  let isOut = false;
  let setbacks = 0;
  try {
    while (!closing.aborted) {
      const room = await worker.room();
      if (closing.aborted) return;
      const startedAt = performance.now();
      let retryAfterMs: number | undefined;
      try {
        const messages = await oneRound(poller, room, patience.signal);
        handOver(poller, messages);
        if (isOut) log.info("the queue is polled again", { subscriber });
        isOut = false;
        const isShort = messages.length === 0 && performance.now() - startedAt < SHORT_POLL_MS;
        setbacks = isShort ? setbacks + 1 : 0;
      } catch (error) {
        if (closing.aborted) return;
        if (!isRetryable(error)) throw error;
        if (!isOut) log.warn("the queue cannot be polled; tried until it can", { subscriber, ...errorFields(error) });
        isOut = true;
        setbacks += 1;
        retryAfterMs = error.retryAfterMs;
      }
      if (setbacks > 0) await sleep(pauseMs(retry, setbacks, retryAfterMs), closing).catch(() => undefined);
    }
  } finally {
    patience.release();
  }
}

async function oneRound(poller: Poller, room: number, signal: AbortSignal): Promise<readonly Message[]> {
  const { subscriber, log, closing } = poller;
  try {
    const max = Math.min(room, MAX_MESSAGES);
    return await poller.queue.take({ max, waitSeconds: MAX_POLL_SECONDS, signal });
  } catch (error) {
    if (closing.aborted || !(error instanceof AgentEventBusError) || error.code !== "not_found") throw error;
    log.warn("the subscription was deleted: it is made again", { subscriber });
    poller.queue = await poller.remake(closing);
    return [];
  }
}

/** A signal that aborts a while after another. */
function closedAfter(closing: AbortSignal, ms: number): { readonly signal: AbortSignal; release(): void } {
  const link = linkAbort();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const onClosing = (): void => {
    timer = setTimeout(() => link.abort(closing.reason), ms);
  };
  if (closing.aborted) onClosing();
  closing.addEventListener("abort", onClosing, { once: true });
  return {
    signal: link.signal,
    release() {
      clearTimeout(timer);
      closing.removeEventListener("abort", onClosing);
    },
  };
}
