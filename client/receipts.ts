/** Telling the bus of messages by their receipts: what is to be said at the same moment goes in one call. */
import type { ReceiptResult } from "../shared/deliveries/message-receipts.ts";
import { MAX_RECEIPTS } from "../shared/limits.ts";

/** `expired`: the message was taken again since, is done, or is dead. */
export type ReceiptStatus = ReceiptResult["status"];

interface Waiting {
  readonly receipt: string;
  resolve(status: ReceiptStatus): void;
  reject(error: unknown): void;
}

/** Callbacks that end together seldom end in the same instant: the answers to their calls come one after the other. */
const GATHER_MS = 10;

/**
 * Sends receipts together with those that are given within the next few milliseconds, up to 100 a call.
 * @returns for each receipt what was said of it; rejects with what `send` threw
 */
export function gatherReceipts(
  send: (receipts: readonly string[]) => Promise<readonly ReceiptResult[]>,
): (receipt: string) => Promise<ReceiptStatus> {
  const waiting: Waiting[] = [];
  const sendSome = async (some: readonly Waiting[]): Promise<void> => {
    try {
      const results = await send(some.map(({ receipt }) => receipt));
      const statuses = new Map(results.map(({ receipt, status }) => [receipt, status]));
      for (const { receipt, resolve } of some) resolve(statuses.get(receipt) ?? "expired");
    } catch (error) {
      for (const { reject } of some) reject(error);
    }
  };
  const sendAll = (): void => {
    while (waiting.length > 0) void sendSome(waiting.splice(0, MAX_RECEIPTS));
  };
  return (receipt) =>
    new Promise((resolve, reject) => {
      if (waiting.push({ receipt, resolve, reject }) === 1) setTimeout(sendAll, GATHER_MS);
    });
}
