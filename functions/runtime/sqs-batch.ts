/** A batch of messages, each by itself: what fails comes again, the others are done. */
import type { SQSBatchResponse, SQSRecord } from "aws-lambda";
import type { Logger } from "../../shared/ports.ts";
import { describeError } from "./describe-error.ts";

/** Thrown for a message that is to come again although nothing failed. */
export class ComesAgain extends Error {
  override readonly name = "ComesAgain";
}

export async function eachMessage(
  records: readonly SQSRecord[],
  log: Logger,
  work: (record: SQSRecord) => Promise<void>,
): Promise<SQSBatchResponse> {
  const failures = await Promise.all(
    records.map(async (record) => {
      try {
        await work(record);
        return null;
      } catch (error) {
        if (!(error instanceof ComesAgain))
          log.error("a message failed and comes again", {
            messageId: record.messageId,
            receives: record.attributes.ApproximateReceiveCount,
            error: describeError(error),
          });
        return record.messageId;
      }
    }),
  );
  return {
    batchItemFailures: failures.filter((id) => id !== null).map((itemIdentifier) => ({ itemIdentifier })),
  };
}
