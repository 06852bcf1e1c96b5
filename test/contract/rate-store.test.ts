import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import { createDynamoRateStore } from "../../functions/runtime/dynamo/rates.ts";
import { startStore } from "../../local/store.ts";
import { embeddedCalls, TABLE_NAME } from "../../local/table.ts";
import { sdkCallsAt } from "../support/aws-clients.ts";
import { MemoryRateStore } from "../support/memory-rate-store.ts";
import { silentLogger } from "../support/silent-logger.ts";
import { rateStoreContract } from "./rates.suite.ts";

const closing: (() => Promise<void> | void)[] = [];
afterAll(async () => {
  for (const close of closing.reverse()) await close();
});

rateStoreContract({ name: "in memory, which simulations use", open: async () => new MemoryRateStore() });

for (const [client, callsAt] of [
  ["the lean clients", embeddedCalls],
  ["the SDK's clients", sdkCallsAt],
] as const)
  rateStoreContract({
    name: `of the embedded run, called by ${client}`,
    async open() {
      const dataDir = await mkdtemp(join(tmpdir(), "agent-event-bus-rates-"));
      closing.push(() => rm(dataDir, { recursive: true, force: true }));
      const embedded = await startStore(dataDir, silentLogger);
      closing.push(() => embedded.close());
      const calls = callsAt(embedded.endpoint);
      closing.push(() => calls.close());
      return createDynamoRateStore({ calls, tableName: TABLE_NAME, timeoutMs: 20_000 });
    },
  });
