import type { EventStore } from "../../shared/ports.ts";
import type { StoreUnderTest } from "./event-store.suite.ts";

/** A store whose clock a suite sets, for what is forgotten after a while. */
export interface ClockedStoreUnderTest extends Omit<StoreUnderTest, "open"> {
  /** @param now epoch milliseconds */
  open(now: () => number): Promise<EventStore>;
}
