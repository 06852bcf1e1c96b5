/**
 * The key of a state: four characters, each with a part of the state as one number in mixed radix. The responders are
 * alike: states that differ only in which of them is called A are one.
 */
import type { Attempt, AttemptStep, Call, RequestState, Responder, ResponderName, State } from "./state.ts";

export function keyOf(state: State): string {
  const [first, second] = state.attempts;
  const a = responderNumber(state, state.responders[0], "A");
  const b = responderNumber(state, state.responders[1], "B");
  return String.fromCharCode(
    attemptNumber(first) * 36 + attemptNumber(second),
    a < b ? a * 64 + b : b * 64 + a,
    recordsNumber(state),
    othersNumber(state),
  );
}

function attemptNumber({ step, token, isMarking }: Attempt): number {
  return (ATTEMPT_STEP[step] * 3 + token) * 2 + Number(isMarking);
}

/** With what else in the state is about this responder. */
function responderNumber(
  { request, zombie }: State,
  { step, isStored, hasCopy }: Responder,
  name: ResponderName,
): number {
  const own = (Number(step === "counts") * 2 + Number(isStored)) * 2 + Number(hasCopy);
  const hasAnswered = request === `answered by ${name}`;
  const hangs = zombie === `store ${name}` ? 1 : zombie === `count ${name}` ? 2 : 0;
  return (own * 2 + Number(hasAnswered)) * 3 + hangs;
}

function recordsNumber(state: State): number {
  const { request, requestToken, event, eventToken, published, publishedToken, isMarked } = state;
  const tokens = ((requestToken * 3 + eventToken) * 3 + publishedToken) * 9 + event * 3 + published;
  return (REQUEST[request] * 243 + tokens) * 2 + Number(isMarked);
}

function othersNumber({ relay, sweeper, canceller, zombie, faultsLeft }: State): number {
  const actors = (RELAY[relay] * 2 + Number(sweeper === "writes")) * 2 + Number(canceller === "done");
  return (actors * 16 + ZOMBIE[zombie]) * 8 + faultsLeft;
}

const ATTEMPT_STEP: Readonly<Record<AttemptStep, number>> = {
  "not begun": 0,
  opens: 1,
  records: 2,
  publishes: 3,
  waits: 4,
  over: 5,
};

const REQUEST: Readonly<Record<RequestState, number>> = {
  absent: 0,
  pending: 1,
  "answered by A": 2,
  "answered by B": 2,
  "timed out": 3,
  cancelled: 4,
};

const RELAY: Readonly<Record<State["relay"], number>> = { idle: 0, publishes: 1, marks: 2 };

const ZOMBIE: Readonly<Record<Call | "none", number>> = {
  none: 0,
  "open 1": 1,
  "open 2": 2,
  "record 1": 3,
  "record 2": 4,
  "publish 1": 5,
  "publish 2": 6,
  "publish what is recorded": 7,
  mark: 8,
  "store A": 9,
  "store B": 9,
  "count A": 10,
  "count B": 10,
  "time out": 11,
  sweep: 12,
  cancel: 13,
};
