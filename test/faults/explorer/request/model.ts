/** The protocol of a request as a model for the explorer. */
import type { Model } from "../explore.ts";
import { relaySteps, sweeperSteps } from "./background.ts";
import { withoutSpentZombie, zombieSteps } from "./calls.ts";
import { attemptSteps, cancellerSteps } from "./client.ts";
import { INVARIANTS } from "./invariants.ts";
import { keyOf } from "./key.ts";
import { responderSteps } from "./responder.ts";
import { initialState, type News, type State, type Step } from "./state.ts";
import type { Variant } from "./variants.ts";

/** @param faults how many things may go wrong on the way to any state */
export function requestModel(variant: Variant, faults: number): Model<State, News> {
  const actors = [
    attemptSteps(1, variant),
    attemptSteps(2, variant),
    cancellerSteps(variant),
    responderSteps("A", variant),
    responderSteps("B", variant),
    relaySteps(variant),
    sweeperSteps(variant),
    zombieSteps(variant),
  ];
  const withoutSpent = (step: Step): Step => {
    const to = withoutSpentZombie(step.to, variant);
    return to === step.to ? step : { ...step, to };
  };
  return {
    initial: initialState(faults),
    keyOf,
    stepsFrom: (state) => actors.flatMap((steps) => steps(state)).map(withoutSpent),
    invariants: INVARIANTS,
  };
}
