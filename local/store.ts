/**
 * The embedded store: a table on LevelDB in the data folder, in this process (`level-table/`).
 *
 * For what has to reach it over HTTP, as DynamoDB is reached, dynalite serves the same folder: a DynamoDB in JavaScript, in a
 * thread of its own. Should it fall over (it throws on what it did not expect) it is started again on the same port, with
 * what was acknowledged still in the folder.
 */

import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { Level } from "level";
import type { Logger } from "../shared/ports.ts";
import { bundleOnce } from "./bundle.ts";
import { type OpenTable, openTable } from "./level-table/open.ts";
import { projectPath } from "./project.ts";
import { superviseThread } from "./supervised-thread.ts";
import { createTable, embeddedCalls, embeddedClient, TABLE_NAME } from "./table.ts";

export interface EmbeddedStore {
  /** Where it speaks DynamoDB. */
  readonly endpoint: string;
  close(): Promise<void>;
}

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
 * @param via where it is reached, if not in this process: gets where it speaks DynamoDB
 */
export async function openStore(
  dataDir: string,
  log: Logger,
  via?: (storeEndpoint: string) => Promise<string> | string,
): Promise<OpenTable> {
  if (via === undefined) return openTable(dataDir, TABLE_NAME);
  const served = await startStore(dataDir, log);
  const calls = embeddedCalls(await via(served.endpoint));
  return {
    calls,
    async close() {
      calls.close();
      await served.close();
    },
  };
}

/** Has dynalite serve a data folder that is locked over HTTP, and makes the table if it is not there. */
export async function startStore(dataDir: string, log: Logger): Promise<EmbeddedStore> {
  const file = await bundleOnce({
    name: "store",
    entry: projectPath("local/store-thread.ts"),
    outDir: join(dataDir, "build"),
  });
  const workerData = { path: join(dataDir, "store") };
  const thread = await superviseThread({ name: "the store", file, workerData, log });
  const endpoint = `http://127.0.0.1:${thread.port}`;
  const client = embeddedClient(endpoint);
  try {
    await createTable(client, TABLE_NAME);
  } catch (error) {
    await thread.close();
    throw error;
  } finally {
    client.destroy();
  }
  return { endpoint, close: () => thread.close() };
}
