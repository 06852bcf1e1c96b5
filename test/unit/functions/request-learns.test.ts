import type { APIGatewayProxyEventV2, Context } from "aws-lambda";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { type Item, toKey } from "../../../functions/runtime/dynamo/table.ts";
import { keys } from "../../../shared/keys.ts";
import { PlayedServices } from "../../support/played-services.ts";

/** The function that waits as AWS calls it, on a table that is played by a local server. */

const TYPE = "SESSION_UPDATED";
const ANSWER_TIMES = toKey(keys.answerTimes(TYPE));

/** A table in which each question has been answered by the time that somebody looks. */
class AnsweringServices extends PlayedServices {
  override put(item: Item): void {
    const answered = { ...item, state: { S: "ANSWERED" }, ended_at: { S: new Date().toISOString() } };
    super.put(item["sk"]?.S === "REQUEST" ? answered : item);
  }
}

const services = new AnsweringServices();
beforeAll(() => services.start());
beforeEach(() => {
  vi.resetModules();
  services.reset();
});
afterAll(() => services.close());

type Handler = (event: APIGatewayProxyEventV2, context: Context) => Promise<{ statusCode: number }>;

/** Asks so many questions, one after the other, of a function that has just been started. */
async function ask(questions: number): Promise<void> {
  const { handler } = (await import("../../../functions/request.ts")) as unknown as { handler: Handler };
  const event = {
    rawPath: "/requests",
    rawQueryString: "",
    headers: {},
    body: JSON.stringify({ type: TYPE, data: {}, timeout: 20, require_subscribers: false }),
    requestContext: {
      http: { method: "POST" },
      authorizer: { iam: { userArn: "arn:aws:sts::111122223333:assumed-role/planner/s" } },
    },
  } as unknown as APIGatewayProxyEventV2;
  const context = {
    functionName: "request",
    awsRequestId: "r",
    invokedFunctionArn: "arn:aws:lambda:eu-west-1:111122223333:function:request",
    getRemainingTimeInMillis: () => 30_000,
  } as Context;
  for (let i = 0; i < questions; i++) expect((await handler(event, context)).statusCode).toBe(200);
}

const callsOf = (operation: string) =>
  services.calls.filter((call) => call.operation === operation && call.body.Key?.["pk"]?.S === ANSWER_TIMES["pk"]?.S);

describe("the function that waits, as it is deployed", () => {
  it("reads what is known of a type once for many questions, at half the price", async () => {
    await ask(5);
    expect(callsOf("GetItem").map(({ body }) => body["ConsistentRead"])).toEqual([false]);
    expect(callsOf("UpdateItem")).toEqual([]);
  });

  it("tells others after twenty answers how long they took, in one write", async () => {
    await ask(21);
    const told = callsOf("UpdateItem");
    expect(told.map(({ body }) => body["UpdateExpression"])).toEqual([expect.stringContaining("ADD version :one")]);
    const values = told[0]?.body["ExpressionAttributeValues"] as Record<string, { N?: string }>;
    const counts = Object.entries(values).flatMap(([name, { N }]) => (/^:n\d+$/.test(name) ? [Number(N)] : []));
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(20);
  });
});
