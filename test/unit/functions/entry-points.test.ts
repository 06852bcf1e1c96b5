import { randomBytes } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import type { APIGatewayProxyEventV2, Context } from "aws-lambda";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { Item } from "../../../functions/runtime/dynamo/table.ts";
import { createDynamoEventStore } from "../../../functions/runtime/dynamo-event-store.ts";
import { firstVersion } from "../../../shared/agents/change.ts";
import { hashOfKey, writeKey } from "../../../shared/agents/key.ts";
import { DEFAULT_POLICY } from "../../../shared/agents/policy.ts";
import { API_FUNCTIONS, type ApiFunction, ROUTES } from "../../../shared/routes.ts";

/** The functions behind URLs as AWS calls them, on a table that is played by a local server. */

// Each function is loaded for it.
vi.setConfig({ testTimeout: 30_000 });

const table = new Map<string, Item>();
const placeOf = (item: Item | undefined): string => `${item?.["pk"]?.S} ${item?.["sk"]?.S}`;

const services = createServer(async (request, response) => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const { Key, Item: item } = JSON.parse(Buffer.concat(chunks).toString()) as { Key?: Item; Item?: Item };
  const operation = String(request.headers["x-amz-target"]).split(".")[1];
  if (operation === "PutItem" && item !== undefined) table.set(placeOf(item), item);
  const answer = operation === "GetItem" ? { Item: table.get(placeOf(Key)) } : { Items: [], Count: 0 };
  response.writeHead(200, { "content-type": "application/x-amz-json-1.0" }).end(JSON.stringify(answer));
});

const ADMINISTRATOR = writeKey("chief", randomBytes(32).toString("base64url"));

beforeAll(async () => {
  await new Promise<void>((resolve) => services.listen(0, "127.0.0.1", resolve));
  const endpoint = `http://127.0.0.1:${(services.address() as AddressInfo).port}`;
  for (const [name, value] of Object.entries({
    AWS_ENDPOINT_URL: endpoint,
    AWS_REGION: "eu-west-1",
    AWS_ACCESS_KEY_ID: "a",
    AWS_SECRET_ACCESS_KEY: "b",
    TABLE_NAME: "table",
    EVENT_BUS_NAME: "bus",
    WEBHOOK_QUEUE_URL: `${endpoint}/111122223333/webhooks`,
    DISPATCH_QUEUE_URL: `${endpoint}/111122223333/dispatch`,
    SUBSCRIBER_PREFIX: "Bus-agent-",
  }))
    vi.stubEnv(name, value);
  vi.spyOn(process.stdout, "write").mockReturnValue(true);
  vi.spyOn(console, "log").mockReturnValue();
  const key = { keyId: "k", hash: hashOfKey(ADMINISTRATOR), createdAt: "2026-01-01T00:00:00.000Z" };
  const policy = { ...DEFAULT_POLICY, administer: true };
  const store = createDynamoEventStore({ client: new DynamoDBClient({}), tableName: "table" });
  await store.replaceAgent(firstVersion({ name: "chief", policy }, key, Date.now()), 0);
});

afterAll(() => {
  services.closeAllConnections();
  services.close();
});

type Handler = (event: APIGatewayProxyEventV2, context: Context) => Promise<{ statusCode: number }>;

/** Calls a function's first operation. @returns the status of its answer */
async function statusOf(name: ApiFunction, headers: Record<string, string>, userArn?: string): Promise<number> {
  const { handler } = (await import(`../../../functions/${name}.ts`)) as { handler: Handler };
  const { method, path } = ROUTES.find(({ servedBy }) => servedBy === name) ?? ROUTES[0];
  const event = {
    rawPath: path.replaceAll(/\{\w+\}/g, "one"),
    rawQueryString: "",
    headers,
    body: method === "GET" ? undefined : "{}",
    requestContext: {
      http: { method },
      ...(userArn === undefined ? {} : { authorizer: { iam: { userArn } } }),
    },
  } as unknown as APIGatewayProxyEventV2;
  // So little that a stream ends at once.
  const context = {
    functionName: name,
    awsRequestId: "r",
    invokedFunctionArn: `arn:aws:lambda:eu-west-1:111122223333:function:${name}`,
    getRemainingTimeInMillis: () => 2_100,
  } as Context;
  return (await handler(event, context)).statusCode;
}

const KEYED = { authorization: `Bearer ${ADMINISTRATOR}` };
const SIGNED_BY = "arn:aws:sts::111122223333:assumed-role/planner/s";

describe.each([
  ["signed", "iam"],
  ["with agent keys", "keys"],
] as const)("where calls come %s", (_, auth) => {
  beforeAll(() => {
    vi.resetModules();
    vi.stubEnv("CALLER_AUTH", auth);
  });

  it.each(API_FUNCTIONS)(
    "%s lets in whom IAM has verified, and whoever has a key only where it is to",
    async (name) => {
      const takesKeys = auth === "keys" && name !== "agents";
      expect(await statusOf(name, {})).toBe(401);
      expect((await statusOf(name, KEYED)) === 401).toBe(!takesKeys);
      expect(await statusOf(name, {}, SIGNED_BY)).not.toBe(401);
    },
  );
});
