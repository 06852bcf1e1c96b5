/** The event bus of the embedded run: what EventBridge's rules do, in process. */

import type { DeployedSubscriber } from "../shared/deployed-subscriber.ts";
import type { DeliveredEvent } from "../shared/event.ts";
import type { EventPublisher } from "../shared/ports.ts";
import { wantsEvent } from "../shared/subscribers.ts";

/** Takes deliveries on; once it returns they outlive a crash. @throws when it cannot */
export type AcceptDeliveries = (deliveries: readonly { subscriber: string; event: DeliveredEvent }[]) => void;

/** Takes events on for run-time subscriptions; once it returns they outlive a crash. @throws when it cannot */
export type AcceptEvents = (events: readonly DeliveredEvent[]) => void;

/** Hands each event to the deployed subscribers whose types and filter it fits, and to the dispatcher. */
export function createLocalPublisher(
  subscribers: readonly DeployedSubscriber[],
  accept: AcceptDeliveries,
  dispatch: AcceptEvents,
): EventPublisher {
  return {
    async publish(events) {
      try {
        accept(
          events.flatMap((event) =>
            subscribers
              .filter((subscriber) => wantsEvent(subscriber, event))
              .map(({ name }) => ({ subscriber: name, event })),
          ),
        );
        dispatch(events);
        return events.map(() => ({ kind: "published" }));
      } catch (error) {
        return events.map(() => ({ kind: "failed", reason: (error as Error).message }));
      }
    },
  };
}
