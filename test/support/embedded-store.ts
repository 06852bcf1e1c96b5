/** The store of the embedded run, on a data folder that goes away afterwards. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TableCalls } from "../../functions/runtime/aws/calls.ts";
import type { Closable } from "../../functions/runtime/aws/lean-calls.ts";
import { createDynamoEventStore } from "../../functions/runtime/dynamo-event-store.ts";
import { startStore } from "../../local/store.ts";
import { embeddedCalls, TABLE_NAME } from "../../local/table.ts";
import type { EventStore } from "../../shared/ports.ts";
import { silentLogger } from "./silent-logger.ts";

/**
 * @param now the store's clock, in epoch milliseconds
 * @param callsAt what speaks to it; by default as the embedded run does
 */
export async function openEmbeddedStore(
  now: () => number = Date.now,
  callsAt: (endpoint: string) => TableCalls & Closable = embeddedCalls,
): Promise<{ store: EventStore; close(): Promise<void> }> {
  const dataDir = await mkdtemp(join(tmpdir(), "agent-event-bus-store-"));
  const embedded = await startStore(dataDir, silentLogger);
  const calls = callsAt(embedded.endpoint);
  return {
    store: createDynamoEventStore({ calls, tableName: TABLE_NAME, now }),
    async close() {
      calls.close();
      await embedded.close();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}
