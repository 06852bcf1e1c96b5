import { afterAll } from "vitest";
import { sdkCallsAt } from "../support/aws-clients.ts";
import { openEmbeddedStore } from "../support/embedded-store.ts";
import { MemoryEventStore } from "../support/memory-event-store.ts";
import { agentStoreContract } from "./agents.suite.ts";
import type { ClockedStoreUnderTest } from "./clocked-store.ts";
import { deliveryStoreContract } from "./deliveries.suite.ts";
import { eventStoreContract } from "./event-store.suite.ts";
import { heldContract } from "./held.suite.ts";
import { subscriptionStoreContract } from "./subscriptions.suite.ts";

const closing: (() => Promise<void>)[] = [];
afterAll(async () => {
  for (const close of closing) await close();
});

const IN_MEMORY: ClockedStoreUnderTest = {
  name: "in memory, which simulations use",
  open: async (now) => new MemoryEventStore(now),
};

const EMBEDDED: ClockedStoreUnderTest = {
  name: "of the embedded run",
  open: async (now) => {
    const { store, close } = await openEmbeddedStore(now);
    closing.push(close);
    return store;
  },
};

/** The lean clients speak to the embedded store in any case. */
const BY_SDK: ClockedStoreUnderTest = {
  name: "of the embedded run, called by the SDK's clients",
  open: async (now) => {
    const { store, close } = await openEmbeddedStore(now, sdkCallsAt);
    closing.push(close);
    return store;
  },
};

for (const under of [IN_MEMORY, EMBEDDED, BY_SDK]) {
  eventStoreContract({ ...under, open: () => under.open(Date.now) });
  subscriptionStoreContract(under);
  deliveryStoreContract(under);
  agentStoreContract(under);
  heldContract(under);
}
