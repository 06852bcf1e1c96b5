/**
 * Finishing what a change of a subscription began: the index of subscribers, and the messages of a queue that nobody
 * can take any more. Whoever made the change does it at once; should he die, the reconciler does.
 */
import { dead } from "../deliveries/delivery.ts";
import { inLanes } from "../lanes.ts";
import {
  DELIVERY_OVERDUE_MS,
  FAN_OUT_LANES,
  LAST_LOOK_MS,
  MESSAGE_RETENTION_MS,
  QUEUE_INSPECTION_MS,
} from "../limits.ts";
import type { Deps } from "../ports.ts";
import { isoAt } from "../time.ts";
import type { SubscriptionRecord } from "./records.ts";
import { indexSubscription } from "./type-index.ts";

type TendDeps = Pick<Deps, "store" | "now" | "newToken">;

/** Messages of one queue that are buried in one go; what is left is due again at once. */
const ROUND = 1_000;

/** Looks after a subscription as it was just read or written. @returns it as it then is */
export async function tendSubscription(deps: TendDeps, seen: SubscriptionRecord): Promise<SubscriptionRecord> {
  if (!seen.isIndexed) await indexSubscription(deps, seen);
  const isDone = seen.target.kind !== "queue" || (await buryOldMessages(deps, seen));
  const tendAt = isDone ? nextInspection(deps, seen) : isoAt(deps.now());
  const { tendAt: _, ...rest } = seen;
  const next: SubscriptionRecord = {
    ...rest,
    version: seen.version + 1,
    isIndexed: true,
    indexedTypes: seen.status === "deleted" ? [] : seen.eventTypes,
    ...(tendAt === null ? {} : { tendAt }),
  };
  // Whoever has changed it meanwhile looks after it in turn.
  return (await deps.store.replaceSubscription(next, seen.version)) ? next : seen;
}

function nextInspection(deps: TendDeps, { target, status, updatedAt }: SubscriptionRecord): string | null {
  if (target.kind !== "queue") return null;
  if (status !== "deleted") return isoAt(deps.now() + QUEUE_INSPECTION_MS);
  // A dispatch that was under way, or an index that lagged, may have left a message behind: it is looked for a few more
  // times, further and further apart. A clock that is minutes wrong must not make the first look the last.
  const deletedForMs = deps.now() - Date.parse(updatedAt);
  return deletedForMs >= LAST_LOOK_MS ? null : isoAt(deps.now() + Math.max(DELIVERY_OVERDUE_MS, deletedForMs));
}

/** I7: a message of a queue that is gone, or that nobody took in time, is dead. Whether none is left. */
async function buryOldMessages(deps: TendDeps, { subscriptionId, status }: SubscriptionRecord): Promise<boolean> {
  const nowMs = deps.now();
  const isDeleted = status === "deleted";
  const reason = isDeleted ? "subscription_deleted" : "nobody took it for 14 days";
  const before = isDeleted ? LAST : isoAt(nowMs - MESSAGE_RETENTION_MS);
  const eventIds = await deps.store.findMessages(subscriptionId, before, ROUND);
  await inLanes(FAN_OUT_LANES, eventIds, async (eventId) => {
    const delivery = await deps.store.getDelivery({ eventId, subscriptionId });
    if (delivery === null || delivery.state !== "PENDING") return;
    const end = { at: isoAt(nowMs), reason, fence: deps.newToken() };
    await deps.store.replaceDelivery(dead(delivery, end), delivery.fence);
  });
  return eventIds.length < ROUND;
}

/** After every instant that a message may become visible at. */
const LAST = "9999";
