/** Opens the table in a folder, and makes it where there is none. */
import { mkdir } from "node:fs/promises";
import { TABLE } from "../../shared/keys.ts";
import { type LevelTable, levelTable } from "./level-table.ts";
import type { Texts } from "./pages.ts";
import { WriteAhead } from "./write-ahead.ts";

export interface OpenTable {
  readonly calls: LevelTable;
  /** Resolves when what was called is written, and the folder is free. */
  close(): Promise<void>;
}

/** @throws Error when the folder cannot be used, or its table has other indexes */
export async function openTable(folder: string, tableName: string): Promise<OpenTable> {
  await mkdir(folder, { recursive: true });
  const level = await WriteAhead.open(folder);
  try {
    await requireIndexes(level, tableName);
  } catch (error) {
    await level.close();
    throw error;
  }
  const calls = levelTable(level, tableName);
  return {
    calls,
    async close() {
      await calls.idle();
      await level.close();
    },
  };
}

/** What is in no index is not found there: an index that was not kept from the first item on would miss the rest. */
async function requireIndexes(level: Texts, tableName: string): Promise<void> {
  const wanted = Object.keys(TABLE.indexes).sort().join(", ");
  const key = `indexes~${tableName}`;
  const noted = level.getSync(key);
  const standing = noted ?? indexesOfDynalite(level, tableName);
  if (standing !== undefined && standing !== wanted)
    throw new Error(
      `The data folder was made by another version of the bus (indexes ${standing}). Delete it or use another.`,
    );
  if (noted === undefined) await level.batch([{ type: "put", key, value: wanted }]);
}

/** As releases before this one wrote it down; undefined where none of them was at work, or it had no table yet. */
function indexesOfDynalite(level: Texts, tableName: string): string | undefined {
  const text = level.getSync(`table~${tableName}`);
  const { GlobalSecondaryIndexes: indexes = [] } = JSON.parse(text ?? "{}") as {
    GlobalSecondaryIndexes?: readonly { readonly IndexName: string }[];
  };
  const names = indexes.map(({ IndexName }) => IndexName).sort();
  return text === undefined ? undefined : names.join(", ");
}
