/** Brings events to the run-time subscriptions that want them. Called with batches from the dispatch queue. */
import type { Context, SQSBatchResponse, SQSEvent } from "aws-lambda";
import { type DispatchDeps, type DispatchOptions, dispatchEvent } from "../shared/deliveries/dispatch.ts";
import type { DeliveredEvent } from "../shared/event.ts";
import { fieldsOfEvent } from "../shared/log.ts";
import { coldStart, ofInvocation } from "./runtime/lambda.ts";
import { eachMessage } from "./runtime/sqs-batch.ts";
import { createWebhookQueueParts } from "./runtime/webhook-queue-parts.ts";

// Run per event.
export const handle = async (deps: DispatchDeps, event: DeliveredEvent, options?: DispatchOptions): Promise<void> => {
  deps.log.note?.(fieldsOfEvent(event));
  await dispatchEvent(deps, event, options);
};

// Built on cold start.
const runtime = coldStart<DispatchDeps>({ parts: createWebhookQueueParts });

// Called by AWS.
export const handler = ({ Records }: SQSEvent, context: Context): Promise<SQSBatchResponse> =>
  eachMessage(Records, ofInvocation(runtime().deps, context), ({ body, attributes }, deps) => {
    const { detail } = JSON.parse(body) as { detail: DeliveredEvent };
    return handle(deps, detail, { isRepeated: Number(attributes.ApproximateReceiveCount) > 1 });
  });
