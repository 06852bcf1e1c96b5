import {
  DescribeTableCommand,
  DynamoDBClient,
  RestoreTableToPointInTimeCommand,
  UpdateTimeToLiveCommand,
} from "@aws-sdk/client-dynamodb";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { deployStack } from "../../local/aws/deploy.ts";
import { functionUrls, type Gateway, startGateway } from "../../local/aws/gateway.ts";
import { TABLE } from "../../shared/keys.ts";
import { call } from "../support/call.ts";
import { emulatorAvailable, type TestTarget, useEmulator } from "../support/emulator.ts";

const TYPE = "MESSAGE_PROCESSED";
const RESTORED = "AgentEventBus-restored-1";

describe.skipIf(!(await emulatorAvailable()))("the steps of docs/operations.md, on the AWS emulator", () => {
  let target: TestTarget;
  let gateway: Gateway;
  let client: DynamoDBClient;

  /** Deploys the stack, or brings it up to date. @returns the table it works on */
  async function deploy(context: Record<string, string> = {}): Promise<string> {
    const outputs = await deployStack(target, { publicUrl: gateway.url, context: { removal: "retain", ...context } });
    gateway.forwardTo(target, functionUrls(outputs));
    return outputs["TableName"] ?? "";
  }

  beforeAll(async () => {
    target = await useEmulator({ enforceRoles: true });
    gateway = await startGateway(0);
    const { endpoint, region, credentials } = target;
    client = new DynamoDBClient({ endpoint, region, credentials });
  });
  afterAll(async () => {
    client?.destroy();
    await gateway?.close();
  });

  test("a table is restored to a point in time, the stack is pointed to it, and the bus goes on from there", async () => {
    const original = await deploy();
    const { url } = gateway;
    const target = { kind: "queue" };
    const queue = await call(url, "POST", "/subscriptions", { body: { name: "reader", event_types: [TYPE], target } });
    const messages = `/subscriptions/${queue.json["subscription_id"]}/messages?wait=20`;
    const keyed = { body: { type: TYPE, data: { n: 1 } }, headers: { "idempotency-key": "before the backup" } };
    const before = await call(url, "POST", "/events", keyed);
    const taken = await call(url, "GET", messages);
    expect(taken.json).toMatchObject({ messages: [{ event: { id: before.json["event_id"] } }] });

    // As it is while the message is on its way.
    await client.send(
      new RestoreTableToPointInTimeCommand({
        SourceTableName: original,
        TargetTableName: RESTORED,
        UseLatestRestorableTime: true,
      }),
    );
    await client.send(
      new UpdateTimeToLiveCommand({
        TableName: RESTORED,
        TimeToLiveSpecification: { Enabled: true, AttributeName: TABLE.ttlAttribute },
      }),
    );
    const after = await call(url, "POST", "/events", { body: { type: TYPE, data: { n: 2 } } });

    expect(await deploy({ tableName: RESTORED })).toBe(RESTORED);
    const found = (id: unknown) => call(url, "GET", `/events/${id}`).then(({ status }) => status);
    expect(await found(before.json["event_id"])).toBe(200);
    expect(await found(after.json["event_id"])).toBe(404);
    const repeated = await call(url, "POST", "/events", keyed);
    expect(repeated.json).toMatchObject({ event_id: before.json["event_id"], replayed: true });
    // Roles, indexes and rules lead to the restored table: a new event is recorded, listed and dispatched.
    const fresh = await call(url, "POST", "/events", { body: { type: TYPE, data: { n: 3 } } });
    const listed = await call(url, "GET", `/events?type=${TYPE}`);
    expect((listed.json["events"] as { id: string }[]).map(({ id }) => id)).toEqual([
      fresh.json["event_id"],
      before.json["event_id"],
    ]);
    await expect
      .poll(async () => JSON.stringify((await call(url, "GET", messages)).json), { timeout: 40_000 })
      .toContain(String(fresh.json["event_id"]));

    // The old one is kept until somebody deletes it.
    const old = await client.send(new DescribeTableCommand({ TableName: original }));
    expect(old.Table?.TableStatus).toBe("ACTIVE");
  }, 240_000);
});
