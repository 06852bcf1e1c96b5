/**
 * Judges a run: the calls that were made and what the bus has recorded in the end, against the invariants of the
 * protocol (I1 to I11). To be called when all is quiet: faults have stopped, and the reconciler has run since.
 */
import type { FinalState, RunFacts } from "./final-state.ts";
import type { Call } from "./history.ts";
import { acknowledgedEventsAreKept } from "./invariants/i01-events-kept.ts";
import { requestsEndOnce } from "./invariants/i02-one-end.ts";
import { waitersAreToldTheRecord } from "./invariants/i03-told-the-record.ts";
import { responsesAreKept } from "./invariants/i04-responses-kept.ts";
import { keysHaveOneEffect } from "./invariants/i05-one-effect.ts";
import { nothingStaysPending } from "./invariants/i06-nothing-pending.ts";
import { deliveriesEnd } from "./invariants/i07-deliveries-end.ts";
import { historyIsComplete } from "./invariants/i08-history-complete.ts";
import { nobodyLooksInto } from "./invariants/i09-own-only.ts";
import { effortIsBounded } from "./invariants/i10-bounded.ts";
import { failuresHaveNoEffect } from "./invariants/i11-unknown-is-unknown.ts";
import { Judged } from "./judged.ts";

export type InvariantName = "I1" | "I2" | "I3" | "I4" | "I5" | "I6" | "I7" | "I8" | "I9" | "I10" | "I11";

export interface Violation {
  readonly invariant: InvariantName;
  /** What is wrong, in words, with the ids of what it is about. */
  readonly what: string;
}

/** Says what is wrong with a run, in sentences; nothing when all is well. */
export type Invariant = (run: Judged) => string[];

const INVARIANTS: Readonly<Record<InvariantName, Invariant>> = {
  I1: acknowledgedEventsAreKept,
  I2: requestsEndOnce,
  I3: waitersAreToldTheRecord,
  I4: responsesAreKept,
  I5: keysHaveOneEffect,
  I6: nothingStaysPending,
  I7: deliveriesEnd,
  I8: historyIsComplete,
  I9: nobodyLooksInto,
  I10: effortIsBounded,
  I11: failuresHaveNoEffect,
};

/** All violations of a run, by invariant; none when it kept what the protocol promises. */
export function checkRun(calls: readonly Call[], state: FinalState, facts: RunFacts): Violation[] {
  const run = new Judged(calls, state, facts);
  return (Object.entries(INVARIANTS) as [InvariantName, Invariant][]).flatMap(([invariant, check]) =>
    check(run).map((what) => ({ invariant, what })),
  );
}
