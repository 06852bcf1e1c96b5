import { describe, expect, it, onTestFinished, vi } from "vitest";
import type { AwsCalls } from "../../../functions/runtime/aws/calls.ts";
import * as lean from "../../../functions/runtime/aws/lean-calls.ts";
import * as sdk from "../../../functions/runtime/aws/sdk-calls.ts";
import { createAuthority } from "../../support/webhook-endpoint.ts";
import { ITEM, type PlayedService, playedService, told, trustAnybody } from "./played-service.ts";

/** Both services, and a function's environment that leads there. */
async function playedAws(): Promise<Record<"dynamodb" | "eventbridge", PlayedService>> {
  trustAnybody();
  const certificate = await (await createAuthority()).issue(["127.0.0.1"]);
  const dynamodb = await playedService((_, response) => told(response, 200, {}), certificate);
  const eventbridge = await playedService((_, response) => told(response, 200, { Entries: [] }), certificate);
  for (const [name, value] of Object.entries({
    AWS_REGION: "eu-central-1",
    AWS_ACCESS_KEY_ID: "a",
    AWS_SECRET_ACCESS_KEY: "b",
    AWS_ENDPOINT_URL_DYNAMODB: dynamodb.url.origin,
    AWS_ENDPOINT_URL_EVENTBRIDGE: eventbridge.url.origin,
  }))
    vi.stubEnv(name, value);
  onTestFinished(() => void vi.unstubAllEnvs());
  return { dynamodb, eventbridge };
}

describe.each([
  ["the lean clients", () => lean.createAwsCalls()],
  ["the SDK's clients", () => sdk.createAwsCalls()],
] as [string, () => AwsCalls][])("a function that starts with %s", (_, createAwsCalls) => {
  it("connects before its first call to the services that it is going to use, and to no others", async () => {
    const { dynamodb, eventbridge } = await playedAws();
    createAwsCalls().openSockets(["dynamodb"]);
    await vi.waitFor(() => expect(dynamodb.connections()).toBe(1));
    expect([eventbridge.connections(), dynamodb.calls.length]).toEqual([0, 0]);
  });

  it("makes its first calls over the connections that are there", async () => {
    const { dynamodb, eventbridge } = await playedAws();
    const aws = createAwsCalls();
    aws.openSockets(["dynamodb", "eventbridge"]);
    await vi.waitFor(() => expect([dynamodb.connections(), eventbridge.connections()]).toEqual([1, 1]));
    await aws.table.getItem(ITEM);
    await aws.events.putEvents({ Entries: [] });
    await aws.table.getItem(ITEM);
    expect([dynamodb.connections(), eventbridge.connections()]).toEqual([1, 1]);
    expect([dynamodb.calls.length, eventbridge.calls.length]).toEqual([2, 1]);
  });

  it("starts all the same when nobody is there", async () => {
    await playedAws();
    vi.stubEnv("AWS_ENDPOINT_URL_DYNAMODB", "https://127.0.0.1:1");
    const aws = createAwsCalls();
    aws.openSockets(["dynamodb"]);
    await expect(aws.table.getItem(ITEM)).rejects.toThrow("ECONNREFUSED");
  });
});
