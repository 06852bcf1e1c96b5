/** Which nemeses are about, and how strong: a few at a time, every one of them in its turn, with calm spells between. */
import { setTimeout as sleep } from "node:timers/promises";
import type { FaultProxy, Rates } from "../proxy/fault-proxy.ts";
import { fits, NEMESES, type NemesisName } from "../proxy/nemeses.ts";
import type { Seeded } from "../proxy/seeded.ts";

/** A spell of weather. */
const SHORTEST_MS = 300;
const LONGEST_MS = 900;
/** Each nemesis that is about hits 5 to 20 % of the calls. */
const LEAST_PERCENT = 5;
const MOST_PERCENT = 20;
const CALM = 0.15;

/** Of those that the store can meet. */
const NAMES = (Object.keys(NEMESES) as NemesisName[]).filter(
  (name) => fits(name, { service: "dynamodb", operation: "BatchGetItem" }) && name !== "entriesFailed",
);

/** Blows until the signal aborts; then all is calm. */
export async function blow(proxy: FaultProxy, random: Seeded, signal: AbortSignal): Promise<void> {
  for (let waiting: NemesisName[] = []; !signal.aborted; ) {
    const rates: Partial<Record<NemesisName, number>> = {};
    if (!random.happens(CALM))
      for (let about = random.between(1, 3); about > 0; about--) {
        if (waiting.length === 0) waiting = shuffled(NAMES, random);
        rates[waiting.pop() as NemesisName] = random.between(LEAST_PERCENT, MOST_PERCENT) / 100;
      }
    proxy.setRates(rates satisfies Rates);
    await sleep(random.between(SHORTEST_MS, LONGEST_MS), undefined, { signal }).catch(() => undefined);
  }
  proxy.setRates({});
}

function shuffled<T>(items: readonly T[], random: Seeded): T[] {
  return items
    .map((item) => ({ item, place: random.next() }))
    .sort((a, b) => a.place - b.place)
    .map(({ item }) => item);
}
