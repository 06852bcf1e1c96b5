/** What the functions that send for webhooks work with beside the store. */
import { SQSClient } from "@aws-sdk/client-sqs";
import type { WebhookQueue } from "../../shared/ports.ts";
import { SDK_CLIENT } from "./aws/sdk-client.ts";
import { readWebhookQueueUrl } from "./config.ts";
import { createSqsWebhookQueue } from "./sqs-webhook-queue.ts";

export function createWebhookQueueParts(): { webhookQueue: WebhookQueue } {
  return { webhookQueue: createSqsWebhookQueue(new SQSClient(SDK_CLIENT), readWebhookQueueUrl()) };
}
