/** What only this run can tell: the effects that its own subscribers have, beside the invariants of the protocol. */
import type { Violation } from "../checker.ts";
import type { FinalState } from "../final-state.ts";
import type { Call } from "../history.ts";
import { groupBy } from "../judged.ts";

export function moreViolations(calls: readonly Call[], state: FinalState): Violation[] {
  return [...followUpsOnce(state), ...loopsEnd(state), ...racersTold(calls)];
}

/** I5: what a subscriber emits for an event it emits once, however often it gets the event. */
function followUpsOnce({ events }: FinalState): Violation[] {
  const emitted = events.filter(({ event }) => ["CHAOS_FOLLOW_UP", "CHAOS_TICK", "CHAOS_TOCK"].includes(event.type));
  const byCause = groupBy(
    emitted.filter(({ event }) => event.causation_id !== undefined),
    ({ event }) => event.causation_id ?? "",
  );
  return [...byCause].flatMap(([cause, all]) =>
    all.length === 1
      ? []
      : [{ invariant: "I5" as const, what: `a subscriber answered event ${cause} with ${all.length} events` }],
  );
}

/** I10: who answers each other's events for ever is stopped after 16 hops, and not before. */
function loopsEnd({ events, deliveries }: FinalState): Violation[] {
  const ticks = events.filter(({ event }) => event.type === "CHAOS_TICK" || event.type === "CHAOS_TOCK");
  return [...groupBy(ticks, ({ event }) => event.correlation_id)].flatMap(([conversation, all]) => {
    const hops = all.map(({ event }) => event.hops);
    // A delivery that died ends its loop early.
    const isCutShort = all.some(({ event }) =>
      deliveries.some((one) => one.eventId === event.id && one.state !== "DELIVERED"),
    );
    return Math.max(...hops) === 16 || isCutShort
      ? []
      : [{ invariant: "I10" as const, what: `loop ${conversation} ended after ${Math.max(...hops)} hops` }];
  });
}

/** I5: those who use one key at the same moment are all told of the same event, and only one that it is new. */
function racersTold(calls: readonly Call[]): Violation[] {
  const races = calls.filter((call) => call.operation === "emit" && /race \d+$/.test(call.input.marker));
  return [...groupBy(races, (call) => ("marker" in call.input ? call.input.marker : ""))].flatMap(([marker, all]) => {
    const told = all.flatMap(({ operation, outcome }) =>
      operation === "emit" && outcome.kind === "ok" && "replayed" in outcome.answer ? [outcome.answer] : [],
    );
    const fresh = told.filter((receipt) => "replayed" in receipt && !receipt.replayed);
    return fresh.length > 1
      ? [{ invariant: "I5" as const, what: `${marker} was told to be new ${fresh.length} times` }]
      : [];
  });
}
