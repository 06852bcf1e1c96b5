/** Webhook deliveries in an SQS queue: what waits for its next attempt is hidden there. */
import {
  ChangeMessageVisibilityCommand,
  SendMessageBatchCommand,
  type SendMessageBatchRequestEntry,
  type SQSClient,
} from "@aws-sdk/client-sqs";
import { BusError } from "../../shared/errors.ts";
import { inLanes } from "../../shared/lanes.ts";
import { FAN_OUT_LANES, MAX_VISIBILITY_SECONDS } from "../../shared/limits.ts";
import type { WebhookQueue, WebhookTask } from "../../shared/ports.ts";

/** SendMessageBatch takes 10. */
const MAX_ENTRIES = 10;

export function createSqsWebhookQueue(client: SQSClient, queueUrl: string): WebhookQueue {
  return {
    async send(tasks) {
      const batches = Array.from({ length: Math.ceil(tasks.length / MAX_ENTRIES) }, (_, i) =>
        tasks.slice(i * MAX_ENTRIES, (i + 1) * MAX_ENTRIES),
      );
      await inLanes(FAN_OUT_LANES, batches, (batch) => sendBatch(client, queueUrl, batch));
    },
  };
}

async function sendBatch(client: SQSClient, queueUrl: string, tasks: readonly WebhookTask[]): Promise<void> {
  try {
    const { Failed = [] } = await client.send(
      new SendMessageBatchCommand({ QueueUrl: queueUrl, Entries: tasks.map(toEntry) }),
    );
    if (Failed.length > 0) throw new Error(Failed.map(({ Code, Message }) => `${Code}: ${Message}`).join("; "));
  } catch (cause) {
    throw new BusError("unavailable", "Not all webhooks could be sent for.", { cause });
  }
}

/**
 * The group makes SQS serve the subscriptions in turn, so that one with many messages, or slow ones, does not hold up
 * the others. https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-fair-queues.html
 */
function toEntry(task: WebhookTask, i: number): SendMessageBatchRequestEntry {
  return { Id: String(i), MessageBody: JSON.stringify(task), MessageGroupId: task.subscriptionId };
}

/** The task in a message. @throws Error when it is none */
export function readTask(body: string): WebhookTask {
  const { owner, subscriptionId, eventId } = JSON.parse(body) as Partial<WebhookTask>;
  if (owner === undefined || subscriptionId === undefined || eventId === undefined)
    throw new Error("The message is no webhook task.");
  return { owner, subscriptionId, eventId };
}

/** Hides a message for so long from now. */
export async function hideMessage(
  client: SQSClient,
  queueUrl: string,
  receiptHandle: string,
  forMs: number,
): Promise<void> {
  const seconds = Math.min(MAX_VISIBILITY_SECONDS, Math.max(0, Math.ceil(forMs / 1_000)));
  await client.send(
    new ChangeMessageVisibilityCommand({
      QueueUrl: queueUrl,
      ReceiptHandle: receiptHandle,
      VisibilityTimeout: seconds,
    }),
  );
}
