/** Who gets an event, and who can answer it at this moment. */
import { whatTheyMay } from "./agents/known-agents.ts";
import type { Speaker } from "./agents/speaker.ts";
import type { DeployedSubscriber } from "./deployed-subscriber.ts";
import type { BusEvent } from "./event.ts";
import { matchesPattern } from "./event-pattern.ts";
import type { Deps } from "./ports.ts";
import { DEPLOYED_OWNER } from "./subscriptions/records.ts";
import { subscriptionsOf, wantsCopy } from "./subscriptions/type-index.ts";

/** Whether a deployed subscriber gets a copy of an event. */
export function wantsEvent(subscriber: DeployedSubscriber, event: BusEvent): boolean {
  if (!subscriber.on.includes(event.type)) return false;
  return subscriber.filter === undefined || matchesPattern(subscriber.filter, event);
}

/**
 * All who are expected to answer an event: deployed subscribers, live streams opened with a name, webhooks, and queues
 * that somebody polls, as far as their agents may.
 */
export async function whoCanAnswer(
  deps: Pick<Deps, "store" | "subscribers" | "now" | "monotonic" | "configuredAgent">,
  event: BusEvent,
): Promise<Speaker[]> {
  const deployed = deps.subscribers.filter((subscriber) => subscriber.answers && wantsEvent(subscriber, event));
  const [ofType, ofAny, subscriptions] = await Promise.all([
    deps.store.getListeners(event.type, deps.now()),
    deps.store.getListeners("*", deps.now()),
    subscriptionsOf(deps, event.type),
  ]);
  const leases = [...ofType, ...ofAny];
  const streams = leases.filter(
    ({ kind, correlationId }) =>
      kind === "stream" && (correlationId === undefined || correlationId === event.correlation_id),
  );
  const polled = new Set(leases.filter(({ kind }) => kind === "queue").map(({ streamId }) => streamId));
  const reachable = subscriptions.filter(
    (entry) =>
      entry.answers && (entry.kind === "webhook" || polled.has(entry.subscriptionId)) && wantsCopy(entry, event),
  );
  const theirs: Speaker[] = [...streams, ...reachable].map(({ name, owner }) =>
    owner === undefined ? { name } : { name, owner },
  );
  const owners = theirs.flatMap(({ owner }) => owner ?? []);
  const may = await whatTheyMay(deps, owners, event.type);
  return [
    ...deployed.map(({ name }) => ({ name, owner: DEPLOYED_OWNER })),
    ...theirs.filter(
      // One that nobody knows whose it is was opened by older code, and is gone in half a minute.
      ({ owner }) => owner === undefined || (may(owner, "subscribe") && may(owner, "answer")),
    ),
  ];
}
