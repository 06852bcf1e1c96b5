/** How a run is set up, and what is noted of it. */
import type { DatabaseOptions, SimulatedDatabase } from "./database.ts";
import type { Domain } from "./domain.ts";

export interface SimulationOptions {
  readonly seed: number;
  /** How many operations the agents begin. */
  readonly operations: number;
  /** Numbers of the operations to keep; the others are left out. */
  readonly onlyOperations?: ReadonlySet<number>;
  /** Ids of the faults that may happen; the others do not. */
  readonly onlyFaults?: ReadonlySet<string>;
  /** Parts of the domain to be replaced by broken ones. */
  readonly domain?: Partial<Domain>;
  /** A database that is broken in some way. */
  readonly database?: (options: DatabaseOptions) => SimulatedDatabase;
  /** False: nobody reconciles, not even when faults are over. */
  readonly reconciles?: boolean;
  /** Notes everything that happens. */
  readonly isTraced?: boolean;
}

export interface TraceLine {
  readonly atMs: number;
  readonly who: string;
  readonly what: string;
}
