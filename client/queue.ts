/** The calls of a pull queue. */
import type { Message } from "../shared/deliveries/message-queue.ts";
import type { ReceiptResult } from "../shared/deliveries/message-receipts.ts";
import type { SubscriptionView } from "../shared/subscriptions/view.ts";
import type { Connection } from "./calls.ts";
import { targetOf } from "./endpoints.ts";
import { unreachable } from "./errors.ts";
import { gatherReceipts, type ReceiptStatus } from "./receipts.ts";
import { withRetries } from "./retry.ts";
import { CALL_TIMEOUT_MS } from "./transport.ts";

/** A poll that takes this much longer than it asked for is taken for lost. */
const POLL_SLACK_MS = 10_000;

export interface PollOptions {
  /** 1 to 10. */
  readonly max: number;
  /** How long it is held until there is a message, in seconds: 0 to 20. */
  readonly waitSeconds: number;
  readonly signal?: AbortSignal | undefined;
}

/** The queue of a subscription. Its calls throw AgentEventBusError; all but `take` are tried again, which is safe. */
export interface Queue {
  readonly subscriptionId: string;
  /** What is taken is hidden for so long. */
  readonly visibilityMs: number;
  /** After so many receives that were not acknowledged a message is dead. */
  readonly maxAttempts: number;
  /** One poll. What is taken and lost on its way comes again. */
  take(options: PollOptions): Promise<readonly Message[]>;
  /** The message is done. */
  acknowledge(receipt: string): Promise<ReceiptStatus>;
  /** Hides the message anew, for as long as when it was taken. */
  keepHidden(receipt: string): Promise<ReceiptStatus>;
  /** The messages come again after a while; those at their last receive are dead. */
  giveBack(receipts: readonly string[], delaySeconds: number, reason: string): Promise<void>;
}

/** @throws Error for the subscription of a webhook */
export function queueOf(connection: Connection, { subscription_id, target }: SubscriptionView): Queue {
  if (target.kind !== "queue") throw new Error(`The subscription ${subscription_id} has no queue: it is a webhook.`);
  const { visibility, max_attempts: maxAttempts } = target;
  const tell = async (operation: "ack" | "nack" | "extend", body: object): Promise<readonly ReceiptResult[]> => {
    const call = { ...targetOf(operation, { subscription_id }), body };
    const { results } = await withRetries(connection.retry, undefined, () =>
      connection.transport.json<{ results: readonly ReceiptResult[] }>(call, { timeoutMs: CALL_TIMEOUT_MS }),
    );
    return results;
  };
  return {
    subscriptionId: subscription_id,
    visibilityMs: visibility * 1000,
    maxAttempts,
    async take({ max, waitSeconds, signal }) {
      // Said with each poll: what is reckoned here must be what holds there, whoever changes the subscription.
      const query = { wait: waitSeconds, max, visibility };
      const call = { ...targetOf("messages", { subscription_id }), query };
      const timeoutMs = waitSeconds * 1000 + POLL_SLACK_MS;
      const { messages } = await connection.transport.json<Partial<{ messages: readonly Message[] }>>(call, {
        signal,
        timeoutMs,
      });
      if (messages === undefined) throw unreachable("The answer to a poll had no messages.");
      return messages;
    },
    acknowledge: gatherReceipts((receipts) => tell("ack", { receipts })),
    keepHidden: gatherReceipts((receipts) => tell("extend", { receipts, visibility })),
    async giveBack(receipts, delaySeconds, reason) {
      await tell("nack", { receipts, delay: delaySeconds, reason: reason === "" ? undefined : reason });
    },
  };
}
