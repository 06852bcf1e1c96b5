/** How a webhook's endpoint does, as its owner sees it; and the end of one that does no more. */
import { WEBHOOK_FAILING_MS } from "../limits.ts";
import type { Deps } from "../ports.ts";
import { isElsewhere, withoutFailures } from "../subscriptions/change.ts";
import type { DisabledReason, SubscriptionRecord, WebhookSecret } from "../subscriptions/records.ts";
import { tendSubscription } from "../subscriptions/tend.ts";
import { isoAt } from "../time.ts";

type HealthDeps = Pick<Deps, "store" | "now" | "newToken" | "log">;

export interface Failure {
  /** ISO 8601. */
  readonly at: string;
  readonly reason: string;
  /** The endpoint said that it will never come back (410). */
  readonly isGone: boolean;
}

/** The secrets that sign at a moment, newest first. */
export function signingSecrets({ secrets }: SubscriptionRecord, nowMs: number): readonly WebhookSecret[] {
  return secrets.filter(({ validUntil }) => validUntil === undefined || Date.parse(validUntil) > nowMs);
}

/** Ends a row of failures, if there is one. */
export async function noteSuccess(deps: HealthDeps, subscription: SubscriptionRecord): Promise<void> {
  if (subscription.failingSince === undefined) return;
  const next = { ...withoutFailures(subscription), version: subscription.version + 1 };
  // Whoever changed it meanwhile knows better; the next success says it again.
  await deps.store.replaceSubscription(next, subscription.version);
}

/**
 * Writes down a failure; disables the subscription of an endpoint that is gone or has failed for too long.
 *
 * @returns whether the subscription is disabled by now
 */
export async function noteFailure(
  deps: HealthDeps,
  seen: SubscriptionRecord,
  { at, reason, isGone }: Failure,
): Promise<boolean> {
  // Others fail at the same moment, and one of them has to win.
  for (let subscription: SubscriptionRecord | null = seen; subscription !== null; ) {
    if (subscription.status !== "active") return true;
    if (isElsewhere(seen.target, subscription.target)) return false;
    const failingSince = subscription.failingSince ?? at;
    const hasFailedTooLong = Date.parse(at) - Date.parse(failingSince) >= WEBHOOK_FAILING_MS;
    const failing: SubscriptionRecord = {
      ...subscription,
      version: subscription.version + 1,
      failingSince,
      lastFailure: { at, reason },
    };
    const next = isGone || hasFailedTooLong ? disabled(deps, failing, isGone ? "gone" : "failing") : failing;
    const isWritten = await deps.store.replaceSubscription(next, subscription.version);
    if (isWritten && next.status === "active") return false;
    if (isWritten) {
      deps.log.warn("a webhook was disabled", { subscription_id: next.subscriptionId, reason: next.disabledReason });
      await tendSubscription(deps, next);
      return true;
    }
    // That it fails is known by now; that it has to end must be written.
    if (next.status === "active") return false;
    subscription = await deps.store.getSubscription(seen.owner, seen.subscriptionId);
  }
  return true;
}

function disabled(
  deps: HealthDeps,
  subscription: SubscriptionRecord,
  disabledReason: DisabledReason,
): SubscriptionRecord {
  const at = isoAt(deps.now());
  return {
    ...subscription,
    status: "disabled",
    disabledReason,
    disabledAt: at,
    updatedAt: at,
    isIndexed: false,
    tendAt: at,
  };
}
