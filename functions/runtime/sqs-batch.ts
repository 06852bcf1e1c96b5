/** A batch of messages, each by itself: what fails comes again, the others are done. */
import type { SQSBatchResponse, SQSRecord } from "aws-lambda";
import { loggingAbout } from "../../shared/log.ts";
import type { Deps } from "../../shared/ports.ts";
import { describeError } from "./describe-error.ts";

/** Thrown for a message that is to come again although nothing failed. */
export class ComesAgain extends Error {
  override readonly name = "ComesAgain";
}

/** @param work gets a message, and the dependencies with a log that says which one it is */
export async function eachMessage<D extends Pick<Deps, "log">>(
  records: readonly SQSRecord[],
  deps: D,
  work: (record: SQSRecord, deps: D) => Promise<void>,
): Promise<SQSBatchResponse> {
  const failures = await Promise.all(
    records.map(async (record) => {
      const { messageId, attributes } = record;
      const own = loggingAbout(deps, { message_id: messageId, receives: Number(attributes.ApproximateReceiveCount) });
      try {
        await work(record, own);
        return null;
      } catch (error) {
        if (!(error instanceof ComesAgain))
          own.log.error("a message failed and comes again", { error: describeError(error) });
        return messageId;
      }
    }),
  );
  return {
    batchItemFailures: failures.filter((id) => id !== null).map((itemIdentifier) => ({ itemIdentifier })),
  };
}
