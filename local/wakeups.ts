/** Lets waits of this process look at once when something has changed, and not at their next interval. */
import { type Deps, type EventStore, eventsTopic, messagesTopic } from "../shared/ports.ts";

/** Who sleeps on which topic. Survives reloads: new code must wake the waits of the old. */
export interface Wakeups {
  readonly pause: Deps["pause"];
  /** Whether anybody was asleep on it. */
  wake(topic: string): boolean;
}

export function createWakeups(): Wakeups {
  const sleepers = new Map<string, Set<() => void>>();

  const pause: Deps["pause"] = (ms, topic, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted === true) return resolve();
      const onTopic = sleepers.get(topic) ?? new Set();
      sleepers.set(topic, onTopic);
      const end = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", end);
        onTopic.delete(end);
        if (onTopic.size === 0 && sleepers.get(topic) === onTopic) sleepers.delete(topic);
        resolve();
      };
      const timer = setTimeout(end, ms);
      signal?.addEventListener("abort", end, { once: true });
      onTopic.add(end);
    });

  const wake = (topic: string): boolean => {
    const ends = [...(sleepers.get(topic) ?? [])];
    for (const end of ends) end();
    return ends.length > 0;
  };

  return { pause, wake };
}

/**
 * The store, with a wake-up after every write that somebody may be waiting for. Whoever waited goes first: who wrote goes on
 * in the next turn of the event loop, and by then those who were woken have looked and, as a rule, answered.
 */
export function wakingStore(store: EventStore, wakeups: Pick<Wakeups, "wake">): EventStore {
  const after = async <T>(written: Promise<T>, ...topics: readonly string[]): Promise<T> => {
    const outcome = await written;
    const woken = topics.filter((topic) => wakeups.wake(topic));
    if (woken.length > 0) await new Promise((resolve) => setImmediate(resolve));
    return outcome;
  };
  // A prototype chain and not a spread: the store may be a class instance.
  return Object.assign(Object.create(store) as EventStore, {
    putEvent: (record) => after(store.putEvent(record), eventsTopic(), eventsTopic(record.event.type)),
    createRequest: (request) => after(store.createRequest(request), request.eventId),
    acceptAnswer: (answer) => after(store.acceptAnswer(answer), answer.eventId),
    endRequest: (end) => after(store.endRequest(end), end.eventId),
    createDelivery: (delivery) => after(store.createDelivery(delivery), messagesTopic(delivery.subscriptionId)),
    replaceDelivery: (next, seenFence) => {
      // A message that was given back, or redriven: not one that somebody has just taken.
      const isVisible = next.state === "PENDING" && Date.parse(next.nextAttemptAt) <= Date.now();
      return after(store.replaceDelivery(next, seenFence), ...(isVisible ? [messagesTopic(next.subscriptionId)] : []));
    },
    noteProgress: (eventId) => after(store.noteProgress(eventId), eventId),
  } satisfies Partial<EventStore>);
}
