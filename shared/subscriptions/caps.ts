/** How many subscriptions an agent may have, and a type: each event of the type is dispatched to all of them (I10). */
import { BusError } from "../errors.ts";
import type { Deps } from "../ports.ts";
import { type Cap, whileThereIsRoom } from "../room.ts";
import { isoAt } from "../time.ts";
import { countsUntil, type SubscriptionRecord } from "./records.ts";

/**
 * Writes a subscription, if there is room for what is new about it: itself, or some of its types.
 *
 * @throws BusError `limit_reached`
 */
export async function writeWithinCaps<T>(
  deps: Pick<Deps, "store" | "limits" | "now">,
  next: SubscriptionRecord,
  standing: SubscriptionRecord | null,
  write: () => Promise<T>,
): Promise<T> {
  const before = standing === null || standing.status === "deleted" ? null : standing;
  const newTypes = next.eventTypes.filter((type) => before?.eventTypes.includes(type) !== true);
  // One that has ended not long ago still has its place.
  const isCounted = standing !== null && countsUntil(standing) > isoAt(deps.now());
  const caps = [...(isCounted ? [] : [ofAgent(deps, next.owner)]), ...newTypes.map((type) => ofType(deps, type))];
  return caps.length === 0 ? write() : whileThereIsRoom(deps.store, caps, write);
}

function ofAgent({ store, limits, now }: Pick<Deps, "store" | "limits" | "now">, owner: string): Cap {
  const most = limits.subscriptionsPerAgent;
  return {
    of: `subscription ${owner}`,
    most,
    count: async () => (await store.countHeld("subscription", owner, isoAt(now()), most)).count,
    refusal: () =>
      new BusError(
        "limit_reached",
        `An agent may have ${most} subscriptions; one that has ended counts for a day more. A name that is used again is the same subscription.`,
        { errors: [{ pointer: "/name", detail: "the name of a subscription that is there was expected" }] },
      ),
  };
}

function ofType({ store, limits }: Pick<Deps, "store" | "limits">, eventType: string): Cap {
  const most = limits.subscriptionsPerType;
  return {
    of: `entry ${eventType}`,
    most,
    count: () => store.countEntries(eventType, most),
    refusal: () =>
      new BusError("limit_reached", `${eventType} has ${most} subscriptions, and may have no more.`, {
        errors: [{ pointer: "/event_types", detail: "types with room for another subscription were expected" }],
      }),
  };
}
