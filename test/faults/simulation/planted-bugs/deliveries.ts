/** Bugs in bringing events to their subscribers. */
import type { Deps, EventStore } from "../../../../shared/ports.ts";
import type { DeliveryRecord } from "../../../../shared/subscriptions/records.ts";
import { SimulatedDatabase } from "../database.ts";
import { DOMAIN } from "../domain.ts";
import { type PlantedBug, reconcileWithout, withStore } from "./planted-bug.ts";

class IgnoresFences extends SimulatedDatabase {
  override replaceDelivery(next: DeliveryRecord): Promise<boolean> {
    return super.replaceDelivery(next, this.fenceOf(next));
  }
}

export const DELIVERY_BUGS: readonly PlantedBug[] = [
  {
    name: "nobody looks after deliveries",
    breaks: ["I7"],
    plant: { domain: { reconcile: reconcileWithout("delivery") } },
  },
  {
    name: "nobody finishes what a change of a subscription began",
    breaks: ["I7"],
    plant: { domain: { reconcile: reconcileWithout("subscription") } },
  },
  {
    name: "a delivery is written whoever has taken it on since",
    breaks: ["I5", "I7"],
    plant: { database: (options) => new IgnoresFences(options) },
  },
  {
    name: "a dispatch that fails is not made again",
    breaks: ["I7"],
    plant: {
      domain: {
        dispatchEvent: (deps, event) => DOMAIN.dispatchEvent(deps, event).catch(() => ({ begun: 0 })),
      },
    },
  },
  {
    name: "who subscribes is never looked up again",
    breaks: ["I7"],
    plant: {
      domain: {
        dispatchEvent: (deps, event) => DOMAIN.dispatchEvent(withStillGeneration(deps), event),
      },
    },
  },
  {
    name: "a dead letter does not say why",
    breaks: ["I7"],
    plant: { domain: { recordDeadLetter: (deps, letter) => DOMAIN.recordDeadLetter(deps, { ...letter, reason: "" }) } },
  },
];

/** One store for each process, so that what is kept beside it is kept. */
const still = new WeakMap<EventStore, EventStore>();

function withStillGeneration<D extends Deps>(deps: D): D {
  const { store } = withStore(deps, { getGeneration: async () => 1 });
  const kept = still.get(deps.store) ?? store;
  still.set(deps.store, kept);
  return { ...deps, store: kept };
}
