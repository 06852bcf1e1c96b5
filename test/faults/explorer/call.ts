/** A call to a store or a bus in a model, and everything that may come of it. */
import type { Step } from "./explore.ts";

/** What a model has, so that calls can go wrong in it. */
export interface Faulty<Call extends string> {
  readonly faultsLeft: number;
  /** A call that its caller has given up, and that may still arrive. */
  readonly zombie: Call | "none";
}

/** What stands afterwards, and whether the condition held. A write that is refused reads what stands, consistently. */
export interface Outcome<State> {
  readonly state: State;
  readonly isWritten: boolean;
}

/** How it goes on, and what is told of it. */
export interface Next<State, News> {
  readonly to: State;
  readonly tells?: News | undefined;
}

/** Who calls, and what it does next. */
export interface Caller<State, News> {
  readonly name: string;
  /** With what stands afterwards. */
  readonly onAnswer: (state: State, isWritten: boolean) => Next<State, News>;
  /** When it gives up without an answer: it may have happened or not (I11). */
  readonly onNoAnswer: (state: State) => Next<State, News>;
}

export const withFault = <State extends Faulty<string>>(state: State): State => ({
  ...state,
  faultsLeft: state.faultsLeft - 1,
});

/**
 * The answer; or, while there are faults left: the call is lost, its acknowledgement is, or it hangs. One that goes wrong
 * is made again at once, which leads to what stands before it or after it, or is given up.
 */
export function stepsOfCall<Call extends string, State extends Faulty<Call>, News>(
  state: State,
  call: Call,
  carryOut: (state: State, call: Call) => Outcome<State>,
  { name, onAnswer, onNoAnswer }: Caller<State, News>,
): Step<State, News>[] {
  const done = carryOut(state, call);
  const steps: Step<State, News>[] = [{ name, happens: "surely", ...onAnswer(done.state, done.isWritten) }];
  if (state.faultsLeft === 0) return steps;
  const before = withFault(state);
  const after = withFault(done.state);
  steps.push(
    { name, fault: "but the call is lost, and it gives up", happens: "perhaps", ...onNoAnswer(before) },
    { name, fault: "but the acknowledgement is lost, and it calls again", happens: "perhaps", to: after },
    { name, fault: "but the acknowledgement is lost, and it gives up", happens: "perhaps", ...onNoAnswer(after) },
  );
  if (state.zombie !== "none") return steps;
  const hanging = { ...before, zombie: call };
  steps.push(
    { name, fault: "but the call hangs, and it calls again", happens: "perhaps", to: hanging },
    { name, fault: "but the call hangs, and it gives up", happens: "perhaps", ...onNoAnswer(hanging) },
  );
  return steps;
}

/** A call that hung arrives after all; or it never does. */
export function zombieSteps<Call extends string, State extends Faulty<Call>, News>(
  state: State,
  carryOut: (state: State, call: Call) => Outcome<State>,
): Step<State, News>[] {
  const { zombie } = state;
  if (zombie === "none") return [];
  const { state: to } = carryOut({ ...state, zombie: "none" }, zombie);
  return [{ name: `the call that hung, "${zombie}", arrives`, happens: "perhaps", to }];
}
