import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { type DynamoDBClient, PutItemCommand, QueryCommand, ScanCommand } from "@aws-sdk/client-dynamodb";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { bundleOnce } from "../../../local/bundle.ts";
import { projectPath } from "../../../local/project.ts";
import { createTable, embeddedClient, TABLE_NAME } from "../../../local/table.ts";

let folder: string;
let client: DynamoDBClient;
let thread: Worker;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "store-"));
});
afterEach(async () => {
  client.destroy();
  await thread.terminate();
  rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
});

async function start(file: string): Promise<void> {
  thread = new Worker(file, { workerData: { path: join(folder, "store"), port: 0 }, execArgv: [] });
  const [{ port }] = (await once(thread, "message")) as [{ port: number }];
  client = embeddedClient(`http://127.0.0.1:${port}`);
  await createTable(client, TABLE_NAME);
}

let places = 0;
/** Puts one of a few items at another place of the work index. */
const move = (n: number) =>
  client.send(
    new PutItemCommand({
      TableName: TABLE_NAME,
      Item: { pk: { S: `item ${n}` }, sk: { S: "x" }, work_pk: { S: "work" }, work_sk: { S: String(++places) } },
    }),
  );

interface Places {
  readonly Items?: Record<string, { S?: string }>[];
}

const placesIn = ({ Items = [] }: Places): string[] =>
  Items.map(({ pk, work_sk }) => `${pk?.S} at ${work_sk?.S}`).sort();

describe("the store of the embedded run", () => {
  test("that is ended in the middle of writes has every item where its index says, and nowhere else", async () => {
    const file = await bundleOnce({ name: "store", entry: projectPath("local/store-thread.ts"), outDir: folder });
    await start(file);
    for (let round = 0; round < 6; round++) {
      const writes = Array.from({ length: 80 }, (_, i) => move(i % 40).catch(() => "cut off"));
      await Promise.race(writes.slice(round * 10));
      await thread.terminate();
      await Promise.all(writes);
      client.destroy();
      await start(file);
      const items = placesIn((await client.send(new ScanCommand({ TableName: TABLE_NAME }))) as Places);
      const index = await client.send(
        new QueryCommand({
          TableName: TABLE_NAME,
          IndexName: "work",
          KeyConditionExpression: "work_pk = :pk",
          ExpressionAttributeValues: { ":pk": { S: "work" } },
        }),
      );
      expect(placesIn(index as Places)).toEqual(items);
    }
    // Seven starts of a store, on a machine that may be busy.
  }, 60_000);
});
