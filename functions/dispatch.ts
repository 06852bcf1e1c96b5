/** Brings events to the run-time subscriptions that want them. Called with batches from the dispatch queue. */
import type { SQSBatchResponse, SQSEvent } from "aws-lambda";
import { type DispatchDeps, dispatchEvent } from "../shared/deliveries/dispatch.ts";
import type { DeliveredEvent } from "../shared/event.ts";
import { coldStart } from "./runtime/lambda.ts";
import { eachMessage } from "./runtime/sqs-batch.ts";
import { createWebhookQueueParts } from "./runtime/webhook-queue-parts.ts";

// Run per event.
export const handle = async (deps: DispatchDeps, event: DeliveredEvent): Promise<void> => {
  await dispatchEvent(deps, event);
};

// Built on cold start.
const runtime = coldStart<DispatchDeps>(createWebhookQueueParts);

// Called by AWS.
export const handler = ({ Records }: SQSEvent): Promise<SQSBatchResponse> => {
  const { deps } = runtime();
  return eachMessage(Records, deps.log, ({ body }) =>
    handle(deps, (JSON.parse(body) as { detail: DeliveredEvent }).detail),
  );
};
