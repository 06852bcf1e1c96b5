/** Subscriptions, entries and deliveries as items and back. */
import type { EventPattern } from "../../../shared/event-pattern.ts";
import {
  deadKeys,
  deliveryWorkId,
  heldKeys,
  keys,
  messageKeys,
  subscriptionWorkId,
  type WorkKeys,
  workKeys,
} from "../../../shared/keys.ts";
import type {
  DeliveryAttempt,
  DeliveryKind,
  DeliveryRecord,
  DeliveryState,
  DisabledReason,
  SubscriptionEntry,
  SubscriptionRecord,
  SubscriptionTarget,
  WebhookSecret,
} from "../../../shared/subscriptions/records.ts";
import { countsUntil } from "../../../shared/subscriptions/records.ts";
import { FORMAT, json, number, optional, optionalAs, optionalJson, strings, text } from "./items.ts";
import { type Item, toKey } from "./table.ts";

export function subscriptionToItem(record: SubscriptionRecord): Item {
  const { owner, subscriptionId, tendAt, expiresAt } = record;
  return {
    ...toKey(keys.subscription(owner, subscriptionId)),
    ...FORMAT,
    ...strings({
      owner,
      name: record.name,
      event_types: JSON.stringify(record.eventTypes),
      target: JSON.stringify(record.target),
      filter: record.filter === undefined ? undefined : JSON.stringify(record.filter),
      status: record.status,
      disabled_reason: record.disabledReason,
      disabled_at: record.disabledAt,
      secrets: JSON.stringify(record.secrets),
      failing_since: record.failingSince,
      last_failure: record.lastFailure === undefined ? undefined : JSON.stringify(record.lastFailure),
      created_at: record.createdAt,
      updated_at: record.updatedAt,
      active_since: record.activeSince,
      indexed_types: JSON.stringify(record.indexedTypes),
      tend_at: tendAt,
      ...(tendAt === undefined ? {} : workKeys("subscription", subscriptionWorkId(owner, subscriptionId), tendAt)),
      ...heldKeys("subscription", owner, countsUntil(record), subscriptionId),
    }),
    answers: { BOOL: record.answers },
    is_indexed: { BOOL: record.isIndexed },
    version: { N: String(record.version) },
    ...(expiresAt === undefined ? {} : { expires_at: { N: String(expiresAt) } }),
  };
}

export function itemToSubscription(item: Item): SubscriptionRecord {
  const disabledReason = item["disabled_reason"]?.S as DisabledReason | undefined;
  return {
    subscriptionId: text(item, "sk"),
    owner: text(item, "owner"),
    name: text(item, "name"),
    eventTypes: json<string[]>(item, "event_types"),
    target: json<SubscriptionTarget>(item, "target"),
    ...optionalJson<"filter", EventPattern>(item, "filter", "filter"),
    answers: item.answers?.BOOL === true,
    status: text(item, "status") as SubscriptionRecord["status"],
    ...(disabledReason === undefined ? {} : { disabledReason }),
    ...optionalAs(item, "disabled_at", "disabledAt"),
    secrets: json<WebhookSecret[]>(item, "secrets"),
    ...optionalAs(item, "failing_since", "failingSince"),
    ...optionalJson<"lastFailure", { at: string; reason: string }>(item, "last_failure", "lastFailure"),
    createdAt: text(item, "created_at"),
    updatedAt: text(item, "updated_at"),
    activeSince: text(item, "active_since"),
    version: number(item, "version"),
    indexedTypes: json<string[]>(item, "indexed_types"),
    isIndexed: item.is_indexed?.BOOL === true,
    ...optionalAs(item, "tend_at", "tendAt"),
    ...(item.expires_at === undefined ? {} : { expiresAt: number(item, "expires_at") }),
  };
}

/** @param removedUntil epoch seconds: how long a removed entry stays, so that an older write cannot bring it back */
export function entryToItem(entry: SubscriptionEntry, removedUntil: number): Item {
  return {
    ...toKey(keys.entry(entry.eventType, entry.subscriptionId)),
    ...FORMAT,
    ...strings({
      event_type: entry.eventType,
      subscription_id: entry.subscriptionId,
      owner: entry.owner,
      name: entry.name,
      kind: entry.kind,
      filter: entry.filter === undefined ? undefined : JSON.stringify(entry.filter),
      status: entry.status,
      active_since: entry.activeSince,
    }),
    answers: { BOOL: entry.answers },
    version: { N: String(entry.version) },
    ...(entry.status === "removed" ? { expires_at: { N: String(removedUntil) } } : {}),
  };
}

export function itemToEntry(item: Item): SubscriptionEntry {
  return {
    eventType: text(item, "event_type"),
    subscriptionId: text(item, "subscription_id"),
    owner: text(item, "owner"),
    name: text(item, "name"),
    kind: text(item, "kind") as SubscriptionEntry["kind"],
    ...optionalJson<"filter", EventPattern>(item, "filter", "filter"),
    answers: item.answers?.BOOL === true,
    status: text(item, "status") as SubscriptionEntry["status"],
    activeSince: text(item, "active_since"),
    version: number(item, "version"),
  };
}

export function deliveryToItem(record: DeliveryRecord): Item {
  return {
    ...toKey(keys.delivery(record.eventId, record.subscriptionId)),
    ...FORMAT,
    ...strings({
      event_id: record.eventId,
      subscription_id: record.subscriptionId,
      event_type: record.eventType,
      owner: record.owner,
      name: record.name,
      kind: record.kind,
      state: record.state,
      fence: record.fence,
      log: JSON.stringify(record.log),
      created_at: record.createdAt,
      next_attempt_at: record.nextAttemptAt,
      tend_at: record.tendAt,
      ended_at: record.endedAt,
      reason: record.reason,
      ...whereItWaits(record),
    }),
    attempts: { N: String(record.attempts) },
    redrives: { N: String(record.redrives) },
    expires_at: { N: String(record.expiresAt) },
  };
}

/** A message is found by who polls, what is due by the reconciler, what is dead by who redrives. What is done by nobody. */
function whereItWaits(record: DeliveryRecord): WorkKeys | undefined {
  const { eventId, subscriptionId, owner, state, kind, tendAt, nextAttemptAt, endedAt } = record;
  if (state === "DEAD") return deadKeys(owner, subscriptionId, endedAt ?? nextAttemptAt, eventId);
  if (state !== "PENDING") return undefined;
  if (tendAt !== undefined) return workKeys("delivery", deliveryWorkId(eventId, subscriptionId), tendAt);
  return kind === "queue" ? messageKeys(subscriptionId, eventId, nextAttemptAt) : undefined;
}

export function itemToDelivery(item: Item): DeliveryRecord {
  return {
    eventId: text(item, "event_id"),
    subscriptionId: text(item, "subscription_id"),
    eventType: text(item, "event_type"),
    owner: text(item, "owner"),
    name: text(item, "name"),
    kind: text(item, "kind") as DeliveryKind,
    state: text(item, "state") as DeliveryState,
    fence: text(item, "fence"),
    attempts: number(item, "attempts"),
    log: json<DeliveryAttempt[]>(item, "log"),
    createdAt: text(item, "created_at"),
    nextAttemptAt: text(item, "next_attempt_at"),
    ...optionalAs(item, "tend_at", "tendAt"),
    ...optionalAs(item, "ended_at", "endedAt"),
    ...optional(item, "reason"),
    redrives: number(item, "redrives"),
    expiresAt: number(item, "expires_at"),
  };
}
