import { afterAll } from "vitest";
import { createDynamoEventStore } from "../../functions/runtime/dynamo-event-store.ts";
import { embeddedCalls, TABLE_NAME } from "../../local/table.ts";
import { sdkCallsAt } from "../support/aws-clients.ts";
import { type CallsAt, openDynaliteTable } from "../support/dynalite-table.ts";
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

/** A DynamoDB that others have written, over HTTP: what both clients of AWS can be tried on without AWS. */
const inDynalite = (client: string, callsAt: CallsAt): ClockedStoreUnderTest => ({
  name: `in dynalite, called by ${client}`,
  open: async (now) => {
    const { calls, close } = await openDynaliteTable(callsAt);
    closing.push(close);
    return createDynamoEventStore({ calls, tableName: TABLE_NAME, now });
  },
});

const IN_DYNALITE = [inDynalite("the lean clients", embeddedCalls), inDynalite("the SDK's clients", sdkCallsAt)];

for (const under of [IN_MEMORY, EMBEDDED, ...IN_DYNALITE]) {
  eventStoreContract({ ...under, open: () => under.open(Date.now) });
  subscriptionStoreContract(under);
  deliveryStoreContract(under);
  agentStoreContract(under);
  heldContract(under);
}
