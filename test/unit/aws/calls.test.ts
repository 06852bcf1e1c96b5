import { describe, expect, it } from "vitest";
import { isConditionFailed } from "../../../functions/runtime/aws/calls.ts";
import { calling, failureOf, ITEM, playedService, refused, told } from "./played-service.ts";

describe("a call", () => {
  it("is a signed POST that names its operation, and gives what the service answers", async () => {
    const service = await playedService((_, response) => told(response, 200, { Item: { pk: { S: "ä 🦆" } } }));
    expect(await calling(service.url).getItem(ITEM)).toEqual({ Item: { pk: { S: "ä 🦆" } } });
    const [call] = service.calls;
    expect(call?.headers).toMatchObject({
      host: service.url.host,
      "content-type": "application/x-amz-json-1.0",
      "x-amz-target": "DynamoDB_20120810.GetItem",
      authorization: expect.stringMatching(/^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE\/\d{8}\/eu-central-1\/dynamodb\//),
    });
    expect(JSON.parse(call?.body ?? "")).toEqual(ITEM);
  });

  it.each([
    ["getItem", "GetItem"],
    ["batchGetItem", "BatchGetItem"],
    ["putItem", "PutItem"],
    ["updateItem", "UpdateItem"],
    ["deleteItem", "DeleteItem"],
    ["query", "Query"],
  ] as const)("%s is %s of DynamoDB", async (method, operation) => {
    const service = await playedService((_, response) => told(response, 200, {}));
    await calling(service.url)[method]({} as never);
    expect(service.calls[0]?.headers["x-amz-target"]).toBe(`DynamoDB_20120810.${operation}`);
  });

  it("with a session token is signed with it", async () => {
    const service = await playedService((_, response) => told(response, 200, {}));
    const credentials = { accessKeyId: "a", secretAccessKey: "b", sessionToken: "the token" };
    await calling(service.url, { credentials: { current: () => credentials, refused: () => false } }).getItem(ITEM);
    expect(service.calls[0]?.headers["x-amz-security-token"]).toBe("the token");
    expect(service.calls[0]?.headers.authorization).toContain("x-amz-security-token");
  });

  it("takes answers that come in many parts, and characters that are cut in two", async () => {
    const text = "🦆ü".repeat(20_000);
    const bytes = Buffer.from(JSON.stringify({ Item: { text: { S: text } } }));
    const service = await playedService((_, response) => {
      response.writeHead(200);
      for (let start = 0; start < bytes.length; start += 4_099) response.write(bytes.subarray(start, start + 4_099));
      response.end();
    });
    expect((await calling(service.url).getItem(ITEM)).Item).toEqual({ text: { S: text } });
  });

  it("uses one connection for calls one after the other", async () => {
    const service = await playedService((_, response) => told(response, 200, {}));
    const calls = calling(service.url);
    for (let i = 0; i < 5; i++) await calls.getItem(ITEM);
    expect(service.connections()).toBe(1);
  });

  it("waits for a connection when all are in use", async () => {
    const service = await playedService((_, response) => told(response, 200, {}));
    const calls = calling(service.url, { maxSockets: 3 });
    await Promise.all(Array.from({ length: 20 }, () => calls.getItem(ITEM)));
    expect([service.calls.length, service.connections()]).toEqual([20, 3]);
  });
});

describe("an error", () => {
  it("has the service's own name and words, and is not tried again when the service is right", async () => {
    const service = await playedService((_, response) => refused(response, 400, "ValidationException"));
    const error = await failureOf(calling(service.url).getItem(ITEM));
    expect(error).toMatchObject({ name: "ValidationException", message: "It is a ValidationException.", status: 400 });
    expect(service.calls).toHaveLength(1);
  });

  it("says that a condition did not hold, which is no fault", async () => {
    const service = await playedService((_, response) => refused(response, 400, "ConditionalCheckFailedException"));
    const error = await failureOf(calling(service.url).putItem({ TableName: "bus", Item: {} }));
    expect(isConditionFailed(error)).toBe(true);
    expect(service.calls).toHaveLength(1);
  });

  it.each([
    [{ __type: "com.amazon.coral.service#SerializationException" }, {}, "SerializationException"],
    [{ __type: "ThrottlingException", Message: "no" }, {}, "ThrottlingException"],
    [{ code: "AccessDeniedException" }, {}, "AccessDeniedException"],
    [{}, { "x-amzn-errortype": "ResourceNotFoundException:http://internal.amazon.com/" }, "ResourceNotFoundException"],
    [{ __type: 7 }, {}, "UnknownError"],
    [[], {}, "UnknownError"],
  ])("is named by %j with headers %j", async (body, headers, name) => {
    const service = await playedService((_, response) => told(response, 400, body, headers));
    expect((await failureOf(calling(service.url).getItem(ITEM))).name).toBe(name);
  });

  it.each([
    ["null", 400],
    ["", 403],
    ["<html>Bad Request</html>", 400],
    ['"text"', 404],
  ])("that is no error document (%s) still fails the call, by its status", async (text, status) => {
    const service = await playedService((_, response) => void response.writeHead(status).end(text));
    const error = await failureOf(calling(service.url).getItem(ITEM));
    expect(error).toMatchObject({ name: "UnknownError", message: `HTTP ${status}`, status });
  });

  it("is what a good answer that is no JSON is taken for, after another look", async () => {
    const service = await playedService((_, response) => void response.writeHead(200).end('{"Item": {'));
    expect((await failureOf(calling(service.url).getItem(ITEM))).name).toBe("InvalidAnswer");
    expect(service.calls).toHaveLength(2);
  });

  it("is what a redirect is taken for: nothing is signed for another host", async () => {
    const service = await playedService((_, response) => void response.writeHead(307, { location: "/else" }).end());
    expect(await failureOf(calling(service.url).getItem(ITEM))).toMatchObject({ status: 307, again: "never" });
  });
});
