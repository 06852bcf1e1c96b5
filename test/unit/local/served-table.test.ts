import { mkdtempSync, rmSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type ServedTable, serveTable } from "../../../local/table/served.ts";
import { embeddedCalls, TABLE_NAME } from "../../../local/table.ts";

let folder: string;
let store: ServedTable;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "store-"));
  store = await serveTable(folder, TABLE_NAME);
});
afterAll(async () => {
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Reads the table as any program could, with made-up credentials. `fetch` would set some headers itself. */
const scan = (
  headers: Record<string, string>,
  method = "POST",
): Promise<{ status?: number; headers: object; body: string }> =>
  new Promise((resolve, reject) => {
    const call = request(store.endpoint, {
      method,
      headers: {
        "content-type": "application/x-amz-json-1.0",
        "x-amz-target": "DynamoDB_20120810.Scan",
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
    call.end(JSON.stringify({ TableName: TABLE_NAME }));
  });

const KEY = { pk: { S: "an item" }, sk: { S: "x" } };

describe("the table of the embedded run, where it is served", () => {
  test("serves programs of this machine", async () => {
    const calls = embeddedCalls(store.endpoint);
    await calls.putItem({ TableName: TABLE_NAME, Item: KEY });
    expect(await calls.getItem({ TableName: TABLE_NAME, Key: KEY })).toEqual({ Item: KEY });
    await expect(
      calls.putItem({ TableName: TABLE_NAME, Item: KEY, ConditionExpression: "attribute_not_exists(pk)" }),
    ).rejects.toMatchObject({ name: "ConditionalCheckFailedException" });
    await expect(calls.getItem({ TableName: "another", Key: KEY })).rejects.toMatchObject({
      name: "ResourceNotFoundException",
    });
    calls.close();
    expect(JSON.parse((await scan({})).body)).toMatchObject({ Items: [KEY], Count: 1 });
  });

  test("comes back after it fell over, on its port, with what it had acknowledged", async () => {
    const calls = embeddedCalls(store.endpoint);
    const item = { ...KEY, sk: { S: "kept" } };
    await calls.putItem({ TableName: TABLE_NAME, Item: item });
    const back = store.fallOver(50);
    await expect(scan({})).rejects.toThrow();
    await back;
    expect(await calls.getItem({ TableName: TABLE_NAME, Key: item })).toEqual({ Item: item });
    calls.close();
  });

  test("does not know what the bus never asks for, and says so", async () => {
    const answer = await scan({ "x-amz-target": "DynamoDB_20120810.TransactWriteItems" });
    expect(answer).toMatchObject({ status: 400, body: expect.stringContaining("UnknownOperationException") });
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
      const answer = await scan(headers as Record<string, string>, method);
      expect(answer.status).toBe(403);
      expect(answer.body).not.toContain("an item");
      expect(answer.headers).not.toHaveProperty("access-control-allow-origin");
    }
  });
});
