/** Calls webhooks. Called with batches from the webhook queue; what is to be tried again soon is hidden there until then. */
import { SQSClient } from "@aws-sdk/client-sqs";
import type { Context, SQSBatchResponse, SQSEvent } from "aws-lambda";
import { LONGEST_HIDDEN_MS } from "../shared/limits.ts";
import type { WebhookTask } from "../shared/ports.ts";
import { type DeliverDeps, deliverWebhook, type TaskOutcome } from "../shared/webhooks/deliver.ts";
import { SDK_CLIENT } from "./runtime/aws/sdk-client.ts";
import { readWebhookQueueUrl } from "./runtime/config.ts";
import { coldStart, ofInvocation } from "./runtime/lambda.ts";
import { ComesAgain, eachMessage } from "./runtime/sqs-batch.ts";
import { hideMessage, readTask } from "./runtime/sqs-webhook-queue.ts";
import { createWebhookSender } from "./runtime/webhook/sender.ts";

// Run per event.
export const handle = (deps: DeliverDeps, task: WebhookTask): Promise<TaskOutcome> => {
  deps.log.note?.({ event_id: task.eventId, subscription_id: task.subscriptionId, agent: task.owner });
  return deliverWebhook(deps, task);
};

// Built on cold start.
const runtime = coldStart<DeliverDeps & { sqs: SQSClient; queueUrl: string }>({
  parts: () => ({
    webhooks: createWebhookSender(),
    sqs: new SQSClient(SDK_CLIENT),
    queueUrl: readWebhookQueueUrl(),
  }),
});

// Called by AWS.
export const handler = async ({ Records }: SQSEvent, context: Context): Promise<SQSBatchResponse> => {
  const { deps: always, metrics } = runtime();
  const result = await eachMessage(Records, ofInvocation(always, context), async ({ body, receiptHandle }, deps) => {
    const outcome = await handle(deps, readTask(body));
    if (outcome.kind === "done" || outcome.afterMs > LONGEST_HIDDEN_MS) return;
    await hideMessage(deps.sqs, deps.queueUrl, receiptHandle, outcome.afterMs);
    throw new ComesAgain();
  });
  metrics.write();
  return result;
};
