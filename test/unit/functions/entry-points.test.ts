import { randomBytes } from "node:crypto";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import type { APIGatewayProxyEventV2, Context } from "aws-lambda";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { sdkTableCalls } from "../../../functions/runtime/aws/sdk-calls.ts";
import { createDynamoEventStore } from "../../../functions/runtime/dynamo-event-store.ts";
import { firstVersion } from "../../../shared/agents/change.ts";
import { hashOfKey, writeKey } from "../../../shared/agents/key.ts";
import { DEFAULT_POLICY } from "../../../shared/agents/policy.ts";
import { API_FUNCTIONS, type ApiFunction, ROUTES } from "../../../shared/routes.ts";
import { PlayedServices } from "../../support/played-services.ts";

/** The functions behind URLs as AWS calls them, on a table that is played by a local server. */

// Each function is loaded for it.
vi.setConfig({ testTimeout: 30_000 });

const services = new PlayedServices();

const ADMINISTRATOR = writeKey("chief", randomBytes(32).toString("base64url"));

beforeAll(async () => {
  await services.start();
  const key = { keyId: "k", hash: hashOfKey(ADMINISTRATOR), createdAt: "2026-01-01T00:00:00.000Z" };
  const policy = { ...DEFAULT_POLICY, administer: true };
  const store = createDynamoEventStore({ calls: sdkTableCalls(new DynamoDBClient({})), tableName: "table" });
  await store.replaceAgent(firstVersion({ name: "chief", policy }, key, Date.now()), 0);
});

afterAll(() => services.close());

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
