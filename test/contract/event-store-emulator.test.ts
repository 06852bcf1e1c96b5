import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { describe } from "vitest";
import type { TableCalls } from "../../functions/runtime/aws/calls.ts";
import { sdkTableCalls } from "../../functions/runtime/aws/sdk-calls.ts";
import { createDynamoRateStore } from "../../functions/runtime/dynamo/rates.ts";
import { createDynamoEventStore } from "../../functions/runtime/dynamo-event-store.ts";
import { createTable } from "../../local/table.ts";
import { emulatorAvailable, useEmulator } from "../support/emulator.ts";
import { agentStoreContract } from "./agents.suite.ts";
import type { ClockedStoreUnderTest } from "./clocked-store.ts";
import { deliveryStoreContract } from "./deliveries.suite.ts";
import { eventStoreContract } from "./event-store.suite.ts";
import { heldContract } from "./held.suite.ts";
import { rateStoreContract } from "./rates.suite.ts";
import { subscriptionStoreContract } from "./subscriptions.suite.ts";

/** The emulator is no fast one. */
const PATIENCE_MS = 20_000;

async function aTable(): Promise<{ calls: TableCalls; tableName: string }> {
  const { endpoint, region, credentials } = await useEmulator();
  const client = new DynamoDBClient({ endpoint, region, credentials });
  await createTable(client, "contract");
  return { calls: sdkTableCalls(client), tableName: "contract" };
}

const EMULATED: ClockedStoreUnderTest = {
  name: "on its DynamoDB",
  open: async (now) => createDynamoEventStore({ ...(await aTable()), now }),
};

describe.skipIf(!(await emulatorAvailable()))("on the AWS emulator", () => {
  eventStoreContract({ ...EMULATED, open: () => EMULATED.open(Date.now) });
  subscriptionStoreContract(EMULATED);
  deliveryStoreContract(EMULATED);
  agentStoreContract(EMULATED);
  heldContract(EMULATED);
  rateStoreContract({
    name: EMULATED.name,
    open: async () => createDynamoRateStore({ ...(await aTable()), timeoutMs: PATIENCE_MS }),
  });
});
