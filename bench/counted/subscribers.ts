/** Run-time subscriptions of the counted type, written as subscribing writes them, and what happens to their messages. */
import type { SQSRecord } from "aws-lambda";
import { handle as deliverWebhook } from "../../functions/deliver-webhook.ts";
import { handle as dispatch } from "../../functions/dispatch.ts";
import { eachMessage } from "../../functions/runtime/sqs-batch.ts";
import { readTask } from "../../functions/runtime/sqs-webhook-queue.ts";
import { openAgent } from "../../shared/agents/agent.ts";
import type { DeliveredEvent } from "../../shared/event.ts";
import { derivedId } from "../../shared/hash.ts";
import { inLanes } from "../../shared/lanes.ts";
import type { SubscriptionRecord, SubscriptionTarget } from "../../shared/subscriptions/records.ts";
import { indexSubscription } from "../../shared/subscriptions/type-index.ts";
import { isoAt } from "../../shared/time.ts";
import { newWebhookSecret } from "../../shared/webhooks/signature.ts";
import { COUNTED_TYPE, type CountedBus } from "./bus.ts";

/** Calls under way at once: the counting is to be quick. */
const LANES = 16;

const TARGETS: Readonly<Record<SubscriptionTarget["kind"], SubscriptionTarget>> = {
  queue: { kind: "queue", visibilitySeconds: 30, maxAttempts: 5 },
  webhook: { kind: "webhook", url: "https://agent.example.com/events", format: "event" },
};

/** Adds subscriptions until there are so many. Each has an owner of its own. */
export async function subscribeUpTo(
  { deps }: CountedBus,
  kind: SubscriptionTarget["kind"],
  standing: readonly SubscriptionRecord[],
  count: number,
): Promise<readonly SubscriptionRecord[]> {
  const at = isoAt(deps.now());
  const numbers = Array.from({ length: count - standing.length }, (_, i) => standing.length + i);
  const added = numbers.map((number): SubscriptionRecord => {
    const owner = `subscriber-${String(number).padStart(4, "0")}`;
    return {
      subscriptionId: derivedId("subscription", owner, "counted"),
      owner,
      name: "counted",
      eventTypes: [COUNTED_TYPE],
      target: TARGETS[kind],
      answers: true,
      status: "active",
      secrets: kind === "webhook" ? [{ secret: newWebhookSecret(new Uint8Array(32)) }] : [],
      createdAt: at,
      updatedAt: at,
      activeSince: at,
      version: 1,
      indexedTypes: [COUNTED_TYPE],
      isIndexed: true,
    };
  });
  await inLanes(LANES, added, async (subscription) => {
    await deps.store.replaceSubscription(subscription, 0);
    await indexSubscription(deps, subscription);
  });
  return [...standing, ...added];
}

/** Dispatches what was published, in batches, as the dispatch queue brings it. */
export async function dispatchAll({ deps, services }: CountedBus): Promise<void> {
  const events = services.published.splice(0);
  for (let at = 0; at < events.length; at += BATCH) {
    const records = events.slice(at, at + BATCH).map((event) => messageOf(event.id, { detail: event }));
    const { batchItemFailures } = await eachMessage(records, deps, ({ body }) =>
      dispatch(deps, (JSON.parse(body) as { detail: DeliveredEvent }).detail),
    );
    if (batchItemFailures.length > 0) throw new Error("An event was not dispatched.");
  }
}

/** A function takes so many from its queue at once (`infra/queue.ts`). */
const BATCH = 10;

/** As much of a message as a function looks at. */
const messageOf = (messageId: string, body: object): SQSRecord => ({
  messageId,
  body: JSON.stringify(body),
  receiptHandle: messageId,
  attributes: {
    ApproximateReceiveCount: "1",
    SentTimestamp: "",
    SenderId: "",
    ApproximateFirstReceiveTimestamp: "",
  },
  messageAttributes: {},
  md5OfBody: "",
  eventSource: "aws:sqs",
  eventSourceARN: "",
  awsRegion: "",
});

/** Each queue is polled once, for all that it has, and what it gave is acknowledged. */
export async function pollAndAcknowledge(bus: CountedBus, subscriptions: readonly SubscriptionRecord[]): Promise<void> {
  await inLanes(LANES, subscriptions, async ({ owner, subscriptionId }) => {
    const agent = openAgent(owner);
    const path = `/subscriptions/${subscriptionId}`;
    const { messages } = (await bus.call("GET", `${path}/messages?wait=0`, { agent })) as {
      messages: { receipt: string }[];
    };
    if (messages.length === 0) throw new Error(`The queue of ${owner} has no message.`);
    const receipts = messages.map(({ receipt }) => receipt);
    await bus.call("POST", `${path}/ack`, { agent, body: { receipts } });
  });
}

/** Makes all attempts that were sent for. */
export async function callWebhooks({ deps, services }: CountedBus): Promise<void> {
  await inLanes(LANES, services.messages.splice(0), async (message) => {
    const outcome = await deliverWebhook(deps, readTask(message));
    if (outcome.kind !== "done") throw new Error("A webhook is to be called again.");
  });
}
