import { afterAll } from "vitest";
import type { TableCalls } from "../../functions/runtime/aws/calls.ts";
import { createDynamoRateStore } from "../../functions/runtime/dynamo/rates.ts";
import { embeddedCalls, TABLE_NAME } from "../../local/table.ts";
import { sdkCallsAt } from "../support/aws-clients.ts";
import { openDynaliteTable } from "../support/dynalite-table.ts";
import { openEmbeddedTable } from "../support/embedded-store.ts";
import { MemoryRateStore } from "../support/memory-rate-store.ts";
import { rateStoreContract } from "./rates.suite.ts";

const closing: (() => Promise<void>)[] = [];
afterAll(async () => {
  for (const close of closing.reverse()) await close();
});

interface Table {
  readonly calls: TableCalls;
  close(): Promise<void>;
}

rateStoreContract({ name: "in memory, which simulations use", open: async () => new MemoryRateStore() });

for (const [name, openTable] of [
  ["of the embedded run", openEmbeddedTable],
  ["in dynalite, called by the lean clients", () => openDynaliteTable(embeddedCalls)],
  ["in dynalite, called by the SDK's clients", () => openDynaliteTable(sdkCallsAt)],
] as [string, () => Promise<Table>][])
  rateStoreContract({
    name,
    async open() {
      const { calls, close } = await openTable();
      closing.push(close);
      return createDynamoRateStore({ calls, tableName: TABLE_NAME, timeoutMs: 20_000 });
    },
  });
