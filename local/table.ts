/** The table's name on this machine, and what speaks to it over HTTP: to the embedded store, or to another DynamoDB. */
import { setTimeout as sleep } from "node:timers/promises";
import {
  CreateTableCommand,
  type CreateTableCommandInput,
  DescribeTableCommand,
  DynamoDBClient,
  ResourceNotFoundException,
} from "@aws-sdk/client-dynamodb";
import type { TableCalls } from "../functions/runtime/aws/calls.ts";
import { credentialsOf } from "../functions/runtime/aws/lean/credentials.ts";
import { type Closable, leanTableCalls } from "../functions/runtime/aws/lean-calls.ts";
import { SDK_CLIENT } from "../functions/runtime/aws/sdk-client.ts";
import { TABLE } from "../shared/keys.ts";

export const TABLE_NAME = "agent-event-bus";

/** Far more than it takes. */
const TABLE_MADE_MS = 10_000;

/** As deployed, but that this machine may be busy with something else, or asleep, for a while. */
const REQUEST_TIMEOUT_MS = 10_000;

/** None of them asks for any. */
const CREDENTIALS = { accessKeyId: "local", secretAccessKey: "local" };

/** A wait reads often; fifty of them at once must not queue for sockets. */
const MAX_SOCKETS = 256;

/** The calls that the bus makes to its table. They are tried as often as those of the deployed functions are. */
export function embeddedCalls(endpoint: string): TableCalls & Closable {
  return leanTableCalls({
    url: new URL(endpoint),
    region: "local",
    credentials: credentialsOf({ kind: "given", ...CREDENTIALS }),
    answerTimeoutMs: REQUEST_TIMEOUT_MS,
    maxSockets: MAX_SOCKETS,
  });
}

/** An SDK client, for what the bus itself never does: to make a table, or look through it. */
export function embeddedClient(endpoint: string): DynamoDBClient {
  return new DynamoDBClient({
    endpoint,
    region: "local",
    credentials: CREDENTIALS,
    maxAttempts: SDK_CLIENT.maxAttempts,
    requestHandler: {
      ...SDK_CLIENT.requestHandler,
      requestTimeout: REQUEST_TIMEOUT_MS,
      httpAgent: { keepAlive: true, maxSockets: MAX_SOCKETS },
    },
  });
}

/** Creates the table as infrastructure does, if there is none. */
export async function createTable(client: DynamoDBClient, tableName: string): Promise<void> {
  try {
    await client.send(new DescribeTableCommand({ TableName: tableName }));
  } catch (error) {
    if (!(error instanceof ResourceNotFoundException)) throw error;
    await client.send(new CreateTableCommand(tableDefinition(tableName)));
  }
  await becomesActive(client, tableName);
}

/** A table that is being made takes no calls yet. @throws Error when it stays so */
async function becomesActive(client: DynamoDBClient, tableName: string): Promise<void> {
  const until = performance.now() + TABLE_MADE_MS;
  while (performance.now() < until) {
    const { Table } = await client.send(new DescribeTableCommand({ TableName: tableName }));
    if (Table?.TableStatus === "ACTIVE") return;
    await sleep(5);
  }
  throw new Error(`The table ${tableName} does not become active.`);
}

function tableDefinition(tableName: string): CreateTableCommandInput {
  const indexes = Object.entries(TABLE.indexes);
  const attributes = new Set([
    TABLE.partitionKey,
    TABLE.sortKey,
    ...indexes.flatMap(([, index]) => [index.partitionKey, index.sortKey]),
  ]);
  return {
    TableName: tableName,
    BillingMode: "PAY_PER_REQUEST",
    AttributeDefinitions: [...attributes].map((name) => ({ AttributeName: name, AttributeType: "S" })),
    KeySchema: keySchema(TABLE.partitionKey, TABLE.sortKey),
    GlobalSecondaryIndexes: indexes.map(([name, index]) => ({
      IndexName: name,
      KeySchema: keySchema(index.partitionKey, index.sortKey),
      Projection:
        name === "work"
          ? { ProjectionType: "KEYS_ONLY" }
          : { ProjectionType: "INCLUDE", NonKeyAttributes: [...TABLE.historyProjection] },
    })),
  };
}

const keySchema = (partitionKey: string, sortKey: string): CreateTableCommandInput["KeySchema"] => [
  { AttributeName: partitionKey, KeyType: "HASH" },
  { AttributeName: sortKey, KeyType: "RANGE" },
];
