/**
 * Subscribe at run time, and change and end subscriptions.
 *
 * The record is written first, conditional on the version that was seen; then the index of subscribers; then the record
 * says that the index is up to date. A crash in between leaves it due for the reconciler.
 */
import type { Agent } from "../agents/agent.ts";
import { requireType } from "../agents/authorize.ts";
import { BusError, invalidField } from "../errors.ts";
import { derivedId } from "../hash.ts";
import { MAX_SECRETS, SECRET_OVERLAP_MS } from "../limits.ts";
import type { Deps } from "../ports.ts";
import { payFor } from "../rate-limit/tokens.ts";
import { isoAt } from "../time.ts";
import { untilWritten } from "../until-written.ts";
import { signingSecrets } from "../webhooks/health.ts";
import type { WebhookSender } from "../webhooks/port.ts";
import { writeWithinCaps } from "./caps.ts";
import { broughtTo, changed, changedTarget, ended, firstVersion, requireSameKind } from "./change.ts";
import { type CheckType, readChange, readSubscription } from "./input.ts";
import { findOwnSubscription } from "./look-up.ts";
import type { SubscriptionRecord, SubscriptionTarget, WebhookSecret } from "./records.ts";
import { tendSubscription } from "./tend.ts";
import { type SubscriptionView, viewSubscription } from "./view.ts";

export interface SubscribeDeps extends Deps {
  readonly webhooks: Pick<WebhookSender, "check">;
  /** A fresh secret for signing webhooks. */
  newWebhookSecret(): string;
}

export interface Subscribed {
  readonly created: boolean;
  /** With the secret when it is new and a webhook: it is shown this once. */
  readonly subscription: SubscriptionView & { readonly secret?: string };
}

export interface RotatedSecret {
  readonly subscription_id: string;
  readonly secret: string;
  /** Until then deliveries carry the signatures of both. ISO 8601. */
  readonly previous_valid_until: string;
}

/**
 * Makes a subscription, or brings the one of this name up to date.
 *
 * @throws BusError `invalid_request`, `unknown_event_type`, `forbidden`, `limit_reached`, `rate_limited`
 */
export async function subscribe(deps: SubscribeDeps, body: unknown, agent: Agent): Promise<Subscribed> {
  const owner = agent.id;
  const wanted = readSubscription(deps.catalogue, body, (type, pointer) =>
    requireType(deps, agent, "subscribe", type, pointer),
  );
  await checkTarget(deps, wanted.target);
  const subscriptionId = derivedId("subscription", owner, wanted.name);
  const written: SubscriptionRecord[] = [];
  return untilWritten(deps, "subscription", async () => {
    const standing = await deps.store.getSubscription(owner, subscriptionId);
    const isNew = standing === null || standing.status === "deleted";
    if (!isNew) requireSameKind(standing.target.kind, wanted.target.kind);
    const next = isNew
      ? firstVersion(deps, owner, subscriptionId, wanted, standing)
      : broughtTo(deps, standing, wanted);
    if (isNew) written.push(next);
    if (next !== standing) await payFor(deps, owner, next.indexedTypes.length);
    const tended = await writeWithinCaps(deps, next, standing, async () => {
      if (next !== standing && !(await deps.store.replaceSubscription(next, standing?.version ?? 0))) return null;
      return next.isIndexed ? next : await tendSubscription(deps, next);
    });
    if (tended === null) return null;
    const secret = tended.secrets[0]?.secret;
    // A write may get through although it looks refused: its acknowledgement was lost, and the client sent it again.
    const created = isNew || (secret !== undefined && written.some(({ secrets }) => secrets[0]?.secret === secret));
    return {
      created,
      subscription: { ...viewSubscription(tended), ...(created && secret !== undefined ? { secret } : {}) },
    };
  });
}

/**
 * Active, it has afterwards only types that its agent may subscribe to: what it may no longer, it can pause or leave out.
 *
 * @throws BusError `not_found`, `invalid_request`, `unknown_event_type`, `forbidden`, `limit_reached`,
 * `rate_limited`
 */
export async function changeSubscription(
  deps: SubscribeDeps,
  subscriptionId: string,
  body: unknown,
  agent: Agent,
): Promise<SubscriptionView> {
  const requireOfAgent: CheckType = (type, pointer) => requireType(deps, agent, "change", type, pointer);
  return untilWritten(deps, "subscription", async () => {
    // First whether there is one: of what is absent or another's nothing is said.
    const standing = await findOwnSubscription(deps, subscriptionId, agent.id);
    const change = readChange(deps.catalogue, body, requireOfAgent);
    const target = changedTarget(standing, change);
    if (target !== standing.target) await checkTarget(deps, target);
    const next = changed(deps, standing, { ...change, target });
    if (next.status === "active") for (const type of next.eventTypes) requireOfAgent(type, "/event_types");
    await payFor(deps, agent.id, next.indexedTypes.length);
    return writeWithinCaps(deps, next, standing, async () => {
      if (!(await deps.store.replaceSubscription(next, standing.version))) return null;
      return viewSubscription(await tendSubscription(deps, next));
    });
  });
}

/** Ends a subscription; what is on its way to it ends dead. @throws BusError `not_found` */
export async function unsubscribe(deps: Deps, subscriptionId: string, owner: string): Promise<void> {
  await untilWritten(deps, "subscription", async () => {
    const standing = await findOwnSubscription(deps, subscriptionId, owner);
    const next = ended(deps, standing);
    if (!(await deps.store.replaceSubscription(next, standing.version))) return null;
    return tendSubscription(deps, next);
  });
}

/** @throws BusError `not_found`; `invalid_request` for a queue; `rate_limited` when it was rotated too often within a day */
export async function rotateSecret(deps: SubscribeDeps, subscriptionId: string, owner: string): Promise<RotatedSecret> {
  return untilWritten(deps, "subscription", async () => {
    const standing = await findOwnSubscription(deps, subscriptionId, owner);
    if (standing.target.kind !== "webhook")
      throw invalidField("/subscription_id", "a webhook was expected: a queue has no secret");
    const nowMs = deps.now();
    const validUntil = isoAt(nowMs + SECRET_OVERLAP_MS);
    const older = signingSecrets(standing, nowMs).map((one): WebhookSecret => ({ validUntil, ...one }));
    if (older.length >= MAX_SECRETS)
      throw new BusError("rate_limited", `A secret can be replaced ${MAX_SECRETS - 1} times in 24 hours.`, {
        retryable: false,
      });
    const secret = deps.newWebhookSecret();
    const next: SubscriptionRecord = {
      ...standing,
      version: standing.version + 1,
      updatedAt: isoAt(nowMs),
      secrets: [{ secret }, ...older],
    };
    if (!(await deps.store.replaceSubscription(next, standing.version))) return null;
    return { subscription_id: subscriptionId, secret, previous_valid_until: validUntil };
  });
}

async function checkTarget({ webhooks }: SubscribeDeps, target: SubscriptionTarget): Promise<void> {
  if (target.kind !== "webhook") return;
  const refusal = await webhooks.check(target.url);
  if (refusal !== null) throw invalidField("/target/url", refusal);
}
