/** A process that dies at a write of its store: that write and all after it fail, until the next process begins. */
import { BusError } from "../../shared/errors.ts";
import type { MemoryEventStore } from "./memory-event-store.ts";

const WRITES = [
  "putEvent",
  "replaceSubscription",
  "putEntry",
  "bumpGeneration",
  "createDelivery",
  "replaceDelivery",
  "putListener",
  "putResponse",
  "acceptAnswer",
] as const;

export interface Crash {
  /** How many writes were begun. */
  readonly writes: number;
  readonly happened: boolean;
  /** The next process begins: writes get through again. */
  over(): void;
}

/**
 * @param at the write at which it dies, from 1; Infinity only counts
 * @param fate whether that write itself still gets through, unacknowledged
 */
export function crashAt(store: MemoryEventStore, at: number, fate: "lost" | "written" = "lost"): Crash {
  const methods = store as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>;
  let writes = 0;
  for (const name of WRITES) {
    const write = methods[name]?.bind(store);
    if (write === undefined) throw new Error(`There is no write ${name}.`);
    methods[name] = async (...args) => {
      writes++;
      if (writes < at) return write(...args);
      if (writes === at && fate === "written") await write(...args);
      throw new BusError("unavailable", "The process died.");
    };
  }
  return {
    get writes() {
      return writes;
    },
    get happened() {
      return writes >= at;
    },
    over() {
      for (const name of WRITES) delete methods[name];
    },
  };
}
