/** A subscription as its agent sees it. */
import type { EventPattern } from "../event-pattern.ts";
import type { DisabledReason, SubscriptionRecord, SubscriptionTarget, WebhookFormat } from "./records.ts";

export type TargetView =
  | { readonly kind: "webhook"; readonly url: string; readonly format: WebhookFormat }
  | { readonly kind: "queue"; readonly visibility: number; readonly max_attempts: number };

export interface SubscriptionView {
  readonly subscription_id: string;
  readonly name: string;
  readonly event_types: readonly string[];
  readonly target: TargetView;
  readonly filter?: EventPattern;
  readonly answers: boolean;
  readonly status: "active" | "disabled";
  readonly disabled_reason?: DisabledReason;
  readonly disabled_at?: string;
  /** A webhook whose last attempt failed. */
  readonly failing_since?: string;
  readonly last_failure?: { readonly at: string; readonly reason: string };
  readonly created_at: string;
  readonly updated_at: string;
}

export function viewSubscription(record: SubscriptionRecord): SubscriptionView {
  return {
    subscription_id: record.subscriptionId,
    name: record.name,
    event_types: record.eventTypes,
    target: viewTarget(record.target),
    ...(record.filter === undefined ? {} : { filter: record.filter }),
    answers: record.answers,
    status: record.status === "active" ? "active" : "disabled",
    ...(record.disabledReason === undefined ? {} : { disabled_reason: record.disabledReason }),
    ...(record.disabledAt === undefined ? {} : { disabled_at: record.disabledAt }),
    ...(record.failingSince === undefined ? {} : { failing_since: record.failingSince }),
    ...(record.lastFailure === undefined ? {} : { last_failure: record.lastFailure }),
    created_at: record.createdAt,
    updated_at: record.updatedAt,
  };
}

function viewTarget(target: SubscriptionTarget): TargetView {
  if (target.kind === "webhook") return target;
  return { kind: "queue", visibility: target.visibilitySeconds, max_attempts: target.maxAttempts };
}
