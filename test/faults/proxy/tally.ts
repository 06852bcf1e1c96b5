/** How often what happened to which operation. */
import type { NemesisName } from "./nemeses.ts";

/** `calls`: as they came from clients; `forwarded`: as they reached the service. */
export type Counted = NemesisName | "calls" | "forwarded";

export interface Tally {
  note(operation: string, counted: Counted): void;
  /** Of one operation, or of all. */
  of(counted: Counted, operation?: string): number;
  readonly operations: readonly string[];
}

export function createTally(): Tally {
  const counts = new Map<string, Map<Counted, number>>();
  return {
    note(operation, counted) {
      const ofOperation = counts.get(operation) ?? new Map<Counted, number>();
      counts.set(operation, ofOperation);
      ofOperation.set(counted, (ofOperation.get(counted) ?? 0) + 1);
    },
    of(counted, operation) {
      const wanted = operation === undefined ? [...counts.values()] : [counts.get(operation)];
      return wanted.reduce((sum, one) => sum + (one?.get(counted) ?? 0), 0);
    },
    get operations() {
      return [...counts.keys()].sort();
    },
  };
}
