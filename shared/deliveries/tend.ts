/** Looking after a delivery that nobody is at (I7): a webhook that was forgotten, a message whose last receive lapsed. */
import { DELIVERY_OVERDUE_MS } from "../limits.ts";
import type { Deps, WebhookQueue } from "../ports.ts";
import type { DeliveryRecord, DeliveryRef } from "../subscriptions/records.ts";
import { isoAt } from "../time.ts";
import { dead, lapsed } from "./delivery.ts";

export interface TendDeliveryDeps extends Deps {
  readonly webhookQueue: WebhookQueue;
}

/** @returns whether there was something to do @throws BusError `unavailable` */
export async function tendDelivery(deps: TendDeliveryDeps, ref: DeliveryRef): Promise<boolean> {
  const delivery = await deps.store.getDelivery(ref);
  if (delivery === null || !isDue(deps, delivery)) return false;
  if (delivery.kind === "queue") return deps.store.replaceDelivery(await endOfMessage(deps, delivery), delivery.fence);
  // The queue may only be behind: what it holds already must not be sent for again every minute (I10).
  const next = { ...delivery, tendAt: isoAt(deps.now() + DELIVERY_OVERDUE_MS) };
  if (!(await deps.store.replaceDelivery(next, delivery.fence))) return false;
  const { owner, eventId, subscriptionId } = delivery;
  await deps.webhookQueue.send([{ owner, eventId, subscriptionId }]);
  return true;
}

/** I7: its last receive is over, and with it the message. */
async function endOfMessage(deps: Deps, delivery: DeliveryRecord): Promise<DeliveryRecord> {
  const subscription = await deps.store.getSubscription(delivery.owner, delivery.subscriptionId);
  const fence = deps.newToken();
  if (subscription === null || subscription.status === "deleted")
    return dead(delivery, { at: isoAt(deps.now()), reason: "subscription_deleted", fence });
  return lapsed(delivery, deps.now(), fence);
}

function isDue(deps: Deps, { state, tendAt }: DeliveryRecord): boolean {
  return state === "PENDING" && tendAt !== undefined && Date.parse(tendAt) <= deps.now();
}
