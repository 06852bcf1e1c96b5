import { mkdtempSync, rmSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ListTablesCommand } from "@aws-sdk/client-dynamodb";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type EmbeddedStore, startStore } from "../../../local/store.ts";
import { embeddedClient, TABLE_NAME } from "../../../local/table.ts";
import { silentLogger } from "../../support/silent-logger.ts";

let folder: string;
let store: EmbeddedStore;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "store-"));
  store = await startStore(folder, silentLogger);
});
afterAll(async () => {
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Lists the tables as any program could, with made-up credentials. `fetch` would set some headers itself. */
const list = (
  headers: Record<string, string>,
  method = "POST",
): Promise<{ status?: number; headers: object; body: string }> =>
  new Promise((resolve, reject) => {
    const call = request(store.endpoint, {
      method,
      headers: {
        "content-type": "application/x-amz-json-1.0",
        "x-amz-target": "DynamoDB_20120810.ListTables",
        "x-amz-date": "20260101T000000Z",
        authorization:
          "AWS4-HMAC-SHA256 Credential=x/20260101/x/dynamodb/aws4_request, SignedHeaders=host, Signature=x",
        ...headers,
      },
    });
    call.on("error", reject).on("response", async (response) => {
      let body = "";
      for await (const chunk of response) body += String(chunk);
      resolve({
        ...(response.statusCode === undefined ? {} : { status: response.statusCode }),
        headers: response.headers,
        body,
      });
    });
    call.end("{}");
  });

describe("the embedded store", () => {
  test("serves programs of this machine", async () => {
    const client = embeddedClient(store.endpoint);
    expect((await client.send(new ListTablesCommand({}))).TableNames).toEqual([TABLE_NAME]);
    client.destroy();
    expect(await list({})).toMatchObject({ status: 200, body: JSON.stringify({ TableNames: [TABLE_NAME] }) });
  });

  test.each([
    { origin: "https://example.com" },
    { origin: "null" },
    // Not even a page of this machine: what it may do, it does through the bus.
    { origin: "http://localhost:5173" },
    { "sec-fetch-site": "cross-site" },
    { host: "store.example.com" },
  ])("refuses web pages: %j", async (headers) => {
    for (const method of ["POST", "OPTIONS"]) {
      const answer = await list(headers as Record<string, string>, method);
      expect(answer.status).toBe(403);
      expect(answer.body).not.toContain(TABLE_NAME);
      expect(answer.headers).not.toHaveProperty("access-control-allow-origin");
    }
  });
});
