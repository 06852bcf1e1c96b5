/** Waiting until nothing is left to be done: by the store's own index of what is due, with the clock moved on for it. */
import { setTimeout as sleep } from "node:timers/promises";
import { createDynamoEventStore } from "../../../functions/runtime/dynamo-event-store.ts";
import { embeddedCalls, TABLE_NAME } from "../../../local/table.ts";
import type { EventStore } from "../../../shared/ports.ts";
import type { BusUnderTest } from "./bus-under-test.ts";

/** After every instant that anything is due at. */
const LAST = "9999";
/** Bus time that passes in one step: to a webhook's next attempt, however far away it is. */
const STEP_MS = 10.1 * 3_600_000;
/** A deadline, its grace of 60 s, and what a relay leaves to its emitter. */
const FIRST_STEP_MS = 80_000;
/** How long of real time it may take. A webhook that says nothing takes 15 s at each of 8 attempts. */
const PATIENCE_MS = 240_000;
const POLL_MS = 250;
/** Real time from one step of the clock to the next: the reconciler has to run in between. */
const STEP_EVERY_MS = 2_000;

export interface Quiet {
  /** Bus time from the end of the faults until no event was unpublished, and no request open past its deadline. */
  readonly publishedAfterMs: number;
  readonly endedAfterMs: number;
}

export interface QuietOptions {
  readonly queues: readonly string[];
  readonly print: (line: string) => void;
}

/** What is still to be done. */
interface Left {
  readonly unpublished: number;
  readonly open: number;
  readonly messages: number;
  /** Of these, such as can be taken now. */
  readonly visible: number;
  readonly webhooks: number;
}

/** @throws Error that says what is left, when patience is over */
export async function untilQuiet(bus: BusUnderTest, { queues, print }: QuietOptions): Promise<Quiet> {
  const { offsetMs } = bus;
  const calls = embeddedCalls(bus.storeEndpoint);
  const store = createDynamoEventStore({ calls, tableName: TABLE_NAME });
  const startedAt = performance.now();
  const elapsed = (): number => Math.round(performance.now() - startedAt + ahead - offsetMs);
  let ahead = offsetMs;
  let publishedAfterMs: number | null = null;
  let endedAfterMs: number | null = null;
  let steppedAt = startedAt;
  try {
    for (;;) {
      const { visible, ...left } = await whatIsLeft(store, queues, new Date(Date.now() + ahead).toISOString());
      if (left.unpublished === 0) publishedAfterMs ??= elapsed();
      if (left.open === 0) endedAfterMs ??= elapsed();
      if (Object.values(left).every((count) => count === 0) && publishedAfterMs !== null && endedAfterMs !== null)
        return { publishedAfterMs, endedAfterMs };
      if (performance.now() - startedAt > PATIENCE_MS)
        throw new Error(`It does not become quiet: ${JSON.stringify(left)} are left.`);
      // Who polls takes what is visible in his own time; what only waits for the clock gets it.
      const isDue = visible === 0 && performance.now() - steppedAt > STEP_EVERY_MS;
      if (isDue) {
        const isFirst = ahead === offsetMs;
        ahead += isFirst ? FIRST_STEP_MS : left.webhooks > 0 && left.unpublished + left.open === 0 ? STEP_MS : 60_000;
        steppedAt = performance.now();
        bus.moveClock(ahead);
        print(`not quiet yet, ${JSON.stringify(left)}; the clock goes on to ${Math.round(ahead / 1_000)} s ahead`);
      }
      await sleep(POLL_MS);
    }
  } finally {
    calls.close();
  }
}

/** @param now the bus's, in ISO 8601 */
async function whatIsLeft(store: EventStore, queues: readonly string[], now: string): Promise<Left> {
  const visible = await Promise.all(queues.map((id) => store.findMessages(id, now, 1_000)));
  const [unpublished, open, webhooks, ...messages] = await Promise.all([
    store.findDueWork("publish", LAST, 1_000),
    store.findDueWork("deadline", LAST, 1_000),
    store.findDueWork("delivery", LAST, 1_000),
    ...queues.map((id) => store.findMessages(id, LAST, 1_000)),
  ]);
  return {
    unpublished: unpublished.length,
    open: open.length,
    webhooks: webhooks.length,
    messages: messages.reduce((sum, ids) => sum + ids.length, 0),
    visible: visible.reduce((sum, ids) => sum + ids.length, 0),
  };
}
