/** Opens the table in a data folder, and makes it where there is none. */
import { randomUUID } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { CreateTableCommandInput } from "@aws-sdk/client-dynamodb";
import { Level } from "level";
import type { TableCalls } from "../../functions/runtime/aws/calls.ts";
import { tableDefinition } from "../table.ts";
import { levelTable } from "./level-table.ts";

export interface OpenTable {
  readonly calls: TableCalls;
  /** Resolves when what was called is written, and the folder is free. */
  close(): Promise<void>;
}

/** @throws Error when the folder cannot be used, or its table has other indexes */
export async function openTable(dataDir: string, tableName: string): Promise<OpenTable> {
  const path = join(dataDir, "store");
  await mkdir(path, { recursive: true });
  const level = new Level<string, string>(path, { keyEncoding: "utf8", valueEncoding: "utf8" });
  await level.open();
  try {
    await makeTable(level, tableName);
  } catch (error) {
    await level.close();
    throw error;
  }
  const table = levelTable(level, tableName);
  return {
    calls: table,
    async close() {
      await table.idle();
      await level.close();
    },
  };
}

interface Description {
  readonly TableStatus?: string;
  readonly GlobalSecondaryIndexes?: readonly { readonly IndexName?: string }[];
}

/** What a table is, is written down as dynalite does, so that it can serve the folder, too. */
async function makeTable(level: Level<string, string>, tableName: string): Promise<void> {
  const key = `table~${tableName}`;
  const text = level.getSync(key);
  const standing = text === undefined ? null : (JSON.parse(text) as Description);
  // One that a kill left half made was never written to.
  if (standing?.TableStatus === "ACTIVE") return requireIndexes(standing, tableName);
  await level.put(key, JSON.stringify(describe(tableDefinition(tableName))));
}

function requireIndexes({ GlobalSecondaryIndexes: indexes = [] }: Description, tableName: string): void {
  const names = (all: readonly { readonly IndexName?: string | undefined }[]): string =>
    all
      .map(({ IndexName }) => IndexName ?? "")
      .sort()
      .join(", ");
  const wanted = names(tableDefinition(tableName).GlobalSecondaryIndexes ?? []);
  if (names(indexes) !== wanted)
    throw new Error(
      `The data folder was made by another version of the bus (indexes ${names(indexes)}). Delete it or use another.`,
    );
}

const NO_THROUGHPUT = { ReadCapacityUnits: 0, WriteCapacityUnits: 0, NumberOfDecreasesToday: 0 };

function describe({ BillingMode, GlobalSecondaryIndexes = [], ...definition }: CreateTableCommandInput): object {
  const createdAt = Date.now() / 1_000;
  const arn = `arn:aws:dynamodb:us-east-1:000000000000:table/${definition.TableName}`;
  return {
    ...definition,
    GlobalSecondaryIndexes: GlobalSecondaryIndexes.map((index) => ({
      ...index,
      IndexArn: `${arn}/index/${index.IndexName}`,
      IndexSizeBytes: 0,
      ItemCount: 0,
      IndexStatus: "ACTIVE",
      ProvisionedThroughput: NO_THROUGHPUT,
    })),
    TableArn: arn,
    TableId: randomUUID(),
    CreationDateTime: createdAt,
    ItemCount: 0,
    ProvisionedThroughput: NO_THROUGHPUT,
    TableSizeBytes: 0,
    TableStatus: "ACTIVE",
    BillingModeSummary: { BillingMode, LastUpdateToPayPerRequestDateTime: createdAt },
    TableThroughputModeSummary: { TableThroughputMode: BillingMode },
  };
}
