import { DynamoDBClient, GetItemCommand } from "@aws-sdk/client-dynamodb";
import { describe, expect } from "vitest";
import { itemToEvent } from "../../functions/runtime/dynamo/items.ts";
import { type DeliveredEvent, deliveredCopy } from "../../shared/event.ts";
import { keys } from "../../shared/keys.ts";
import { call } from "../support/call.ts";
import { emulatorAvailable, useDeployment, useEmulator } from "../support/emulator.ts";
import { type BusUnderTest, scenarios } from "./scenarios.suite.ts";

/** Deploys the stack. Where no stream is live, the copy that a subscriber gets can only be built from the record. */
async function open(): Promise<BusUnderTest> {
  const { url, outputs } = await useDeployment();
  const { endpoint, region, credentials } = await useEmulator();
  const client = new DynamoDBClient({ endpoint, region, credentials });
  const findId = async (type: string, conversation: string): Promise<string> => {
    let id: string | undefined;
    await expect
      .poll(
        async () => {
          const { json } = await call(url, "GET", `/events?correlation_id=${conversation}&type=${type}`);
          id = (json["events"] as { id: string }[] | undefined)?.at(-1)?.id;
          return id;
        },
        { timeout: 30_000, interval: 100 },
      )
      .toBeDefined();
    return id as string;
  };
  return {
    url,
    streamsLive: await canStream(url),
    async copyOf(type, conversation): Promise<DeliveredEvent> {
      const { pk, sk } = keys.event(await findId(type, conversation));
      const { Item } = await client.send(
        new GetItemCommand({ TableName: outputs["TableName"], Key: { pk: { S: pk }, sk: { S: sk } } }),
      );
      if (Item === undefined) throw new Error("The event is listed and has no record.");
      const record = itemToEvent(Item, undefined);
      return deliveredCopy(record.event, record.replyToken);
    },
  };
}

/** A stream says at once that it is open, unless it is held back. */
async function canStream(url: string): Promise<boolean> {
  try {
    const signal = AbortSignal.timeout(5_000);
    const reply = await call(url, "GET", "/events/stream?type=PING", { live: true, signal });
    return (await reply.live().next()).done !== true;
  } catch {
    return false;
  }
}

describe.skipIf(!(await emulatorAvailable()))("on the AWS emulator", () => {
  scenarios({
    name: "deployed with CDK's template",
    open,
    // Every call at once is a process of its own there.
    crowd: { repetitions: 8, racers: 6, waits: 4 },
  });
});
