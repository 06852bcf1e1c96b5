/** Records what could not be brought to deployed subscribers. Called with batches from the dead-letter queue. */
import type { Context, SQSBatchResponse, SQSEvent, SQSRecord } from "aws-lambda";
import { recordDeadLetter } from "../shared/deliveries/dead-letters.ts";
import type { Deps } from "../shared/ports.ts";
import { readSubscriberPrefix } from "./runtime/config.ts";
import { readDeadLetter } from "./runtime/dead-letter.ts";
import { coldStart, ofInvocation } from "./runtime/lambda.ts";
import { deadLetterMetrics } from "./runtime/metrics.ts";
import { eachMessage } from "./runtime/sqs-batch.ts";

type DeadLetterDeps = Deps & { readonly subscriberPrefix: string };

// Run per event.
export const handle = async (deps: DeadLetterDeps, record: SQSRecord): Promise<void> => {
  const letter = readDeadLetter(record, deps.subscriberPrefix);
  deps.log.note?.({ event_id: letter.event.id, subscriber: letter.subscriber });
  await recordDeadLetter(deps, letter);
  // With the prefix: another bus in the account may have a subscriber of the same name.
  process.stdout.write(deadLetterMetrics(`${deps.subscriberPrefix}${letter.subscriber}`, deps.now()));
};

// Built on cold start.
const runtime = coldStart<DeadLetterDeps>(() => ({ subscriberPrefix: readSubscriberPrefix() }));

// Called by AWS.
export const handler = ({ Records }: SQSEvent, context: Context): Promise<SQSBatchResponse> =>
  eachMessage(Records, ofInvocation(runtime().deps, context), (record, deps) => handle(deps, record));
