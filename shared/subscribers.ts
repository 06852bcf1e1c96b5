/** Deployed subscribers, and who can answer an event at this moment. */
import type { BusEvent } from "./event.ts";
import { type EventPattern, matchesPattern } from "./event-pattern.ts";
import type { Deps } from "./ports.ts";

/** A subscriber that is written in `bus.config.ts` and deployed with the bus. */
export interface DeployedSubscriber {
  /** Unique in the deployment; lower case, digits and hyphens. It is what `missing` and `responder` say. */
  readonly name: string;
  /** The event types it wants. */
  readonly on: readonly string[];
  /** An EventBridge event pattern on the event; without it, every event of the types. */
  readonly filter?: EventPattern;
  /** The module, relative to the project, whose export `handler` is called. */
  readonly handler: string;
  /** `direct`: EventBridge invokes the function, for low latency. `queue`: through SQS, for retries and batches. */
  readonly via: "direct" | "queue";
  /** False for an observer: it is never expected to answer. */
  readonly answers: boolean;
  /** How long one call may take, in seconds. A message of a queue that failed comes again after six times as long. */
  readonly timeoutSeconds: number;
  /** Memory of its function, in MB; it gets processor time in proportion. */
  readonly memoryMb: number;
}

/** Whether a deployed subscriber gets a copy of an event. */
export function wantsEvent(subscriber: DeployedSubscriber, event: BusEvent): boolean {
  if (!subscriber.on.includes(event.type)) return false;
  return subscriber.filter === undefined || matchesPattern(subscriber.filter, event);
}

/** The names of all who are expected to answer an event: deployed subscribers and live streams opened with a name. */
export async function whoCanAnswer(
  deps: Pick<Deps, "store" | "subscribers" | "now">,
  event: BusEvent,
): Promise<string[]> {
  const deployed = deps.subscribers.filter((subscriber) => subscriber.answers && wantsEvent(subscriber, event));
  const listeners = await Promise.all([
    deps.store.getListeners(event.type, deps.now()),
    deps.store.getListeners("*", deps.now()),
  ]);
  const listening = listeners
    .flat()
    .filter((lease) => lease.correlationId === undefined || lease.correlationId === event.correlation_id);
  return [...new Set([...deployed, ...listening].map((one) => one.name))].sort();
}
