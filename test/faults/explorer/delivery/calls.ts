/** What the calls do to the record of a delivery: `shared/deliveries/delivery.ts`, each under its condition. */
import { type Caller, type Outcome, stepsOfCall as stepsOfAnyCall, zombieSteps as zombieStepsOf } from "../call.ts";
import { type Call, type Delivery, isLastReceive, type News, type State, type Step } from "./state.ts";
import type { Variant } from "./variants.ts";

const refused = (state: State): Outcome<State> => ({ state, isWritten: false });

const NEW_DELIVERY: Omit<Delivery, "fence"> = {
  state: "PENDING",
  doneWith: 0,
  attempts: 0,
  isHidden: false,
  hasReason: false,
  redrives: 0,
};

export function carryOut(state: State, call: Call, variant: Variant): Outcome<State> {
  const [what = "", fence = ""] = call.split(" ");
  const { delivery, nextFence } = state;
  /** The next record, with a fence of its own. */
  const write = (change: Partial<Delivery>, of = delivery ?? { ...NEW_DELIVERY, fence: 0 }): Outcome<State> => ({
    state: { ...state, delivery: { ...of, fence: nextFence, ...change }, nextFence: nextFence + 1 },
    isWritten: true,
  });
  if (what === "dispatch") {
    const isNew = delivery === null || variant === "dispatch over what is recorded";
    return isNew ? write(NEW_DELIVERY) : refused(state);
  }
  if (delivery === null) return refused(state);

  const seen = Number(fence);
  const isSeen = delivery.fence === seen;
  switch (what) {
    case "take":
      if (!isSeen && variant !== "take without a condition") return refused(state);
      return write({ attempts: delivery.attempts + 1, isHidden: true });
    case "acknowledge": {
      // Sent again, because its answer was lost, it finds what it wrote.
      const isDone = delivery.state === "DELIVERED" && delivery.doneWith === seen;
      if (isDone && variant !== "an acknowledgement cannot be repeated") return { state, isWritten: true };
      const isOwn = delivery.state === "PENDING" && isSeen;
      if (!isOwn && variant !== "acknowledge without a fence") return refused(state);
      if (variant === "delete the record once it is done")
        return { state: { ...state, delivery: null }, isWritten: true };
      return write({ state: "DELIVERED", doneWith: seen, isHidden: false });
    }
    case "return": {
      const isOwn = delivery.state === "PENDING" && isSeen;
      if (!isOwn && variant !== "give back without a fence") return refused(state);
      if (isLastReceive(delivery)) return write({ state: "DEAD", hasReason: true, isHidden: false });
      return write({ state: "PENDING", isHidden: false });
    }
    case "bury":
      if (!isSeen && variant !== "reconciler reads then writes") return refused(state);
      return write({ state: "DEAD", hasReason: variant !== "dead without a reason", isHidden: false });
    case "redrive": {
      if (!isSeen && variant !== "redrive without a condition") return refused(state);
      return write({ ...NEW_DELIVERY, redrives: delivery.redrives + 1 });
    }
    default:
      throw new Error(`unknown: ${call}`);
  }
}

/** Everything that may come of a call. */
export function stepsOfCall(state: State, call: Call, variant: Variant, caller: Caller<State, News>): Step[] {
  return stepsOfAnyCall(state, call, (before, made) => carryOut(before, made, variant), caller);
}

export const zombieSteps = (state: State, variant: Variant): Step[] =>
  zombieStepsOf(state, (before, made: Call) => carryOut(before, made, variant));
