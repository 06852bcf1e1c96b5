/** What who subscribes works with beside the store. */
import { randomBytes } from "node:crypto";
import type { Deps } from "../../shared/ports.ts";
import type { SubscribeDeps } from "../../shared/subscriptions/subscribe.ts";
import { newWebhookSecret } from "../../shared/webhooks/signature.ts";
import { createWebhookSender } from "./webhook/sender.ts";

const SECRET_BYTES = 32;

/** A fresh secret for signing webhooks. */
export const freshWebhookSecret = (): string => newWebhookSecret(randomBytes(SECRET_BYTES));

export function createSubscriptionParts(): Omit<SubscribeDeps, keyof Deps> {
  return { webhooks: createWebhookSender(), newWebhookSecret: freshWebhookSecret };
}
