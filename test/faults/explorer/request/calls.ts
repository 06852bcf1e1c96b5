/** What the calls do to the records and to the bus, as their conditions in `functions/runtime/dynamo/` say. */
import { type Caller, type Outcome, stepsOfCall as stepsOfAnyCall, zombieSteps as zombieStepsOf } from "../call.ts";
import {
  type AttemptNumber,
  attemptOf,
  type Call,
  type Ended,
  hasEnded,
  type News,
  type ResponderName,
  responderOf,
  type State,
  type Step,
  type Whose,
  withResponder,
} from "./state.ts";
import type { Variant } from "./variants.ts";

const written = (state: State): Outcome<State> => ({ state, isWritten: true });
const refused = (state: State): Outcome<State> => ({ state, isWritten: false });

function carryOut(state: State, call: Call, variant: Variant): Outcome<State> {
  switch (call) {
    case "open 1":
      return open(state, 1);
    case "open 2":
      return open(state, 2);
    case "record 1":
      return record(state, 1, variant);
    case "record 2":
      return record(state, 2, variant);
    case "publish 1":
      return publish(state, 1, attemptOf(state, 1).token);
    case "publish 2":
      return publish(state, 2, attemptOf(state, 2).token);
    case "publish what is recorded":
      return publish(state, state.event, state.eventToken);
    case "mark":
      return written(state.isMarked ? state : { ...state, isMarked: true });
    case "store A":
      return store(state, "A");
    case "store B":
      return store(state, "B");
    case "count A":
      return end(state, "answered by A", variant === "answer blindly");
    case "count B":
      return end(state, "answered by B", variant === "answer blindly");
    case "time out":
      return end(state, "timed out", variant === "time out without a condition");
    case "sweep":
      return end(state, "timed out", variant === "sweeper reads then writes");
    case "cancel":
      return end(state, "cancelled", variant === "cancel without a condition");
  }
}

function open(state: State, by: AttemptNumber): Outcome<State> {
  return state.request === "absent" ? written({ ...state, request: "pending", requestToken: by }) : refused(state);
}

/** A write that finds itself there counts as written: only its acknowledgement had been lost. */
function record(state: State, by: AttemptNumber, variant: Variant): Outcome<State> {
  if (state.event === by) return written(state);
  if (state.event !== 0 && variant !== "record without a condition") return refused(state);
  return written({ ...state, event: by, eventToken: attemptOf(state, by).token });
}

/** A rule brings a copy to every subscriber. */
function publish(state: State, published: Whose, publishedToken: Whose): Outcome<State> {
  const [a, b] = state.responders;
  const responders = [a.hasCopy ? a : { ...a, hasCopy: true }, b.hasCopy ? b : { ...b, hasCopy: true }] as const;
  return written({ ...state, published, publishedToken, responders });
}

function store(state: State, name: ResponderName): Outcome<State> {
  return responderOf(state, name).isStored ? refused(state) : written(withResponder(state, name, { isStored: true }));
}

/** I2: a request ends once, whoever tries. */
function end(state: State, how: Ended, isUnconditional: boolean): Outcome<State> {
  const isOpen = state.request === "pending" || (isUnconditional && hasEnded(state.request));
  return isOpen ? written({ ...state, request: how }) : refused(state);
}

/** Everything that may come of a call. */
export function stepsOfCall(state: State, call: Call, variant: Variant, caller: Caller<State, News>): Step[] {
  return stepsOfAnyCall(state, call, (before, made) => carryOut(before, made, variant), caller);
}

/** A call that hung arrives after all; or it never does. */
export function zombieSteps(variant: Variant): (state: State) => Step[] {
  return (state) => zombieStepsOf(state, (before, made: Call) => carryOut(before, made, variant));
}

/**
 * The state without a call that hangs and can do nothing any more: what its condition wants is gone, and does not come
 * back. It may as well not arrive.
 */
export function withoutSpentZombie(state: State, variant: Variant): State {
  if (state.zombie === "none") return state;
  const isSpent = carryOut(state, state.zombie, variant).state === state;
  return isSpent ? { ...state, zombie: "none" } : state;
}
