/** What becomes of events that deployed subscribers cannot take, on a deployment whose queues a test can reach. */
import {
  GetQueueUrlCommand,
  type MessageAttributeValue,
  SendMessageCommand,
  SetQueueAttributesCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import { beforeAll, describe, expect, it } from "vitest";
import type { AwsTarget } from "../../local/aws/emulator.ts";
import { call, type Json } from "../support/call.ts";

const STACK = "AgentEventBus";
const SOON = { timeout: 60_000, interval: 250 };

/** @param open the URL of the bus, and the services it is deployed to */
export function deadLetterScenarios(open: () => Promise<{ url: string; target: AwsTarget }>): void {
  describe("what a deployed subscriber could not be brought", () => {
    let url: string;
    let target: AwsTarget;
    let sqs: SQSClient;
    beforeAll(async () => {
      ({ url, target } = await open());
      sqs = new SQSClient({ ...target });
    });

    const queueUrl = async (name: string): Promise<string> =>
      (await sqs.send(new GetQueueUrlCommand({ QueueName: `${STACK}-${name}` }))).QueueUrl ?? "";
    const send = async (queue: string, body: object, attributes: Record<string, string> = {}): Promise<void> => {
      const MessageAttributes: Record<string, MessageAttributeValue> = Object.fromEntries(
        Object.entries(attributes).map(([name, StringValue]) => [name, { DataType: "String", StringValue }]),
      );
      const message = { QueueUrl: await queueUrl(queue), MessageBody: JSON.stringify(body), MessageAttributes };
      await sqs.send(new SendMessageCommand(message));
    };
    /** A PING that both of its subscribers have answered. */
    const answeredPing = async (): Promise<{ id: string; type: string }> => {
      const body = { type: "PING", data: { note: "hi" }, timeout: 30, expect: { mode: "all" } };
      const { json } = await call(url, "POST", "/requests", { body });
      expect(json["status"]).toBe("answered");
      return { id: json["event_id"] as string, type: "PING" };
    };
    const deadOf = async (subscriber: string, eventId: string): Promise<Json[]> => {
      const { json } = await call(url, "GET", `/deliveries?status=dead&subscription_id=deployed:${subscriber}`);
      return (json["deliveries"] as Json[]).filter((one) => one["event_id"] === eventId);
    };

    it("because it fails each time is taken from its queue, listed with the reason, and given to it again", async () => {
      // Six times its time-out is long for a test.
      const VisibilityTimeout = "0";
      const QueueUrl = await queueUrl("agent-pong-queue");
      await sqs.send(new SetQueueAttributesCommand({ QueueUrl, Attributes: { VisibilityTimeout } }));
      const event = await answeredPing();
      // Nothing that a subscriber can read: its function fails at it.
      await send("agent-pong-queue", { "detail-type": event.type, source: "agent-event-bus", detail: event });
      await expect
        .poll(() => deadOf("pong-queue", event.id), SOON)
        .toMatchObject([
          {
            subscriber: "pong-queue",
            kind: "deployed",
            status: "dead",
            attempts: 5,
            reason: "it failed each time that it was received from the queue",
          },
        ]);
      const explained = await call(url, "GET", `/events/${event.id}/explain`);
      expect(explained.json["subscribers"]).toContainEqual(
        expect.objectContaining({ subscriber: "pong-queue", verdict: "dead" }),
      );
      const redriven = await call(url, "POST", "/deliveries/redrive", { body: { event_id: event.id } });
      expect(redriven.json).toMatchObject({ redriven: 1, failed: 0 });
      await expect.poll(() => deadOf("pong-queue", event.id), SOON).toEqual([]);
    });

    it("as EventBridge tells it, by a letter played here, is listed, and given to a function without a queue again", async () => {
      const event = await answeredPing();
      await send(
        "dead-letters",
        { "detail-type": event.type, source: "agent-event-bus", detail: event },
        {
          TARGET_ARN: `arn:aws:lambda:${target.region}:${target.credentials.accessKeyId}:function:${STACK}-agent-pong-direct`,
          ERROR_CODE: "NO_PERMISSIONS",
          ERROR_MESSAGE: "not allowed",
        },
      );
      await expect
        .poll(() => deadOf("pong-direct", event.id), SOON)
        .toMatchObject([{ status: "dead", reason: "EventBridge could not deliver it: NO_PERMISSIONS: not allowed" }]);
      const dry = await call(url, "POST", "/deliveries/redrive", { body: { event_id: event.id, dry_run: true } });
      expect(dry.json).toMatchObject({ dry_run: true, redriven: 1, failed: 0 });
      const redriven = await call(url, "POST", "/deliveries/redrive", { body: { event_id: event.id } });
      expect(redriven.json).toMatchObject({ redriven: 1, failed: 0 });
      const { json } = await call(url, "GET", `/events/${event.id}`);
      expect(json["deliveries"]).toMatchObject([{ subscription_id: "deployed:pong-direct", status: "redriven" }]);
    });
  });
}
