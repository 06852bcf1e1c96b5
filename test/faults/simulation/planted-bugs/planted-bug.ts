/** What a planted bug is, and what most of them are made of. */
import type { WorkKind } from "../../../../shared/keys.ts";
import type { Deps, EventPublisher, EventStore } from "../../../../shared/ports.ts";
import type { InvariantName } from "../../checker.ts";
import { DOMAIN, type Domain } from "../domain.ts";
import type { SimulationOptions } from "../options.ts";

export interface PlantedBug {
  /** What is done wrong. */
  readonly name: string;
  /** What it breaks; another invariant may be broken first. */
  readonly breaks: readonly InvariantName[];
  readonly plant: Pick<SimulationOptions, "domain" | "database">;
}

/** The same dependencies, with some methods of the store replaced. */
export function withStore<D extends Deps>(deps: D, change: Partial<EventStore>): D {
  const store = new Proxy(deps.store, {
    get: (target, name, receiver) => Reflect.get(name in change ? change : target, name, receiver),
  });
  return { ...deps, store };
}

export const withPublisher = <D extends Deps>(deps: D, publish: EventPublisher["publish"]): D => ({
  ...deps,
  publisher: { publish },
});

/** A reconciler that overlooks one kind of work. */
export const reconcileWithout = (kind: WorkKind): Domain["reconcile"] => {
  return (deps, options) => {
    const findDueWork: EventStore["findDueWork"] = async (of, before, limit) =>
      of === kind ? [] : deps.store.findDueWork(of, before, limit);
    return DOMAIN.reconcile(withStore(deps, { findDueWork }), options);
  };
};
