/** What the functions around subscriptions work with beside the store. Each takes only its own: none starts for another. */
import { randomBytes } from "node:crypto";
import { LambdaClient } from "@aws-sdk/client-lambda";
import { SQSClient } from "@aws-sdk/client-sqs";
import config from "../../bus.config.ts";
import type { RedriveDeps } from "../../shared/deliveries/redrive.ts";
import type { Deps } from "../../shared/ports.ts";
import type { SubscribeDeps } from "../../shared/subscriptions/subscribe.ts";
import { newWebhookSecret } from "../../shared/webhook-signature.ts";
import { readRedriveConfig, readWebhookQueueUrl } from "./config.ts";
import { createDeployedTargets } from "./deployed-targets.ts";
import { SDK_CLIENT } from "./deps.ts";
import { createSqsWebhookQueue } from "./sqs-webhook-queue.ts";
import { createWebhookSender } from "./webhook/sender.ts";

const SECRET_BYTES = 32;

/** A fresh secret for signing webhooks. */
export const freshWebhookSecret = (): string => newWebhookSecret(randomBytes(SECRET_BYTES));

/** For who subscribes, and redrives. */
export function createSubscriptionParts(): Omit<SubscribeDeps & RedriveDeps, keyof Deps> {
  const sqs = new SQSClient(SDK_CLIENT);
  return {
    webhooks: createWebhookSender(),
    newWebhookSecret: freshWebhookSecret,
    webhookQueue: createSqsWebhookQueue(sqs, readWebhookQueueUrl()),
    deployed: createDeployedTargets({
      sqs,
      lambda: new LambdaClient(SDK_CLIENT),
      subscribers: config.subscribers,
      config: readRedriveConfig(),
    }),
  };
}
