/**
 * One event on its way to one pull queue, as a state of the model: dispatch, the record of the delivery, two workers, the
 * reconciler, and who redrives. A webhook's worker makes the same writes: it takes a delivery on, and writes down what
 * came of it.
 *
 * There is no time in it: what is hidden may become visible, and its last receive be over, at any moment.
 */
import type { Next as AnyNext, Faulty } from "../call.ts";
import type { Step as AnyStep } from "../explore.ts";

/** A message is dead after so many receives. */
export const MAX_ATTEMPTS = 2;
/** The owner redrives it so often. */
export const MAX_REDRIVES = 1;

/** The record of the delivery. Whoever writes it must have seen the fence of the write before. */
export interface Delivery {
  readonly state: "PENDING" | "DELIVERED" | "DEAD";
  readonly fence: number;
  /** The receipt that it was acknowledged with. */
  readonly doneWith: number;
  readonly attempts: number;
  readonly isHidden: boolean;
  readonly hasReason: boolean;
  readonly redrives: number;
}

export type WorkerNumber = 1 | 2;

export interface Worker {
  readonly step: "idle" | "takes" | "works" | "acknowledges" | "gives back";
  /** The fence that it has read, or the receipt that it has got. */
  readonly fence: number;
}

/** The conditional writes, each with the fence that whoever makes it has seen. */
export type Call =
  | "dispatch"
  | `take ${number}`
  | `acknowledge ${number}`
  | `return ${number}`
  | `bury ${number}`
  | `redrive ${number}`;

export interface State extends Faulty<Call> {
  /** The event waits to be dispatched. */
  readonly isToDispatch: boolean;
  /** Null until it is dispatched. */
  readonly delivery: Delivery | null;
  readonly workers: readonly [Worker, Worker];
  /** The fence that the reconciler has seen of a message whose last receive is over. */
  readonly reconcilerSaw: number | null;
  /** The fence that the owner has seen of a message that is dead. */
  readonly ownerSaw: number | null;
  /** Random in the product; here the next number. */
  readonly nextFence: number;
}

/** What a worker is told of its receipt, that it acknowledged or gave back. */
export interface News {
  readonly of: "acknowledge" | "give back";
  readonly receipt: number;
  readonly what: "ok" | "expired";
}

export type Step = AnyStep<State, News>;
export type Next = AnyNext<State, News>;

export const initialState = (faults: number): State => ({
  isToDispatch: true,
  delivery: null,
  workers: [
    { step: "idle", fence: 0 },
    { step: "idle", fence: 0 },
  ],
  reconcilerSaw: null,
  ownerSaw: null,
  nextFence: 1,
  zombie: "none",
  faultsLeft: faults,
});

export function withWorker(state: State, number: WorkerNumber, change: Partial<Worker>): State {
  const [first, second] = state.workers;
  return { ...state, workers: number === 1 ? [{ ...first, ...change }, second] : [first, { ...second, ...change }] };
}

export const isLastReceive = ({ attempts }: Delivery): boolean => attempts === MAX_ATTEMPTS;

/** The workers are alike: states that differ only in which of them is the first are one. */
export function keyOf({ workers, delivery, ...rest }: State): string {
  const places = workers.map(({ step, fence }) => `${step} ${fence}`).sort();
  const record = delivery === null ? [] : Object.values(delivery);
  return [...places, ...record, ...Object.values(rest)].join("|");
}
