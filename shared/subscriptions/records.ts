/** What is recorded of run-time subscriptions, and of events on their way to subscribers. */
import type { EventPattern } from "../event-pattern.ts";
import { REMOVED_ENTRY_MS } from "../limits.ts";
import { isoAt } from "../time.ts";

export const WEBHOOK_FORMATS = ["event", "cloudevents", "cloudevents-binary"] as const;
export type WebhookFormat = (typeof WEBHOOK_FORMATS)[number];

export interface WebhookTarget {
  readonly kind: "webhook";
  readonly url: string;
  readonly format: WebhookFormat;
}

export interface QueueTarget {
  readonly kind: "queue";
  /** How long a message that was taken is hidden. */
  readonly visibilitySeconds: number;
  /** After so many receives that were not acknowledged a message is dead. */
  readonly maxAttempts: number;
}

export type SubscriptionTarget = WebhookTarget | QueueTarget;

/** `by_owner`: paused. `gone`: the endpoint answered 410. `failing`: no success for five days. */
export type DisabledReason = "by_owner" | "gone" | "failing";

/** A secret that signs webhooks. */
export interface WebhookSecret {
  /** `whsec_` and base64. */
  readonly secret: string;
  /** ISO 8601; absent for the newest. */
  readonly validUntil?: string;
}

/** A run-time subscription as its agent made it. */
export interface SubscriptionRecord {
  /** Derived from owner and name. */
  readonly subscriptionId: string;
  /** The agent that made it; only it may see or change it. */
  readonly owner: string;
  readonly name: string;
  readonly eventTypes: readonly string[];
  readonly target: SubscriptionTarget;
  readonly filter?: EventPattern;
  /** False for an observer. */
  readonly answers: boolean;
  /** `deleted` stays for a while, so that what is still on its way finds out. */
  readonly status: "active" | "disabled" | "deleted";
  readonly disabledReason?: DisabledReason;
  readonly disabledAt?: string;
  /** Newest first; for webhooks. */
  readonly secrets: readonly WebhookSecret[];
  /** When the failures began that no success has ended yet. */
  readonly failingSince?: string;
  readonly lastFailure?: { readonly at: string; readonly reason: string };
  readonly createdAt: string;
  readonly updatedAt: string;
  /** Since when it gets these events without a break: its types and its filter are the same since then. */
  readonly activeSince: string;
  /** Grows with every write, which is conditional on it. */
  readonly version: number;
  /** The types under which it may stand in the index of subscribers. */
  readonly indexedTypes: readonly string[];
  /** The index says what this record says. */
  readonly isIndexed: boolean;
  /** When the reconciler has to look after it, in ISO 8601; absent: never. */
  readonly tendAt?: string;
  /** Epoch seconds; only once it is deleted. */
  readonly expiresAt?: number;
}

/** Until when it counts as one that its agent has: for as long as entries of it may stand in the index of subscribers. */
export function countsUntil({ status, updatedAt }: SubscriptionRecord): string {
  return status === "deleted" ? isoAt(Date.parse(updatedAt) + REMOVED_ENTRY_MS) : "9999-12-31T23:59:59.999Z";
}

/** A subscription as it stands in the index of those who want a type: what dispatching needs. */
export interface SubscriptionEntry {
  readonly eventType: string;
  readonly subscriptionId: string;
  readonly owner: string;
  readonly name: string;
  readonly kind: SubscriptionTarget["kind"];
  readonly filter?: EventPattern;
  readonly answers: boolean;
  /** `removed`: it does not want this type any more. It stays for a day, so that an older write cannot bring it back. */
  readonly status: "active" | "disabled" | "removed";
  readonly activeSince: string;
  /** The subscription's, of which this is a copy: an older copy never replaces a newer one. */
  readonly version: number;
}

export type DeliveryKind = "webhook" | "queue" | "deployed";

/** `REDRIVEN`: a dead one of a deployed subscriber, handed to it again; should it fail again, it is dead again. */
export type DeliveryState = "PENDING" | "DELIVERED" | "DEAD" | "REDRIVEN";

/** One try of a delivery. */
export interface DeliveryAttempt {
  readonly at: string;
  /** For its owner's eyes: `HTTP 503`, `acknowledged`, `not acknowledged in time`. */
  readonly outcome: string;
  readonly elapsedMs?: number;
}

/** Which delivery: one event on its way to one subscriber. */
export interface DeliveryRef {
  readonly eventId: string;
  readonly subscriptionId: string;
}

/** A delivery as recorded. It is the message of a pull queue, and what a webhook's attempts are counted on. */
export interface DeliveryRecord extends DeliveryRef {
  readonly eventType: string;
  /** The agent whose subscription it is; `deployed` for deployed subscribers. */
  readonly owner: string;
  /** The subscriber's name. */
  readonly name: string;
  readonly kind: DeliveryKind;
  readonly state: DeliveryState;
  /** Random, of the write that took it on: who writes next must have seen it. It is the receipt of a message. */
  readonly fence: string;
  readonly attempts: number;
  /** The newest last. */
  readonly log: readonly DeliveryAttempt[];
  readonly createdAt: string;
  /** While pending: nobody may take it on before this. ISO 8601. */
  readonly nextAttemptAt: string;
  /** While pending: when the reconciler has to look after it; absent while it is a message that can be taken. */
  readonly tendAt?: string;
  readonly endedAt?: string;
  /** Why it is dead. */
  readonly reason?: string;
  /** How often it was brought back from the dead. */
  readonly redrives: number;
  /** Epoch seconds. */
  readonly expiresAt: number;
}

/** The owner of what is dead of deployed subscribers. */
export const DEPLOYED_OWNER = "deployed";

/** The id under which deliveries of a deployed subscriber are recorded. */
export const deployedId = (name: string): string => `${DEPLOYED_OWNER}:${name}`;
