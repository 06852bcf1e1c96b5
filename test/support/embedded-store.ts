/** The store of the embedded run, on a data folder that goes away afterwards. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createDynamoEventStore } from "../../functions/runtime/dynamo-event-store.ts";
import { type OpenTable, openTable } from "../../local/table/open.ts";
import { TABLE_NAME } from "../../local/table.ts";
import type { EventStore } from "../../shared/ports.ts";

/** @param now the store's clock, in epoch milliseconds */
export async function openEmbeddedStore(
  now: () => number = Date.now,
): Promise<{ store: EventStore; close(): Promise<void> }> {
  const { calls, close } = await openEmbeddedTable();
  return { store: createDynamoEventStore({ calls, tableName: TABLE_NAME, now }), close };
}

/** Its table alone. */
export async function openEmbeddedTable(): Promise<OpenTable> {
  const folder = await mkdtemp(join(tmpdir(), "agent-event-bus-store-"));
  const table = await openTable(folder, TABLE_NAME);
  return {
    calls: table.calls,
    async close() {
      await table.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
