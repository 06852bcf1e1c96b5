/**
 * A request and all who are at it, as a state of the model: two attempts of one client with the same key, the records,
 * two responders, a relay, a sweeper, and who cancels.
 *
 * There is no time in it. Whatever a clock triggers may happen at any moment, which covers every clock, right or wrong.
 * Reads that only spare a write that would be refused are left out: the write's condition decides without them too.
 */
import type { Next as AnyNext, Faulty } from "../call.ts";
import type { Step as AnyStep } from "../explore.ts";

/** Whose random values something carries: those of the first or the second attempt, or nobody's yet. */
export type Whose = 0 | 1 | 2;
export type AttemptNumber = 1 | 2;
export type ResponderName = "A" | "B";

/** How a request has ended: none of these ever changes (I2). */
export type Ended = "answered by A" | "answered by B" | "timed out" | "cancelled";
export type RequestState = "absent" | "pending" | Ended;

export type AttemptStep = "not begun" | "opens" | "records" | "publishes" | "waits" | "over";

export interface Attempt {
  readonly step: AttemptStep;
  /** The reply token that it records the event with. */
  readonly token: Whose;
  /** It has published, and has still to mark the event. */
  readonly isMarking: boolean;
}

export interface Responder {
  /** `counts`: its answer is stored, and it has it counted. */
  readonly step: "idle" | "counts";
  readonly isStored: boolean;
  /** The event has been brought to it, and it is not done with it. Two copies at a time are one. */
  readonly hasCopy: boolean;
}

/** The conditional writes, and the publications, each with who makes it where that matters. */
export type Call =
  | "open 1"
  | "open 2"
  | "record 1"
  | "record 2"
  | "publish 1"
  | "publish 2"
  | "publish what is recorded"
  | "mark"
  | "store A"
  | "store B"
  | "count A"
  | "count B"
  | "time out"
  | "sweep"
  | "cancel";

export interface State extends Faulty<Call> {
  readonly request: RequestState;
  /** The attempt that opened it: its reply token. */
  readonly requestToken: Whose;
  /** The attempt whose draft is recorded. */
  readonly event: Whose;
  readonly eventToken: Whose;
  /** Out of the work index: the relay does not look at it any more. */
  readonly isMarked: boolean;
  /** Whose draft was published last, and with which token. */
  readonly published: Whose;
  readonly publishedToken: Whose;
  readonly attempts: readonly [Attempt, Attempt];
  readonly responders: readonly [Responder, Responder];
  readonly relay: "idle" | "marks" | "publishes";
  /** `writes`: only where it decides by what it has read. */
  readonly sweeper: "idle" | "writes";
  readonly canceller: "idle" | "done";
}

/** What somebody outside is told. `failed`: it has not happened, and will not. `refused`: there is nothing to answer. */
export type News =
  | { readonly to: AttemptNumber; readonly what: "accepted" | "failed" | "unknown" | RequestState }
  | { readonly to: ResponderName; readonly what: Verdict | "refused" }
  | { readonly to: "canceller"; readonly what: "unknown" | RequestState };
export type Verdict = "accepted" | "superseded" | "late" | "cancelled";

export type Step = AnyStep<State, News>;
export type Next = AnyNext<State, News>;

export function initialState(faults: number): State {
  const attempt: Attempt = { step: "not begun", token: 0, isMarking: false };
  const responder: Responder = { step: "idle", isStored: false, hasCopy: false };
  return {
    request: "absent",
    requestToken: 0,
    event: 0,
    eventToken: 0,
    isMarked: false,
    published: 0,
    publishedToken: 0,
    attempts: [attempt, attempt],
    responders: [responder, responder],
    relay: "idle",
    sweeper: "idle",
    canceller: "idle",
    zombie: "none",
    faultsLeft: faults,
  };
}

export const attemptOf = (state: State, number: AttemptNumber): Attempt => state.attempts[number - 1] as Attempt;

export function withAttempt(state: State, number: AttemptNumber, change: Partial<Attempt>): State {
  const [first, second] = state.attempts;
  return { ...state, attempts: number === 1 ? [{ ...first, ...change }, second] : [first, { ...second, ...change }] };
}

export const responderOf = ({ responders: [a, b] }: State, name: ResponderName): Responder => (name === "A" ? a : b);

export function withResponder(state: State, name: ResponderName, change: Partial<Responder>): State {
  const [a, b] = state.responders;
  return { ...state, responders: name === "A" ? [{ ...a, ...change }, b] : [a, { ...b, ...change }] };
}

export const hasEnded = (request: RequestState): request is Ended => request !== "absent" && request !== "pending";
