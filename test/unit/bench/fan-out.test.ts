import { expect, test } from "vitest";
import { type Counts, callsOf, sumOf, writeUnitsOf } from "../../../bench/counted/tally.ts";
import { fanOuts } from "../../../bench/p8-fan-out/fan-out.ts";

/** What each of so many subscribers takes, beyond what an event takes without any. */
async function forEach(kind: "queue" | "webhook", measure: (counts: Counts) => number): Promise<number[]> {
  const [none, ...some] = await fanOuts(kind, [0, 1, 10, 40], () => {});
  const of = (fanOut: typeof none): number =>
    fanOut === undefined ? Number.NaN : measure(sumOf([fanOut.emit, fanOut.dispatch, fanOut.delivery]));
  return some.map((fanOut) => (of(fanOut) - of(none)) / fanOut.subscribers);
}

test("each further subscriber that polls a queue takes as many calls and write units as the first", async () => {
  expect(await forEach("queue", callsOf)).toEqual([10, 10, 10]);
  expect(await forEach("queue", writeUnitsOf)).toEqual([8, 8, 8]);
});

test("each further webhook takes no more than the first: messages for ten of them go in one call", async () => {
  expect(await forEach("webhook", callsOf)).toEqual([7, 6.1, 6.1]);
  expect(await forEach("webhook", writeUnitsOf)).toEqual([7, 7, 7]);
});

test("who is deployed with the bus takes no calls at all, however many there are", async () => {
  const taken = await fanOuts("deployed", [0, 1, 40], () => {});
  expect(taken.map(({ emit, dispatch }) => [callsOf(emit), callsOf(dispatch)])).toEqual([
    [3, 1],
    [3, 1],
    [3, 1],
  ]);
});
