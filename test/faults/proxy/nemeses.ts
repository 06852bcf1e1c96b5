/** What the proxy does to calls: the nemeses that stand between a client and its service (N1 to N10). */
import { setTimeout as sleep } from "node:timers/promises";
import { internalFailure, throttle } from "./aws-errors.ts";
import type { Exchange, Nemesis } from "./exchange.ts";
import { answeredInPart, failedEntries, unprocessedKeys } from "./partial.ts";

/** A stall ends when the client has given up, and at the latest after this; it is done all the same. */
const LONGEST_STALL_MS = 1_500;
const LONGEST_LATENCY_MS = 150;
/** How late a zombie is at most: late enough that the client has long tried again. */
const LONGEST_ZOMBIE_MS = 700;
/** A call that is to be overtaken waits for a later one for so long. */
const OVERTAKEN_MS = 150;
const LONGEST_BURST_CALLS = 8;

/** N1: never reaches the service. */
const dropped: Nemesis = async (exchange) => exchange.reset();

/** N2: done, and the client never hears of it. */
const acknowledgementLost: Nemesis = async (exchange) => {
  await exchange.forward();
  if (exchange.random.happens(0.5)) exchange.reset();
  else exchange.answer(internalFailure(exchange));
};

/** N3: done after the client has given up, and may have tried again. */
const zombie: Nemesis = async (exchange) => {
  const lateMs = exchange.random.between(1, LONGEST_ZOMBIE_MS);
  exchange.reset();
  await sleep(lateMs);
  await exchange.forward();
};

/** N4: reaches the service twice; the client hears of one of the two. */
const duplicated: Nemesis = async (exchange) => {
  const isFirstTold = exchange.random.happens(0.5);
  const first = await exchange.forward();
  const second = await exchange.forward();
  exchange.answer(isFirstTold ? first : second);
};

/** N5: a later call gets there first. */
const reordered: Nemesis = async (exchange) => {
  await exchange.overtaken(OVERTAKEN_MS);
  exchange.answer(await exchange.forward());
};

/** N6: refused, in the service's own words. */
const throttled: Nemesis = async (exchange) => exchange.answer(throttle(exchange));

/** N7: fails, and so do those that come next. */
const burst: Nemesis = async (exchange) => {
  exchange.beginBurst(exchange.random.between(2, LONGEST_BURST_CALLS));
  exchange.answer(internalFailure(exchange));
};

/** N8: takes its time. */
const delayed: Nemesis = async (exchange) => {
  await sleep(exchange.random.between(1, LONGEST_LATENCY_MS));
  exchange.answer(await exchange.forward());
};

/** N8: does not come back until the client has given up; it may be done by then, or be done after. */
const stalled: Nemesis = async (exchange) => {
  const isDoneBefore = exchange.random.happens(0.5);
  if (isDoneBefore) await exchange.forward();
  await exchange.clientGone(LONGEST_STALL_MS);
  exchange.reset();
  if (!isDoneBefore) await exchange.forward();
};

/** N9: some entries of PutEvents, or of a batch of messages, are not taken. */
const entriesFailed: Nemesis = (exchange) => answeredInPart(exchange, failedEntries);

/** N10: some keys of BatchGetItem are not read. */
const keysUnprocessed: Nemesis = (exchange) => answeredInPart(exchange, unprocessedKeys);

export const NEMESES = {
  dropped,
  acknowledgementLost,
  zombie,
  duplicated,
  reordered,
  throttled,
  burst,
  delayed,
  stalled,
  entriesFailed,
  keysUnprocessed,
} as const satisfies Readonly<Record<string, Nemesis>>;

export type NemesisName = keyof typeof NEMESES;

/** Its number in the list of goals. */
export const NUMBERS: Readonly<Record<NemesisName, string>> = {
  dropped: "N1",
  acknowledgementLost: "N2",
  zombie: "N3",
  duplicated: "N4",
  reordered: "N5",
  throttled: "N6",
  burst: "N7",
  delayed: "N8",
  stalled: "N8",
  entriesFailed: "N9",
  keysUnprocessed: "N10",
};

/** Whether a nemesis can do anything to a call: parts of an answer are missing only where there are parts. */
export function fits(nemesis: NemesisName, { service, operation }: Pick<Exchange, "service" | "operation">): boolean {
  if (nemesis === "keysUnprocessed") return operation === "BatchGetItem";
  if (nemesis === "entriesFailed")
    return (
      (service === "eventbridge" && operation === "PutEvents") || (service === "sqs" && operation.endsWith("Batch"))
    );
  return true;
}
