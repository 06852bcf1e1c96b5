/**
 * A responder (`shared/respond.ts`, `count-answer.ts`): it stores its answer and has it counted, under the same id
 * however often the event is brought to it.
 */
import { withFault } from "../call.ts";
import { stepsOfCall } from "./calls.ts";
import {
  type Ended,
  hasEnded,
  type Next,
  type RequestState,
  type ResponderName,
  responderOf,
  type State,
  type Step,
  type Verdict,
  withResponder,
} from "./state.ts";
import type { Variant } from "./variants.ts";

/** @returns what a responder can do next */
export function responderSteps(name: ResponderName, variant: Variant): (state: State) => Step[] {
  const who = `responder ${name}`;

  /** It is told, and done with its copy. */
  const isTold = (state: State, what: Verdict | "refused"): Next => ({
    to: withResponder(state, name, { step: "idle", hasCopy: false }),
    tells: { to: name, what },
  });
  /** It is not done with its copy, which comes again. */
  const breaksOff = (state: State): Next => ({ to: withResponder(state, name, { step: "idle" }) });

  const answerSteps = (state: State): Step[] => {
    const { request, requestToken, publishedToken } = state;
    if (request === "absent" || requestToken !== publishedToken) {
      return [{ name: `${who} answers the event`, happens: "surely", ...isTold(state, "refused") }];
    }
    if (variant === "drop late answers" && hasEnded(request))
      return [{ name: `${who} answers too late`, happens: "surely", ...isTold(state, verdictOf(name, request)) }];
    if (variant === "count before storing") return countSteps(state);
    return stepsOfCall(state, name === "A" ? "store A" : "store B", variant, {
      name: `${who} stores its answer`,
      onAnswer: (stored) => ({ to: withResponder(stored, name, { step: "counts" }) }),
      onNoAnswer: breaksOff,
    });
  };

  /** Refused, it reads what stands: its own answer may have been counted before. */
  const countSteps = (state: State): Step[] => {
    const steps = stepsOfCall(state, name === "A" ? "count A" : "count B", variant, {
      name: `${who} has its answer counted, if the request is open`,
      onAnswer: (stands) => isTold(stands, verdictOf(name, stands.request)),
      onNoAnswer: breaksOff,
    });
    if (variant === "let a clock decide")
      steps.push({
        name: `${who} finds the deadline passed by its clock`,
        happens: "surely",
        ...isTold(state, "late"),
      });
    return steps;
  };

  const faultSteps = (state: State): Step[] => {
    if (state.faultsLeft === 0) return [];
    const { step, hasCopy } = responderOf(state, name);
    const faulty = withFault(state);
    const steps: Step[] = [];
    if (step !== "idle") steps.push({ name: `${who} crashes`, happens: "perhaps", ...breaksOff(faulty) });
    if (state.published !== 0 && !hasCopy) {
      const to = withResponder(faulty, name, { hasCopy: true });
      steps.push({ name: `the event is brought to ${who} once more`, happens: "perhaps", to });
    }
    return steps;
  };

  return (state) => {
    const { step, hasCopy } = responderOf(state, name);
    if (step === "counts") return [...countSteps(state), ...faultSteps(state)];
    return hasCopy ? [...answerSteps(state), ...faultSteps(state)] : faultSteps(state);
  };
}

/** The verdict follows from the record alone (`shared/verdict.ts`). */
export function verdictOf(name: ResponderName, request: RequestState): Verdict {
  switch (request as Ended) {
    case "answered by A":
      return name === "A" ? "accepted" : "superseded";
    case "answered by B":
      return name === "B" ? "accepted" : "superseded";
    case "timed out":
      return "late";
    case "cancelled":
      return "cancelled";
  }
}
