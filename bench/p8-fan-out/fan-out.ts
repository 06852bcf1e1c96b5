/** An event to more and more subscribers, counted step by step. */
import type { SubscriberDeclaration } from "../../shared/bus-config.ts";
import type { SubscriptionRecord } from "../../shared/subscriptions/records.ts";
import { subscriptionsOf } from "../../shared/subscriptions/type-index.ts";
import { COUNTED_BUS, COUNTED_TYPE, startCountedBus } from "../counted/bus.ts";
import { counted, emitOne } from "../counted/operations.ts";
import { callWebhooks, dispatchAll, pollAndAcknowledge, subscribeUpTo } from "../counted/subscribers.ts";
import { type Counts, NO_COUNTS } from "../counted/tally.ts";

/** Deployed subscribers get events by rules of EventBridge, the others by dispatch. */
export type FanOutKind = "deployed" | "queue" | "webhook";

/** What one event took, from the call that emitted it to the last of its subscribers being done with it. */
export interface FanOut {
  readonly subscribers: number;
  readonly emit: Counts;
  /** Nothing has changed among the subscribers since the event before. */
  readonly dispatch: Counts;
  /** Polls and acknowledgements, or attempts of webhooks. */
  readonly delivery: Counts;
}

const DATA_BYTES = 200;

export async function fanOuts(
  kind: FanOutKind,
  sizes: readonly number[],
  progress: (subscribers: number) => void,
): Promise<readonly FanOut[]> {
  return kind === "deployed" ? deployedFanOuts(sizes, progress) : dispatchedFanOuts(kind, sizes, progress);
}

/** A bus for each number: who is deployed stands in its configuration. */
async function deployedFanOuts(
  sizes: readonly number[],
  progress: (subscribers: number) => void,
): Promise<readonly FanOut[]> {
  const results: FanOut[] = [];
  for (const subscribers of sizes) {
    progress(subscribers);
    const bus = await startCountedBus({ ...COUNTED_BUS, subscribers: deployedSubscribers(subscribers) });
    try {
      await subscriptionsOf(bus.deps, COUNTED_TYPE);
      const emit = await counted(bus, () => emitOne(bus, { dataBytes: DATA_BYTES }));
      results.push({ subscribers, emit, dispatch: await counted(bus, () => dispatchAll(bus)), delivery: NO_COUNTS });
    } finally {
      await bus.close();
    }
  }
  return results;
}

/** They want all events of the counted type. */
export const deployedSubscribers = (count: number): SubscriberDeclaration[] =>
  Array.from({ length: count }, (_, i) => ({
    name: `counted-${i}`,
    on: COUNTED_TYPE,
    handler: "examples/agents/pong.ts",
    via: "queue",
  }));

/** @param sizes numbers of subscribers, ascending */
async function dispatchedFanOuts(
  kind: "queue" | "webhook",
  sizes: readonly number[],
  progress: (subscribers: number) => void,
): Promise<readonly FanOut[]> {
  const bus = await startCountedBus();
  try {
    const results: FanOut[] = [];
    let subscriptions: readonly SubscriptionRecord[] = [];
    for (const subscribers of sizes) {
      progress(subscribers);
      subscriptions = await subscribeUpTo(bus, kind, subscriptions, subscribers);
      const deliver = (): Promise<void> =>
        kind === "queue" ? pollAndAcknowledge(bus, subscriptions) : callWebhooks(bus);
      // The first event after a change reads who they are; the others find that nothing has changed.
      await subscriptionsOf(bus.deps, COUNTED_TYPE);
      results.push({
        subscribers,
        emit: await counted(bus, () => emitOne(bus, { dataBytes: DATA_BYTES })),
        dispatch: await counted(bus, () => dispatchAll(bus)),
        delivery: await counted(bus, deliver),
      });
    }
    return results;
  } finally {
    await bus.close();
  }
}
