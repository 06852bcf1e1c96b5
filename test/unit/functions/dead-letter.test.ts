import type { SQSRecord } from "aws-lambda";
import { describe, expect, it } from "vitest";
import { readDeadLetter } from "../../../functions/runtime/dead-letter.ts";
import { deliveredEvent } from "../../support/delivered-event.ts";

const PREFIX = "AgentEventBus-agent-";
const QUEUE = "arn:aws:sqs:eu-west-1:111122223333:";
const FUNCTION = "arn:aws:lambda:eu-west-1:111122223333:function:";
const detail = deliveredEvent({ id: "e-1", type: "MESSAGE_RECEIVED" });
const event = { id: "e-1", type: "MESSAGE_RECEIVED" };

function letter(
  body: unknown,
  change: { attributes?: object; messageAttributes?: Record<string, string> } = {},
): SQSRecord {
  const messageAttributes = Object.entries(change.messageAttributes ?? {}).map(([name, stringValue]) => [
    name,
    { stringValue, dataType: "String" },
  ]);
  return {
    messageId: "m",
    receiptHandle: "r",
    body: JSON.stringify(body),
    attributes: { ApproximateReceiveCount: "1", ...change.attributes },
    messageAttributes: Object.fromEntries(messageAttributes),
  } as unknown as SQSRecord;
}

describe("a dead letter", () => {
  it("from EventBridge says which subscriber could not be reached, why, and after how many tries [deliver-1]", () => {
    const record = letter(
      { source: "agent-event-bus", detail },
      {
        messageAttributes: {
          TARGET_ARN: `${QUEUE}${PREFIX}librarian`,
          ERROR_CODE: "NO_PERMISSIONS",
          ERROR_MESSAGE: "not allowed",
          RETRY_ATTEMPTS: "3",
        },
      },
    );
    expect(readDeadLetter(record, PREFIX)).toEqual({
      subscriber: "librarian",
      event,
      reason: "EventBridge could not deliver it: NO_PERMISSIONS: not allowed",
      attempts: 4,
    });
  });

  it("from a queue says whose it is, and how often it was received there", () => {
    const attributes = { DeadLetterQueueSourceArn: `${QUEUE}${PREFIX}librarian`, ApproximateReceiveCount: "6" };
    expect(readDeadLetter(letter({ detail }, { attributes }), PREFIX)).toMatchObject({
      subscriber: "librarian",
      event,
      attempts: 5,
    });
  });

  it("of the bus's own dispatching is told apart from every subscriber", () => {
    const attributes = { DeadLetterQueueSourceArn: `${QUEUE}AgentEventBus-dispatch` };
    expect(readDeadLetter(letter({ detail }, { attributes }), PREFIX)).toMatchObject({
      subscriber: "(dispatch)",
      event,
    });
  });

  it("from Lambda says what the function threw [deliver-2]", () => {
    const record = letter({
      requestContext: {
        functionArn: `${FUNCTION}${PREFIX}librarian:$LATEST`,
        condition: "RetriesExhausted",
        approximateInvokeCount: 1,
      },
      requestPayload: { detail },
      responsePayload: { errorType: "Error", errorMessage: "no such table" },
    });
    expect(readDeadLetter(record, PREFIX)).toEqual({
      subscriber: "librarian",
      event,
      reason: "its function failed: no such table",
      attempts: 1,
    });
  });

  it.each<[string, SQSRecord]>([
    ["is no JSON", { ...letter({}), body: "{" }],
    ["holds no event", letter({ detail: {} }, { messageAttributes: { TARGET_ARN: `${QUEUE}${PREFIX}a` } })],
    ["does not say where it comes from", letter({ detail })],
    ["is of another bus", letter({ detail }, { messageAttributes: { TARGET_ARN: `${QUEUE}other-agent-a` } })],
  ])("that %s stays where it is", (_title, record) => {
    expect(() => readDeadLetter(record, PREFIX)).toThrow();
  });
});
