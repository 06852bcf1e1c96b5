/** The protocol of a delivery as a model for the explorer. */
import type { Model } from "../explore.ts";
import { dispatchSteps, ownerSteps, reconcilerSteps, workerSteps } from "./actors.ts";
import { zombieSteps } from "./calls.ts";
import { INVARIANTS } from "./invariants.ts";
import { initialState, keyOf, type News, type State } from "./state.ts";
import type { Variant } from "./variants.ts";

/** @param faults how many things may go wrong on the way to any state */
export function deliveryModel(variant: Variant, faults: number): Model<State, News> {
  return {
    initial: initialState(faults),
    keyOf,
    stepsFrom: (state) => [
      ...dispatchSteps(state, variant),
      ...workerSteps(state, 1, variant),
      ...workerSteps(state, 2, variant),
      ...reconcilerSteps(state, variant),
      ...ownerSteps(state, variant),
      ...zombieSteps(state, variant),
    ],
    invariants: INVARIANTS,
  };
}
