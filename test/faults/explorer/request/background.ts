/**
 * What runs each minute (`shared/reconcile.ts`): the relay publishes what is recorded and not marked, the sweeper ends
 * what nobody ended. The relay's lease is left out: it only spares duplicates.
 */
import { withFault } from "../call.ts";
import { stepsOfCall } from "./calls.ts";
import type { Next, State, Step } from "./state.ts";
import type { Variant } from "./variants.ts";

/** @returns what the relay can do next */
export function relaySteps(variant: Variant): (state: State) => Step[] {
  const [first, second] =
    variant === "relay marks before it publishes"
      ? (["marks", "publishes"] as const)
      : (["publishes", "marks"] as const);
  const breaksOff = (state: State): Next => ({ to: { ...state, relay: "idle" } });

  return (state) => {
    if (variant === "no relay") return [];
    const isDue = state.event !== 0 && !state.isMarked;
    const step = state.relay === "idle" && isDue ? first : state.relay;
    if (step === "idle") return [];
    const steps = stepsOfCall(state, step === "marks" ? "mark" : "publish what is recorded", variant, {
      name: step === "marks" ? "the relay marks the event as published" : "the relay publishes the event",
      onAnswer: (done) => ({
        to: { ...done, relay: step === first && variant !== "relay never marks" ? second : "idle" },
      }),
      onNoAnswer: breaksOff,
    });
    if (state.relay !== "idle" && state.faultsLeft > 0)
      steps.push({ name: "the relay crashes", happens: "perhaps", ...breaksOff(withFault(state)) });
    return steps;
  };
}

/** @returns what the sweeper can do next */
export function sweeperSteps(variant: Variant): (state: State) => Step[] {
  const isDone = (state: State): Next => ({ to: { ...state, sweeper: "idle" } });
  return (state) => {
    if (variant === "no sweeper") return [];
    const isDue = state.request === "pending";
    if (variant === "sweeper reads then writes" && state.sweeper === "idle")
      return isDue
        ? [
            {
              name: "the sweeper reads that the request is open",
              happens: "surely",
              to: { ...state, sweeper: "writes" },
            },
          ]
        : [];
    if (!isDue && state.sweeper === "idle") return [];
    return stepsOfCall(state, "sweep", variant, {
      name: "the sweeper ends the request",
      onAnswer: isDone,
      onNoAnswer: isDone,
    });
  };
}
