import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { describe } from "vitest";
import { createDynamoEventStore } from "../../functions/runtime/dynamo-event-store.ts";
import { createTable } from "../../local/table.ts";
import { emulatorAvailable, useEmulator } from "../support/emulator.ts";
import { eventStoreContract } from "./event-store.suite.ts";

describe.skipIf(!(await emulatorAvailable()))("on the AWS emulator", () => {
  eventStoreContract({
    name: "on its DynamoDB",
    open: async () => {
      const { endpoint, region, credentials } = await useEmulator();
      const client = new DynamoDBClient({ endpoint, region, credentials });
      await createTable(client, "contract");
      return createDynamoEventStore({ client, tableName: "contract" });
    },
  });
});
