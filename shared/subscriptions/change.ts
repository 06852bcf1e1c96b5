/** What a subscription becomes, as pure steps from one version to the next. */
import { expiryOf } from "../draft-event.ts";
import { invalidField } from "../errors.ts";
import type { EventPattern } from "../event-pattern.ts";
import { canonicalJson } from "../hash.ts";
import type { JsonObject } from "../json.ts";
import type { Deps } from "../ports.ts";
import { isoAt } from "../time.ts";
import type { WantedChange, WantedSubscription } from "./input.ts";
import type { SubscriptionRecord, SubscriptionTarget } from "./records.ts";

interface ChangeDeps extends Pick<Deps, "now"> {
  newWebhookSecret(): string;
}

/** A first version; over a deleted one of the same name, the version after it. */
export function firstVersion(
  deps: ChangeDeps,
  owner: string,
  subscriptionId: string,
  { name, ...wanted }: WantedSubscription,
  deleted: SubscriptionRecord | null,
): SubscriptionRecord {
  const at = isoAt(deps.now());
  return {
    subscriptionId,
    owner,
    name,
    ...wanted,
    status: "active",
    secrets: wanted.target.kind === "webhook" ? [{ secret: deps.newWebhookSecret() }] : [],
    createdAt: at,
    updatedAt: at,
    activeSince: at,
    version: (deleted?.version ?? 0) + 1,
    indexedTypes: [...new Set([...(deleted?.indexedTypes ?? []), ...wanted.eventTypes])],
    isIndexed: false,
    tendAt: at,
  };
}

/** The one that stands as it is now wanted: itself when there is nothing to change. */
export function broughtTo(
  deps: Pick<Deps, "now">,
  standing: SubscriptionRecord,
  { name: _, ...wanted }: WantedSubscription,
): SubscriptionRecord {
  const { eventTypes, target, filter, answers, status } = standing;
  const is = canonicalJson({ eventTypes, target, filter, answers, status } as unknown as JsonObject);
  const shouldBe = canonicalJson({ ...wanted, status: "active" } as unknown as JsonObject);
  if (is === shouldBe) return standing;
  return changed(deps, standing, { ...wanted, filter: wanted.filter ?? null, status: "active" });
}

export function changed(
  deps: Pick<Deps, "now">,
  standing: SubscriptionRecord,
  change: Omit<WantedChange, "target"> & { readonly target: SubscriptionTarget },
): SubscriptionRecord {
  const { filter: before, ...rest } = dueForTending(deps, standing);
  const filter = change.filter === undefined ? before : (change.filter ?? undefined);
  const eventTypes = change.eventTypes ?? standing.eventTypes;
  const next: SubscriptionRecord = {
    ...(isElsewhere(standing.target, change.target) ? withoutFailures(rest) : rest),
    eventTypes,
    indexedTypes: [...new Set([...standing.indexedTypes, ...eventTypes])],
    target: change.target,
    ...(filter === undefined ? {} : { filter }),
    answers: change.answers ?? standing.answers,
    activeSince: selectionOf(standing) === selectionOf({ eventTypes, filter }) ? standing.activeSince : rest.updatedAt,
  };
  return withStatus(next, change.status ?? standing.status);
}

/** Which events it gets, as a text to be compared. */
function selectionOf({
  eventTypes,
  filter,
}: {
  eventTypes: readonly string[];
  filter?: EventPattern | undefined;
}): string {
  return canonicalJson({ eventTypes, filter } as unknown as JsonObject);
}

function withStatus(subscription: SubscriptionRecord, status: SubscriptionRecord["status"]): SubscriptionRecord {
  if (status === subscription.status) return subscription;
  const { updatedAt } = subscription;
  if (status === "disabled") return { ...subscription, status, disabledReason: "by_owner", disabledAt: updatedAt };
  // It begins anew: what failed before is forgotten.
  const { disabledReason: _, disabledAt: __, ...rest } = withoutFailures(subscription);
  return { ...rest, status, activeSince: updatedAt };
}

/** Whether a webhook has moved: what is said of an endpoint says nothing of another one. */
export function isElsewhere(before: SubscriptionTarget, after: SubscriptionTarget): boolean {
  return before.kind === "webhook" && after.kind === "webhook" && before.url !== after.url;
}

/** The same, with a row of failures ended. */
export function withoutFailures(subscription: SubscriptionRecord): SubscriptionRecord {
  const { failingSince: _, lastFailure: __, ...rest } = subscription;
  return rest;
}

export function changedTarget({ target }: SubscriptionRecord, { target: change }: WantedChange): SubscriptionTarget {
  if (change === undefined) return target;
  if (change.kind !== undefined) requireSameKind(target.kind, change.kind);
  const { url, format, visibility, max_attempts } = change;
  if (target.kind === "webhook") {
    if (visibility !== undefined) throw invalidField("/target/visibility", "a webhook has none");
    if (max_attempts !== undefined) throw invalidField("/target/max_attempts", "a webhook has none");
    return { ...target, url: url ?? target.url, format: format ?? target.format };
  }
  if (url !== undefined) throw invalidField("/target/url", "a queue has none");
  if (format !== undefined) throw invalidField("/target/format", "a queue has none");
  return {
    ...target,
    visibilitySeconds: visibility ?? target.visibilitySeconds,
    maxAttempts: max_attempts ?? target.maxAttempts,
  };
}

/** The last version: it stays for as long as something may still be on its way. */
export function ended(deps: Pick<Deps, "now" | "limits">, standing: SubscriptionRecord): SubscriptionRecord {
  return {
    ...dueForTending(deps, standing),
    status: "deleted",
    secrets: [],
    expiresAt: expiryOf(deps, deps.now()),
  };
}

/** @throws BusError `invalid_request` */
export function requireSameKind(standing: SubscriptionTarget["kind"], wanted: SubscriptionTarget["kind"]): void {
  if (standing !== wanted)
    throw invalidField("/target/kind", `"${standing}" was expected: the kind of a subscription cannot be changed`);
}

/** The next version, whose index is still to be written. */
function dueForTending(deps: Pick<Deps, "now">, standing: SubscriptionRecord): SubscriptionRecord {
  const at = isoAt(deps.now());
  return { ...standing, version: standing.version + 1, updatedAt: at, isIndexed: false, tendAt: at };
}
