/** Records what could not be brought to deployed subscribers. Called with batches from the dead-letter queue. */
import type { Context, SQSBatchResponse, SQSEvent, SQSRecord } from "aws-lambda";
import { recordDeadLetter } from "../shared/deliveries/dead-letters.ts";
import type { Deps } from "../shared/ports.ts";
import { readSubscriberPrefix } from "./runtime/config.ts";
import { readDeadLetter } from "./runtime/dead-letter.ts";
import { coldStart, ofInvocation } from "./runtime/lambda.ts";
import type { Metrics } from "./runtime/metrics.ts";
import { eachMessage } from "./runtime/sqs-batch.ts";

type DeadLetterDeps = Deps & { readonly subscriberPrefix: string };

// Run per event.
export const handle = async (deps: DeadLetterDeps, metrics: Metrics, record: SQSRecord): Promise<void> => {
  const letter = readDeadLetter(record, deps.subscriberPrefix);
  deps.log.note?.({ event_id: letter.event.id, subscriber: letter.subscriber });
  await recordDeadLetter(deps, letter);
  metrics.add("DeadLetters", 1, letter.subscriber);
};

// Built on cold start.
const runtime = coldStart<DeadLetterDeps>({ parts: () => ({ subscriberPrefix: readSubscriberPrefix() }) });

// Called by AWS.
export const handler = async ({ Records }: SQSEvent, context: Context): Promise<SQSBatchResponse> => {
  const { deps: always, metrics } = runtime();
  const result = await eachMessage(Records, ofInvocation(always, context), (record, deps) =>
    handle(deps, metrics, record),
  );
  metrics.write();
  return result;
};
