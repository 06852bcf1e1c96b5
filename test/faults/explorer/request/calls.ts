/** What the calls do to the records and to the bus, as their conditions in `functions/runtime/dynamo/` say. */
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
  withFault,
  withResponder,
} from "./state.ts";
import type { Variant } from "./variants.ts";

/** What stands afterwards, and whether the condition held. A write that is refused reads what stands, consistently. */
interface Outcome {
  readonly state: State;
  readonly isWritten: boolean;
}

const written = (state: State): Outcome => ({ state, isWritten: true });
const refused = (state: State): Outcome => ({ state, isWritten: false });

function carryOut(state: State, call: Call, variant: Variant): Outcome {
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
      return written({ ...state, isMarked: true });
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

function open(state: State, by: AttemptNumber): Outcome {
  return state.request === "absent" ? written({ ...state, request: "pending", requestToken: by }) : refused(state);
}

/** A write that finds itself there counts as written: only its acknowledgement had been lost. */
function record(state: State, by: AttemptNumber, variant: Variant): Outcome {
  if (state.event === by) return written(state);
  if (state.event !== 0 && variant !== "record without a condition") return refused(state);
  return written({ ...state, event: by, eventToken: attemptOf(state, by).token });
}

/** A rule brings a copy to every subscriber. */
function publish(state: State, published: Whose, publishedToken: Whose): Outcome {
  const [a, b] = state.responders;
  const responders = [a.hasCopy ? a : { ...a, hasCopy: true }, b.hasCopy ? b : { ...b, hasCopy: true }] as const;
  return written({ ...state, published, publishedToken, responders });
}

function store(state: State, name: ResponderName): Outcome {
  return responderOf(state, name).isStored ? refused(state) : written(withResponder(state, name, { isStored: true }));
}

/** I2: a request ends once, whoever tries. */
function end(state: State, how: Ended, isUnconditional: boolean): Outcome {
  const isOpen = state.request === "pending" || (isUnconditional && hasEnded(state.request));
  return isOpen ? written({ ...state, request: how }) : refused(state);
}

/** Who calls, and what it does next. */
interface Caller {
  readonly name: string;
  /** With what stands afterwards. */
  readonly onAnswer: (state: State, isWritten: boolean) => Next;
  /** When it gives up without an answer: it may have happened or not (I11). */
  readonly onNoAnswer: (state: State) => Next;
}

/** How it goes on, and what is told of it. */
export interface Next {
  readonly to: State;
  readonly tells?: News | undefined;
}

/**
 * Everything that may come of a call. One that goes wrong is made again at once, which leads to what stands before it
 * or after it, or is given up.
 */
export function stepsOfCall(state: State, call: Call, variant: Variant, caller: Caller): Step[] {
  const { name, onAnswer, onNoAnswer } = caller;
  const done = carryOut(state, call, variant);
  const steps: Step[] = [{ name, happens: "surely", ...onAnswer(done.state, done.isWritten) }];
  if (state.faultsLeft === 0) return steps;
  const before = withFault(state);
  const after = withFault(done.state);
  steps.push(
    { name, fault: "but the call is lost, and it gives up", happens: "perhaps", ...onNoAnswer(before) },
    { name, fault: "but the acknowledgement is lost, and it calls again", happens: "perhaps", to: after },
    { name, fault: "but the acknowledgement is lost, and it gives up", happens: "perhaps", ...onNoAnswer(after) },
  );
  if (state.zombie !== "none") return steps;
  const hanging: State = { ...before, zombie: call };
  steps.push(
    { name, fault: "but the call hangs, and it calls again", happens: "perhaps", to: hanging },
    { name, fault: "but the call hangs, and it gives up", happens: "perhaps", ...onNoAnswer(hanging) },
  );
  return steps;
}

/** A call that hung arrives after all; or it never does. */
export function zombieSteps(variant: Variant): (state: State) => Step[] {
  return (state) => {
    if (state.zombie === "none") return [];
    const { state: to } = carryOut({ ...state, zombie: "none" }, state.zombie, variant);
    return [{ name: `the call that hung, "${state.zombie}", arrives`, happens: "perhaps", to }];
  };
}
