import { afterAll } from "vitest";
import { embeddedCalls } from "../../local/table.ts";
import { sdkCallsAt } from "../support/aws-clients.ts";
import { type CallsAt, openEmbeddedStore } from "../support/embedded-store.ts";
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

/** The same folder, served over HTTP: what both clients of AWS can be tried on without AWS. */
const servedTo = (client: string, callsAt: CallsAt): ClockedStoreUnderTest => ({
  name: `served by dynalite, called by ${client}`,
  open: async (now) => {
    const { store, close } = await openEmbeddedStore(now, callsAt);
    closing.push(close);
    return store;
  },
});

const SERVED = [servedTo("the lean clients", embeddedCalls), servedTo("the SDK's clients", sdkCallsAt)];

for (const under of [IN_MEMORY, EMBEDDED, ...SERVED]) {
  eventStoreContract({ ...under, open: () => under.open(Date.now) });
  subscriptionStoreContract(under);
  deliveryStoreContract(under);
  agentStoreContract(under);
  heldContract(under);
}
