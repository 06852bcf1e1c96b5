/** A wait of the bus beside other ways to wait on AWS, and when one is better handed over. */
import { writeUnitsOf } from "../counted/tally.ts";
import * as footprints from "./footprints.ts";
import type { Load } from "./load.ts";
import { ASSUMED, PRICES } from "./prices-and-quotas.ts";
import { BUDGET_WEIGHT, shapeOf } from "./usage.ts";
import { readsUntilAnswer } from "./wait-reads.ts";

const MILLION = 1_000_000;

/** US dollars for a million questions, each answered after the same time. */
export interface WaitCost {
  readonly what: string;
  readonly dollars: number;
}

type Asked = Pick<Load, "dataBytes" | "waitMemoryMb">;

/** Holding a million calls for a second. */
export const holdingOf = (memoryMb: number): number => MILLION * (memoryMb / 1_024) * PRICES.lambdaDuration.value;

const readPrice = PRICES.dynamoReads.value;

/** What is paid while a wait is held: for the time, and for its reads. */
const heldCost = (memoryMb: number, heldMs: number, reads: number): number =>
  holdingOf(memoryMb) * (heldMs / 1_000) + reads * readPrice;

/** What a question takes whichever way it waits: two events' worth of writes, its publication and a call of each side. */
function besideWaiting({ dataBytes }: Asked): number {
  const shape = shapeOf({ dataBytes });
  const question = footprints.ask(shape, BUDGET_WEIGHT, { reads: 0, openWaits: 0, end: "answered" });
  const answer = footprints.answer(shape);
  const dollars = (units: number, price: number): number => units * price;
  return (
    dollars(writeUnitsOf(question) + writeUnitsOf(answer), PRICES.dynamoWrites.value) +
    dollars(question.readUnits + answer.readUnits, readPrice) +
    PRICES.eventBridgeEvents.value +
    2 * PRICES.lambdaInvocations.value
  );
}

/** A durable wait: its operations, what it writes, and the second call of its function. */
export function durableExtra({ dataBytes }: Pick<Asked, "dataBytes">): number {
  const { durableOperations, durableBytes } = ASSUMED;
  const gbWritten = (MILLION * (durableBytes.value + dataBytes)) / 1_000_000_000;
  return (
    durableOperations.value * PRICES.durableOperations.value +
    gbWritten * PRICES.durableWrites.value +
    PRICES.lambdaInvocations.value
  );
}

/** A wait with a task token: its transitions, and the call that brings the answer there. */
const taskTokenExtra = (): number => ASSUMED.transitions.value * PRICES.stepFunctions.value;

/** Coming back once, which is a call of its own with one read. */
export function comingBack(memoryMb: number): number {
  const ms = ASSUMED.ownMs.value + ASSUMED.dynamoMs.value;
  return PRICES.lambdaInvocations.value + heldCost(memoryMb, ms, 1);
}

/** The same question, waited for in different ways. */
export function waysToWait(asked: Asked, answerSeconds: number): readonly WaitCost[] {
  const answerMs = 1_000 * answerSeconds;
  const { reads, seenAtMs } = readsUntilAnswer(answerMs);
  const gapMs = ASSUMED.fixedGapMs.value;
  const polled = Math.ceil(answerMs / gapMs);
  const basis = besideWaiting(asked);
  const { waitMemoryMb } = asked;
  return [
    { what: "the bus", dollars: basis + heldCost(waitMemoryMb, seenAtMs, reads) },
    { what: `reading each ${gapMs} ms`, dollars: basis + heldCost(waitMemoryMb, polled * gapMs, polled) },
    { what: "a client that comes back once", dollars: basis + comingBack(waitMemoryMb) },
    { what: "a durable function", dollars: basis + durableExtra(asked) },
    { what: "Step Functions with a task token", dollars: basis + taskTokenExtra() },
  ];
}

export interface BreakEven {
  readonly memoryMb: number;
  /** From here on a durable function is cheaper: by what the held time costs alone, and with what its reads cost. */
  readonly durableSeconds: { readonly byTime: number; readonly withReads: number };
  /** Held for longer than this, a call costs more than coming back once more. */
  readonly comeBackSeconds: number;
}

export function breakEven(memoryMb: number, dataBytes: number): BreakEven {
  const durable = durableExtra({ dataBytes });
  const heldFor = (seconds: number): number => {
    const { reads } = readsUntilAnswer(1_000 * seconds);
    return heldCost(memoryMb, 1_000 * seconds, reads);
  };
  return {
    memoryMb,
    durableSeconds: {
      byTime: durable / holdingOf(memoryMb),
      withReads: firstOver((seconds) => heldFor(seconds) - durable, 3_600),
    },
    comeBackSeconds: comingBack(memoryMb) / holdingOf(memoryMb),
  };
}

/** Where something that grows is zero, to a hundredth; `most` when it is nowhere below. */
function firstOver(of: (seconds: number) => number, most: number): number {
  let low = 0;
  let high = most;
  while (high - low > 0.01) {
    const middle = (low + high) / 2;
    if (of(middle) < 0) low = middle;
    else high = middle;
  }
  return high;
}
