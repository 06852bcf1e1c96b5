/** A delivery as history and its owner see it. */
import {
  DEPLOYED_OWNER,
  type DeliveryKind,
  type DeliveryRecord,
  type DeliveryState,
} from "../subscriptions/records.ts";

export type DeliveryStatus = "pending" | "delivered" | "dead" | "redriven";

export interface AttemptView {
  readonly at: string;
  readonly outcome: string;
  readonly elapsed_ms?: number;
}

export interface DeliveryView {
  readonly subscription_id: string;
  readonly subscriber: string;
  readonly kind: DeliveryKind;
  readonly status: DeliveryStatus;
  readonly attempts: number;
  readonly created_at: string;
  readonly ended_at?: string;
  /** While it is pending. */
  readonly next_attempt_at?: string;
  /** Why it is dead; not of another agent's. */
  readonly reason?: string;
  /** The last attempts, oldest first; none of another agent's. */
  readonly log: readonly AttemptView[];
}

/** The same in a list of deliveries of many events. */
export interface ListedDelivery extends DeliveryView {
  readonly event_id: string;
  readonly event_type: string;
}

const STATUS: Readonly<Record<DeliveryState, DeliveryStatus>> = {
  PENDING: "pending",
  DELIVERED: "delivered",
  DEAD: "dead",
  REDRIVEN: "redriven",
};

/**
 * What an agent may see of a delivery: all of its own and of the deployed subscribers', of another agent's that it is there
 * and how far it is (I9).
 */
export function viewDelivery(delivery: DeliveryRecord, caller: string): DeliveryView {
  const isOpen = mayLookInto(delivery, caller);
  return {
    subscription_id: delivery.subscriptionId,
    subscriber: delivery.name,
    kind: delivery.kind,
    status: STATUS[delivery.state],
    attempts: delivery.attempts,
    created_at: delivery.createdAt,
    ...(delivery.endedAt === undefined ? {} : { ended_at: delivery.endedAt }),
    ...(delivery.state === "PENDING" ? { next_attempt_at: delivery.nextAttemptAt } : {}),
    ...(delivery.reason === undefined || !isOpen ? {} : { reason: delivery.reason }),
    log: (isOpen ? delivery.log : []).map(({ at, outcome, elapsedMs }) => ({
      at,
      outcome,
      ...(elapsedMs === undefined ? {} : { elapsed_ms: elapsedMs }),
    })),
  };
}

/** Whether what an agent's subscription wants, and how its endpoint does, is this caller's to know. */
export function mayLookInto({ owner }: { readonly owner: string }, caller: string): boolean {
  return owner === caller || owner === DEPLOYED_OWNER;
}

/** A delivery for its owner. */
export function listDelivery(delivery: DeliveryRecord): ListedDelivery {
  return { event_id: delivery.eventId, event_type: delivery.eventType, ...viewDelivery(delivery, delivery.owner) };
}
