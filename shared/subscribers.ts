/** Who gets an event, and who can answer it at this moment. */
import type { DeployedSubscriber } from "./deployed-subscriber.ts";
import type { BusEvent } from "./event.ts";
import { matchesPattern } from "./event-pattern.ts";
import type { Deps } from "./ports.ts";

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
