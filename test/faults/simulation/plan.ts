/** What the agents of a run will do, as data: so that parts of it can be left out while the rest stays the same. */
import { Random } from "./random.ts";
import { AGENTS, SLOTS } from "./setting.ts";

/** Kinds of operations, and how often each comes. */
const KINDS = {
  emit: 22,
  emitBatch: 5,
  ask: 18,
  /** The same key again, with the same payload or with another. */
  repeat: 6,
  resume: 4,
  cancel: 4,
  respond: 12,
  poll: 22,
  list: 5,
  show: 3,
  subscribe: 3,
  changeSubscription: 3,
  unsubscribe: 1,
  redrive: 3,
  trespass: 2,
};
export type OperationKind = keyof typeof KINDS;

export interface PlannedOperation {
  readonly number: number;
  readonly atMs: number;
  readonly agent: string;
  readonly kind: OperationKind;
  /** The number of an earlier operation that it is about, if it is about one. */
  readonly target: number;
}

/** Each slot is subscribed at the beginning, then the agents do this and that. */
export function drawPlan(seed: number, operations: number): PlannedOperation[] {
  const random = new Random(seed, "plan");
  const busyMs = random.pick([20, 150, 400, 1_000]);
  let atMs = 0;
  return Array.from({ length: operations }, (_, number) => {
    const slot = SLOTS[number];
    if (slot !== undefined)
      return { number, atMs: random.between(0, 500), agent: slot.owner, kind: "subscribe", target: number };
    atMs += random.between(0, 2 * busyMs);
    return {
      number,
      atMs: 500 + atMs,
      agent: random.pick(AGENTS),
      kind: random.weighted(KINDS),
      target: number - 1 - random.whole(0, Math.min(number - 1, 20)),
    };
  });
}
