import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { describe } from "vitest";
import type { TableCalls } from "../../functions/runtime/aws/calls.ts";
import { createDynamoRateStore } from "../../functions/runtime/dynamo/rates.ts";
import { createDynamoEventStore } from "../../functions/runtime/dynamo-event-store.ts";
import { createTable } from "../../local/table.ts";
import { AWS_CLIENTS } from "../support/aws-clients.ts";
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

type Connect = (typeof AWS_CLIENTS)[number][1];

async function aTable(connect: Connect): Promise<{ calls: TableCalls; tableName: string }> {
  const { endpoint, region, credentials } = await useEmulator();
  await createTable(new DynamoDBClient({ endpoint, region, credentials }), "contract");
  const { table } = connect({ endpoint, region, credentials, answerTimeoutMs: PATIENCE_MS });
  return { calls: table, tableName: "contract" };
}

const isThere = await emulatorAvailable();

describe.skipIf(!isThere).each(AWS_CLIENTS)("on the AWS emulator, called by %s", (_, connect) => {
  const EMULATED: ClockedStoreUnderTest = {
    name: "on its DynamoDB",
    open: async (now) => createDynamoEventStore({ ...(await aTable(connect)), now }),
  };

  eventStoreContract({ ...EMULATED, open: () => EMULATED.open(Date.now) });
  subscriptionStoreContract(EMULATED);
  deliveryStoreContract(EMULATED);
  agentStoreContract(EMULATED);
  heldContract(EMULATED);
  rateStoreContract({
    name: EMULATED.name,
    open: async () => createDynamoRateStore({ ...(await aTable(connect)), timeoutMs: PATIENCE_MS }),
  });
});
