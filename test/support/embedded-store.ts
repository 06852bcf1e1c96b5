/** The store of the embedded run, on a data folder that goes away afterwards. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TableCalls } from "../../functions/runtime/aws/calls.ts";
import type { Closable } from "../../functions/runtime/aws/lean-calls.ts";
import { createDynamoEventStore } from "../../functions/runtime/dynamo-event-store.ts";
import { type OpenTable, openTable } from "../../local/level-table/open.ts";
import { startStore } from "../../local/store.ts";
import { TABLE_NAME } from "../../local/table.ts";
import type { EventStore } from "../../shared/ports.ts";
import { silentLogger } from "./silent-logger.ts";

/**
 * @param now the store's clock, in epoch milliseconds
 * @param callsAt what speaks to it over HTTP, which dynalite then serves; without it, in this process, as the embedded run does
 */
export async function openEmbeddedStore(
  now: () => number = Date.now,
  callsAt?: CallsAt,
): Promise<{ store: EventStore; close(): Promise<void> }> {
  const { calls, close } = await openEmbeddedTable(callsAt);
  return { store: createDynamoEventStore({ calls, tableName: TABLE_NAME, now }), close };
}

export type CallsAt = (endpoint: string) => TableCalls & Closable;

/** Its table, with the same choice. */
export async function openEmbeddedTable(callsAt?: CallsAt): Promise<OpenTable> {
  const dataDir = await mkdtemp(join(tmpdir(), "agent-event-bus-store-"));
  const table = await (callsAt === undefined ? openTable(dataDir, TABLE_NAME) : openServed(dataDir, callsAt));
  return {
    calls: table.calls,
    async close() {
      await table.close();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

async function openServed(dataDir: string, callsAt: CallsAt): Promise<OpenTable> {
  const embedded = await startStore(dataDir, silentLogger);
  const calls = callsAt(embedded.endpoint);
  return {
    calls,
    async close() {
      calls.close();
      await embedded.close();
    },
  };
}
