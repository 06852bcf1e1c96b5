/**
 * Reading a dead letter. Three kinds come: from EventBridge (the event, and why in the message's attributes), from a
 * queue whose message was received too often (the event), and from Lambda (a record of the failed invocation).
 *
 * https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html
 * https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
 */
import type { SQSRecord } from "aws-lambda";
import type { DeadLetter } from "../../shared/deliveries/dead-letters.ts";
import { DISPATCH } from "../../shared/deployed-subscriber.ts";
import type { DeliveredEvent } from "../../shared/event.ts";

/** An event as a rule gives it to its target. */
interface RuleEvent {
  readonly detail: DeliveredEvent;
}

/** What Lambda tells of an asynchronous invocation that failed for good. */
interface InvocationRecord {
  readonly requestContext: {
    readonly functionArn: string;
    readonly condition: string;
    readonly approximateInvokeCount: number;
  };
  readonly requestPayload: RuleEvent;
  readonly responsePayload?: { readonly errorMessage?: string } | null;
}

/** @throws Error when it is nothing of these, or of no subscriber with this prefix */
export function readDeadLetter(record: SQSRecord, subscriberPrefix: string): DeadLetter {
  const body = JSON.parse(record.body) as RuleEvent | InvocationRecord;
  if ("requestContext" in body) return fromLambda(body, subscriberPrefix);
  const { messageAttributes, attributes } = record;
  const targetArn = messageAttributes["TARGET_ARN"]?.stringValue;
  const event = eventOf(body);
  if (targetArn !== undefined) {
    const code = messageAttributes["ERROR_CODE"]?.stringValue ?? "unknown error";
    const text = messageAttributes["ERROR_MESSAGE"]?.stringValue;
    return {
      subscriber: subscriberOf(targetArn, subscriberPrefix),
      event,
      reason: `EventBridge could not deliver it: ${code}${text === undefined ? "" : `: ${text}`}`,
      attempts: Number(messageAttributes["RETRY_ATTEMPTS"]?.stringValue ?? 0) + 1,
    };
  }
  const sourceArn = (attributes as { DeadLetterQueueSourceArn?: string }).DeadLetterQueueSourceArn;
  if (sourceArn === undefined) throw new Error("The dead letter does not say where it comes from.");
  const receives = Number(attributes.ApproximateReceiveCount);
  return {
    subscriber: subscriberOf(sourceArn, subscriberPrefix),
    event,
    reason: "it failed each time that it was received from the queue",
    // The last receive is the one from the dead-letter queue.
    attempts: Math.max(1, receives - 1),
  };
}

function fromLambda(
  { requestContext, requestPayload, responsePayload }: InvocationRecord,
  subscriberPrefix: string,
): DeadLetter {
  const why = responsePayload?.errorMessage ?? requestContext.condition;
  return {
    subscriber: subscriberOf(requestContext.functionArn.replace(/:\$LATEST$/, ""), subscriberPrefix),
    event: eventOf(requestPayload),
    reason: `its function failed: ${why}`,
    attempts: Math.max(1, requestContext.approximateInvokeCount),
  };
}

function eventOf({ detail }: RuleEvent): DeadLetter["event"] {
  if (typeof detail?.id !== "string" || typeof detail.type !== "string")
    throw new Error("The dead letter holds no event of the bus.");
  return { id: detail.id, type: detail.type };
}

/** From the name of its function or queue, which is the last part of the ARN. */
function subscriberOf(arn: string, prefix: string): string {
  const name = arn.slice(arn.lastIndexOf(":") + 1);
  if (name.startsWith(prefix)) return name.slice(prefix.length);
  if (name.endsWith("-dispatch")) return DISPATCH;
  throw new Error(`The dead letter is of no subscriber: ${arn}`);
}
