/** The table in dynalite, a DynamoDB by other people, which the bus's own embedded table is held to; spoken to over HTTP. */
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import dynalite from "dynalite";
import type { TableCalls } from "../../functions/runtime/aws/calls.ts";
import type { Closable } from "../../functions/runtime/aws/lean-calls.ts";
import { createTable, embeddedCalls, embeddedClient, TABLE_NAME } from "../../local/table.ts";

/** What speaks to an endpoint. */
export type CallsAt = (endpoint: string) => TableCalls & Closable;

export interface DynaliteTable {
  readonly calls: TableCalls;
  close(): Promise<void>;
}

export interface ServedDynalite {
  readonly endpoint: string;
  close(): Promise<void>;
}

/** Serves it with the table made. @param path the folder of its LevelDB; in memory without it */
export async function serveDynalite(path?: string): Promise<ServedDynalite> {
  const options = { createTableMs: 0, deleteTableMs: 0, updateTableMs: 0 };
  const server = dynalite(path === undefined ? options : { ...options, path });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const client = embeddedClient(endpoint);
  await createTable(client, TABLE_NAME);
  client.destroy();
  return {
    endpoint,
    async close() {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

/** @param path as of `serveDynalite` */
export async function openDynaliteTable(callsAt: CallsAt = embeddedCalls, path?: string): Promise<DynaliteTable> {
  const served = await serveDynalite(path);
  const calls = callsAt(served.endpoint);
  return {
    calls,
    async close() {
      calls.close();
      await served.close();
    },
  };
}
