/** What became of messages that were taken from a pull queue, told by their receipts. */

import { inLanes } from "../lanes.ts";
import { FAN_OUT_LANES } from "../limits.ts";
import type { Deps } from "../ports.ts";
import type { DeliveryRecord } from "../subscriptions/records.ts";
import { isoAt } from "../time.ts";
import { dead, delivered, doneFence, putOff } from "./delivery.ts";
import { announce, findQueue } from "./message-queue.ts";

/** What was said of a message: `expired` when it was taken again since, is done, or is dead. */
export interface ReceiptResult {
  readonly receipt: string;
  readonly status: "ok" | "expired";
}

/** They are done. @throws BusError `not_found` */
export function acknowledge(
  deps: Deps,
  subscriptionId: string,
  owner: string,
  receipts: readonly string[],
): Promise<ReceiptResult[]> {
  return forEachReceipt(deps, subscriptionId, owner, receipts, (delivery) =>
    delivered(delivery, { at: isoAt(deps.now()), outcome: "acknowledged" }),
  );
}

/** They come again after a while, or are dead if this was their last receive. @throws BusError `not_found` */
export function giveBack(
  deps: Deps,
  subscriptionId: string,
  owner: string,
  receipts: readonly string[],
  { delayMs, reason }: { delayMs: number; reason?: string | undefined },
): Promise<ReceiptResult[]> {
  return forEachReceipt(deps, subscriptionId, owner, receipts, (delivery) => {
    const nowMs = deps.now();
    const at = isoAt(nowMs);
    const attempt = { at, outcome: reason === undefined ? "given back" : `given back: ${reason}` };
    const fence = deps.newToken();
    if (delivery.tendAt !== undefined)
      return dead(delivery, {
        at,
        reason: `${attempt.outcome}, at receive ${delivery.attempts}, the last`,
        fence,
        attempt,
      });
    return putOff(delivery, nowMs + delayMs, { fence, attempt });
  });
}

/**
 * They stay hidden for so long from now. Whoever is busy with them is there, though he does not poll: he counts as one who
 * can answer. @throws BusError `not_found`
 */
export async function keepHidden(
  deps: Deps,
  subscriptionId: string,
  owner: string,
  receipts: readonly string[],
  visibilityMs: number,
): Promise<ReceiptResult[]> {
  await announce(deps, (await findQueue(deps, subscriptionId, owner)).subscription, 0);
  return forEachReceipt(deps, subscriptionId, owner, receipts, (delivery) => {
    const untilMs = deps.now() + visibilityMs;
    return putOff(delivery, untilMs, delivery.tendAt === undefined ? {} : { tendAt: isoAt(untilMs) });
  });
}

/** Each by itself: what one says of a message does not hang on the others. */
async function forEachReceipt(
  deps: Deps,
  subscriptionId: string,
  owner: string,
  receipts: readonly string[],
  step: (delivery: DeliveryRecord) => DeliveryRecord,
): Promise<ReceiptResult[]> {
  await findQueue(deps, subscriptionId, owner);
  const results = new Map<string, ReceiptResult["status"]>();
  await inLanes(FAN_OUT_LANES, new Set(receipts), async (receipt) => {
    results.set(receipt, await withReceipt(deps, subscriptionId, receipt, step));
  });
  return receipts.map((receipt) => ({ receipt, status: results.get(receipt) ?? "expired" }));
}

async function withReceipt(
  deps: Deps,
  subscriptionId: string,
  receipt: string,
  step: (delivery: DeliveryRecord) => DeliveryRecord,
): Promise<ReceiptResult["status"]> {
  const dot = receipt.lastIndexOf(".");
  const fence = receipt.slice(dot + 1);
  const ref = { eventId: receipt.slice(0, dot), subscriptionId };
  const delivery = await deps.store.getDelivery(ref);
  if (delivery === null) return "expired";
  const next = step({ ...delivery, fence });
  // An acknowledgement that is sent again, because its answer was lost, finds what it wrote.
  const isDone = (one: DeliveryRecord): boolean => one.state === "DELIVERED" && one.fence === doneFence(fence);
  if (isDone(delivery) && isDone(next)) return "ok";
  if (delivery.state !== "PENDING" || delivery.fence !== fence) return "expired";
  if (await deps.store.replaceDelivery(next, fence)) return "ok";
  // The same where it is sent twice at once.
  return (await deps.store.getDelivery(ref))?.fence === next.fence ? "ok" : "expired";
}
