/**
 * One message of a pull queue: it is kept hidden while its callback runs, and then acknowledged or given back.
 *
 * What fails is given back for 1, 2, 4, 8 s and so on; at its last receive the bus takes that for its end (I7).
 */
import type { DeliveredEvent } from "../shared/event.ts";
import type { Logger } from "../shared/ports.ts";
import { linkAbort, sleep } from "./abort.ts";
import { type Delivery, type DeliveryOutcome, deliver } from "./delivery.ts";
import { errorFields, messageOf } from "./log.ts";
import type { Queue } from "./queue.ts";

export type QueuedWork<Types extends object> = Pick<
  Delivery<Types>,
  "bus" | "callback" | "subscriber" | "answers" | "log"
>;

/** A message in this process's hands. One that comes again while it is worked on gets another receipt. */
export interface Taken {
  readonly queue: Queue;
  readonly event: DeliveredEvent;
  receipt: string;
  attempt: number;
  /** The receipt of which the bus said that it holds no more: somebody else may have the message. */
  lostReceipt?: string;
}

/** Longer pauses help no one: what lasts this long is an outage, and is looked at again every quarter of an hour. */
const MAX_DELAY_SECONDS = 900;
/** More of an error's message than this is for the log. */
const MAX_REASON_CHARS = 200;

const isLost = (taken: Taken): boolean => taken.lostReceipt === taken.receipt;
const isLastReceive = ({ attempt, queue }: Taken): boolean => attempt >= queue.maxAttempts;
const delaySeconds = ({ attempt }: Taken): number => Math.min(MAX_DELAY_SECONDS, 2 ** (attempt - 1));

/** Runs the callback and sends its answer. Never throws. */
export async function deliverTaken<Types extends object>(
  work: QueuedWork<Types>,
  taken: Taken,
): Promise<DeliveryOutcome> {
  const lost = linkAbort();
  const ended = linkAbort();
  void keepHidden(work, taken, () => lost.abort(new DOMException(LOST, "AbortError")), ended.signal);
  try {
    return await deliver({
      ...work,
      event: taken.event,
      attempt: taken.attempt,
      functionEndsAt: Number.POSITIVE_INFINITY,
      signal: lost.signal,
      // Asked when it has failed: only then can be reckoned when it comes again.
      get comesAgainAt() {
        if (isLastReceive(taken)) return Number.POSITIVE_INFINITY;
        // Who has it now may yet answer.
        return Date.now() + (isLost(taken) ? 0 : delaySeconds(taken) * 1000);
      },
    });
  } finally {
    ended.abort();
  }
}

const LOST = "The message was taken again by another process, or is dead.";

/** Tells the bus what became of it. Never throws: a message of which the bus heard nothing comes again. */
export async function settle({ subscriber, log }: TellingWork, taken: Taken, outcome: DeliveryOutcome): Promise<void> {
  if (isLost(taken)) return;
  const { queue, receipt, event, attempt } = taken;
  const about = { subscriber, event_id: event.id, attempt };
  try {
    if (outcome.kind === "failed")
      return await queue.giveBack([receipt], delaySeconds(taken), messageOf(outcome.error, MAX_REASON_CHARS));
    if ((await queue.acknowledge(receipt)) === "expired")
      log.warn("a message was acknowledged too late: it may come again", about);
  } catch (error) {
    log.warn("the bus could not be told of a message: it comes again", { ...about, ...errorFields(error) });
  }
}

type TellingWork = { readonly subscriber: string; readonly log: Logger };

/** Hides the message anew each time that half of its time is over, so that one call may fail. Never throws. */
async function keepHidden(
  { subscriber, log }: TellingWork,
  taken: Taken,
  onLost: () => void,
  ended: AbortSignal,
): Promise<void> {
  const { queue, event } = taken;
  const about = { subscriber, event_id: event.id };
  let isTold = false;
  while (await passes(queue.visibilityMs / 2, ended)) {
    if (isLost(taken)) continue;
    const { receipt } = taken;
    try {
      const status = await queue.keepHidden(receipt);
      // One that has come again meanwhile is still in these hands, by its new receipt.
      if (status === "ok" || ended.aborted || taken.receipt !== receipt) continue;
      taken.lostReceipt = receipt;
      log.warn("a message was lost while its callback runs: it was taken again, or is dead", about);
      onLost();
    } catch (error) {
      if (isTold || ended.aborted) continue;
      isTold = true;
      log.warn("a message could not be kept hidden: it may come again early", { ...about, ...errorFields(error) });
    }
  }
}

/** False when the signal aborts first. */
const passes = (ms: number, signal: AbortSignal): Promise<boolean> =>
  sleep(ms, signal).then(
    () => true,
    () => false,
  );
