/**
 * The client's side: two attempts to ask with one key (`shared/request.ts`, `emit.ts`, `wait.ts`), and a cancellation
 * (`end-request.ts`). The second attempt may begin whenever the first has: a retry, or one that did not wait for it.
 */
import { withFault } from "../call.ts";
import { stepsOfCall } from "./calls.ts";
import {
  type AttemptNumber,
  type AttemptStep,
  attemptOf,
  hasEnded,
  type News,
  type Next,
  type State,
  type Step,
  withAttempt,
} from "./state.ts";
import type { Variant } from "./variants.ts";

/** The steps of an attempt, in their order. */
function orderOf(variant: Variant): readonly AttemptStep[] {
  switch (variant) {
    case "publish first":
      return ["opens", "publishes", "records", "waits"];
    case "request record after publish":
      return ["records", "publishes", "opens", "waits"];
    default:
      return ["opens", "records", "publishes", "waits"];
  }
}

/** @returns what an attempt can do next */
export function attemptSteps(number: AttemptNumber, variant: Variant): (state: State) => Step[] {
  const who = `attempt ${number}`;
  const order = orderOf(variant);
  const calls =
    number === 1 ? (["open 1", "record 1", "publish 1"] as const) : (["open 2", "record 2", "publish 2"] as const);

  const tells = (what: Extract<News, { to: AttemptNumber }>["what"]): News => ({ to: number, what });
  /** Who has recorded and published, or tried to, is told that its event will not be lost. */
  const goOn = (state: State, from: AttemptStep): Next => {
    const step = order[order.indexOf(from) + 1] as AttemptStep;
    const acknowledgedAt: AttemptStep = variant === "acknowledge early" ? "records" : "waits";
    return { to: withAttempt(state, number, { step }), tells: step === acknowledgedAt ? tells("accepted") : undefined };
  };
  const isOver = (state: State, what: Extract<News, { to: AttemptNumber }>["what"]): Next => ({
    to: withAttempt(state, number, { step: "over" }),
    tells: tells(what),
  });
  /** I11: nobody knows what has come of it. */
  const breaksOff = (state: State): Next =>
    isOver(state, variant === "take a lost acknowledgement for a failure" ? "failed" : "unknown");

  /** The request that stands decides the token; one that has ended is the outcome. */
  const opened = (state: State): Next => {
    if (hasEnded(state.request)) return isOver(state, state.request);
    const token = variant === "keep one's own token" ? number : state.requestToken;
    return goOn(withAttempt(state, number, { token }), "opens");
  };
  /** Who finds the event recorded by the other leaves it to him, and to the relay, to publish it. */
  const recorded = (state: State, isFresh: boolean): Next =>
    isFresh || order.indexOf("publishes") < order.indexOf("records")
      ? goOn(state, "records")
      : goOn(state, "publishes");
  const published = (state: State): Next => goOn(withAttempt(state, number, { isMarking: true }), "publishes");
  /** I3: not the clock tells the end of a wait but the record. */
  const timedOut = (state: State): Next => isOver(state, variant === "time out blindly" ? "timed out" : state.request);

  const mainSteps = (state: State): Step[] => {
    const { step } = attemptOf(state, number);
    switch (step) {
      case "not begun": {
        if (number === 2 && attemptOf(state, 1).step === "not begun") return [];
        const [first] = order;
        const to = withAttempt(state, number, { step: first as AttemptStep, token: number });
        return [{ name: `${who} begins`, happens: "perhaps", to }];
      }
      case "opens":
        return stepsOfCall(state, calls[0], variant, {
          name: `${who} opens the request`,
          onAnswer: opened,
          onNoAnswer: breaksOff,
        });
      case "records":
        return stepsOfCall(state, calls[1], variant, {
          name: `${who} records the event`,
          onAnswer: recorded,
          onNoAnswer: breaksOff,
        });
      case "publishes":
        return stepsOfCall(state, calls[2], variant, {
          name: `${who} publishes the event`,
          onAnswer: published,
          // A failed publication is not a failed emit: the relay sends it.
          onNoAnswer: (failed) => goOn(failed, "publishes"),
        });
      case "waits":
        return waitSteps(state);
      case "over":
        return [];
    }
  };

  const waitSteps = (state: State): Step[] => {
    const steps = stepsOfCall(state, "time out", variant, {
      name: `${who} ends the request at its deadline`,
      onAnswer: timedOut,
      onNoAnswer: breaksOff,
    });
    // It comes back, or another does, or nobody.
    steps.push({ name: `${who} is told to come back later`, happens: "perhaps", ...isOver(state, "accepted") });
    if (hasEnded(state.request))
      steps.push({ name: `${who} reads the request`, happens: "surely", ...isOver(state, state.request) });
    return steps;
  };

  const markSteps = (state: State): Step[] => {
    if (!attemptOf(state, number).isMarking) return [];
    const done = (next: State): Next => ({ to: withAttempt(next, number, { isMarking: false }) });
    // What fails here is caught up by the relay.
    return stepsOfCall(state, "mark", variant, {
      name: `${who} marks the event as published`,
      onAnswer: done,
      onNoAnswer: done,
    });
  };

  const crashSteps = (state: State): Step[] => {
    const { step, isMarking } = attemptOf(state, number);
    if (state.faultsLeft === 0 || step === "not begun" || (step === "over" && !isMarking)) return [];
    const crashed = withAttempt(withFault(state), number, { step: "over", isMarking: false });
    return [{ name: `${who} crashes`, happens: "perhaps", to: crashed, tells: tells("unknown") }];
  };

  return (state) => [...mainSteps(state), ...markSteps(state), ...crashSteps(state)];
}

/** @returns what the client can do to cancel the request, once */
export function cancellerSteps(variant: Variant): (state: State) => Step[] {
  const isDone = (state: State, what: Extract<News, { to: "canceller" }>["what"]): Next => ({
    to: { ...state, canceller: "done" },
    tells: { to: "canceller", what },
  });
  return (state) => {
    if (state.canceller === "done" || state.request === "absent") return [];
    const steps = stepsOfCall(state, "cancel", variant, {
      name: "the client cancels the request",
      onAnswer: (stands) => isDone(stands, stands.request),
      onNoAnswer: (failed) => isDone(failed, "unknown"),
    });
    return steps.map((step) => ({ ...step, happens: "perhaps" }));
  };
}
