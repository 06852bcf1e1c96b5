/** A wait of the bus beside other ways to wait on AWS, and when one is better handed over. */
import { writeUnitsOf } from "../counted/tally.ts";
import * as footprints from "./footprints.ts";
import type { Load } from "./load.ts";
import { ASSUMED, PRICES } from "./prices-and-quotas.ts";
import { BUDGET_WEIGHT, shapeOf } from "./usage.ts";
import { readsUntilAnswer } from "./wait-reads.ts";
import { type Waits, waitsBy, waitsOf } from "./waits.ts";

const MILLION = 1_000_000;

/** What a million questions cost, and how much later than they were there their answers are told. */
export interface WaitCost {
  readonly what: string;
  /** US dollars. */
  readonly dollars: number;
  /** On average; null where it does not go by looking. */
  readonly delayMs: number | null;
}

type Asked = Pick<Load, "dataBytes" | "waitMemoryMb" | "answerSeconds" | "answerSpread" | "timeoutSeconds">;

/** Holding a million calls for a second. */
export const holdingOf = (memoryMb: number): number => MILLION * (memoryMb / 1_024) * PRICES.lambdaDuration.value;

const readPrice = PRICES.dynamoReads.value;

/** What is paid while a wait is held: for the time, and for its reads. */
const heldCost = (memoryMb: number, heldMs: number, reads: number): number =>
  holdingOf(memoryMb) * (heldMs / 1_000) + reads * readPrice;

/** What a question takes whichever way it waits: two events' worth of writes, its publication and a call of each side. */
function besideWaiting({ dataBytes }: Pick<Asked, "dataBytes">): number {
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

/** The same questions, waited for in different ways. */
export function waysToWait(asked: Asked): readonly WaitCost[] {
  const { waitMemoryMb } = asked;
  const basis = besideWaiting(asked);
  const held = (what: string, { heldMs, reads, delayMs }: Waits): WaitCost => ({
    what,
    dollars: basis + heldCost(waitMemoryMb, heldMs, reads),
    delayMs,
  });
  const elsewhere = (what: string, extra: number): WaitCost => ({ what, dollars: basis + extra, delayMs: null });
  const gapMs = ASSUMED.fixedGapMs.value;
  return [
    held("the bus, nothing known of the type", waitsOf({ ...asked, knownAnswers: 0 })),
    held(`the bus, ${KNOWN_ANSWERS} answers known`, waitsOf({ ...asked, knownAnswers: KNOWN_ANSWERS })),
    held(
      `reading each ${gapMs} ms`,
      waitsBy(asked, () => gapMs),
    ),
    elsewhere("a client that comes back once, when it is there", comingBack(waitMemoryMb)),
    elsewhere("a durable function", durableExtra(asked)),
    elsewhere("Step Functions with a task token", taskTokenExtra()),
  ];
}

/** As many as a type is well known by (goal P4). */
const KNOWN_ANSWERS = 200;

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
