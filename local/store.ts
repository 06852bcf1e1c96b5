/** The embedded store: a table on LevelDB in the data folder, in this process (`table/`). */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { Level } from "level";
import type { TableCalls } from "../functions/runtime/aws/calls.ts";
import { openTable } from "./table/open.ts";
import { type ServedTable, serveTable } from "./table/served.ts";
import { embeddedCalls, TABLE_NAME } from "./table.ts";

export interface EmbeddedStore {
  readonly calls: TableCalls;
  close(): Promise<void>;
}

/** Where the functions reach a store that speaks DynamoDB: at its endpoint, or at a proxy in between. */
export type StoreVia = (store: Pick<ServedTable, "endpoint" | "fallOver">) => Promise<string> | string;

/** Another run has the data folder open. */
export class DataFolderInUse extends Error {
  override readonly name = "DataFolderInUse";
}

/**
 * Claims a data folder for this process. The lock is the operating system's: it ends with the process, however that
 * ends. @throws DataFolderInUse
 */
export async function lockDataFolder(dataDir: string): Promise<{ release(): Promise<void> }> {
  await mkdir(dataDir, { recursive: true });
  const lock = new Level(join(dataDir, "lock"));
  try {
    await lock.open();
  } catch (error) {
    const cause = (error as Error).cause as { code?: string; message?: string } | undefined;
    if (cause?.code === "LEVEL_LOCKED")
      throw new DataFolderInUse(
        `Another run uses the data folder ${dataDir}. End it, or give --data-dir another folder.`,
      );
    throw new Error(`The data folder ${dataDir} cannot be used: ${cause?.message ?? (error as Error).message}`, {
      cause: error,
    });
  }
  return { release: () => lock.close() };
}

/**
 * Opens the store in a data folder that is locked, and makes the table if it is not there.
 *
 * @param via has the store speak DynamoDB over HTTP; without it, it is called in this process
 * @throws Error when the folder cannot be used, or another version of the bus made it
 */
export async function openStore(dataDir: string, via?: StoreVia): Promise<EmbeddedStore> {
  const folder = storeFolder(dataDir);
  if (via === undefined) return openTable(folder, TABLE_NAME);
  const served = await serveTable(folder, TABLE_NAME);
  const calls = embeddedCalls(await via(served));
  return {
    calls,
    async close() {
      calls.close();
      await served.close();
    },
  };
}

/** Where in a data folder its store is. */
export const storeFolder = (dataDir: string): string => join(dataDir, "store");
