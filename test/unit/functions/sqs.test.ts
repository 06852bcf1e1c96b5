import type { LambdaClient } from "@aws-sdk/client-lambda";
import type { SQSClient } from "@aws-sdk/client-sqs";
import type { SQSRecord } from "aws-lambda";
import { describe, expect, it } from "vitest";
import { createDeployedTargets } from "../../../functions/runtime/deployed-targets.ts";
import { ComesAgain, eachMessage } from "../../../functions/runtime/sqs-batch.ts";
import { createSqsWebhookQueue, hideMessage, readTask } from "../../../functions/runtime/sqs-webhook-queue.ts";
import { defineBus } from "../../../shared/bus-config.ts";
import { deliveredEvent } from "../../support/delivered-event.ts";
import { codeOf } from "../../support/failures.ts";
import { silentLogger } from "../../support/silent-logger.ts";

interface Sent {
  readonly command: string;
  readonly input: Record<string, unknown>;
}

/** A client that only remembers; the real services are behind the deployment's tests. */
function playedClient(answer: (sent: Sent) => object = () => ({})) {
  const sent: Sent[] = [];
  const client = {
    async send(command: { constructor: { name: string }; input: Record<string, unknown> }) {
      const one = { command: command.constructor.name, input: command.input };
      sent.push(one);
      return answer(one);
    },
  };
  return { sent, sqs: client as unknown as SQSClient, lambda: client as unknown as LambdaClient };
}

const tasks = (count: number) =>
  Array.from({ length: count }, (_, i) => ({ owner: "me", subscriptionId: `s-${i % 2}`, eventId: `e-${i}` }));

describe("the webhook queue on a played SQS", () => {
  it("takes any number of deliveries, each in the group of its subscription", async () => {
    const { sqs, sent } = playedClient();
    await createSqsWebhookQueue(sqs, "https://sqs/webhooks").send(tasks(23));
    const entries = sent.flatMap(({ input }) => input["Entries"] as { MessageBody: string; MessageGroupId: string }[]);
    expect(sent.map(({ input }) => (input["Entries"] as unknown[]).length)).toEqual([10, 10, 3]);
    expect(entries.map(({ MessageBody }) => readTask(MessageBody))).toEqual(tasks(23));
    expect(entries.map(({ MessageGroupId }) => MessageGroupId)).toEqual(tasks(23).map((task) => task.subscriptionId));
  });

  it("says that it is unavailable when not all of a batch were taken", async () => {
    const { sqs } = playedClient(() => ({ Failed: [{ Id: "1", Code: "InternalError" }] }));
    expect(await codeOf(createSqsWebhookQueue(sqs, "q").send(tasks(2)))).toBe("unavailable");
  });

  it("hides a message for as long as asked, in whole seconds, and for 12 h at most", async () => {
    const { sqs, sent } = playedClient();
    for (const ms of [4_200, 90 * 3_600_000, -5]) await hideMessage(sqs, "q", "receipt", ms);
    expect(sent.map(({ input }) => input["VisibilityTimeout"])).toEqual([5, 43_200, 0]);
  });

  it("refuses a message that names no delivery", () => {
    expect(() => readTask("{}")).toThrow();
  });
});

describe("a batch of messages", () => {
  it("has each message by itself: what fails or is to come again comes again, the others are done [deliver-6]", async () => {
    const record = (messageId: string) => ({ messageId, attributes: {} }) as unknown as SQSRecord;
    const logged: unknown[] = [];
    const log = { ...silentLogger, error: (_: string, fields?: object) => void logged.push(fields) };
    const result = await eachMessage(["done", "again", "broken"].map(record), { log }, async ({ messageId }) => {
      if (messageId === "again") throw new ComesAgain();
      if (messageId === "broken") throw new Error("no answer", { cause: new Error("AccessDenied") });
    });
    expect(result).toEqual({ batchItemFailures: [{ itemIdentifier: "again" }, { itemIdentifier: "broken" }] });
    expect(JSON.stringify(logged)).toContain("AccessDenied");
    expect(logged).toHaveLength(1);
  });
});

describe("handing an event to a deployed subscriber again, on played services", () => {
  const { subscribers } = defineBus({
    subscribers: [
      { name: "queued", on: "MESSAGE_RECEIVED", handler: "a.ts", via: "queue" },
      { name: "direct", on: "MESSAGE_RECEIVED", handler: "a.ts", via: "direct" },
    ],
  });
  const event = deliveredEvent({ id: "e-1" });
  const targets = ({ sqs, lambda }: ReturnType<typeof playedClient>) =>
    createDeployedTargets({
      sqs,
      lambda,
      subscribers,
      config: { subscriberPrefix: "Bus-agent-", dispatchQueueUrl: "https://sqs/dispatch" },
    });

  it("puts it into the subscriber's queue, as a rule would", async () => {
    const played = playedClient(({ command }) =>
      command === "GetQueueUrlCommand" ? { QueueUrl: "https://sqs/q" } : {},
    );
    await targets(played).redeliver("queued", event);
    expect(played.sent.map(({ command, input }) => [command, input["QueueName"] ?? input["QueueUrl"]])).toEqual([
      ["GetQueueUrlCommand", "Bus-agent-queued"],
      ["SendMessageCommand", "https://sqs/q"],
    ]);
    expect(JSON.parse(String(played.sent[1]?.input["MessageBody"]))).toMatchObject({
      "detail-type": event.type,
      source: "agent-event-bus",
      detail: event,
    });
  });

  it("calls the function of one without a queue, and does not wait for it", async () => {
    const played = playedClient();
    await targets(played).redeliver("direct", event);
    expect(played.sent).toMatchObject([
      { command: "InvokeCommand", input: { FunctionName: "Bus-agent-direct", InvocationType: "Event" } },
    ]);
  });

  it("puts what could not be dispatched into the dispatch queue", async () => {
    const played = playedClient();
    await targets(played).redeliver("(dispatch)", event);
    expect(played.sent).toMatchObject([{ command: "SendMessageCommand", input: { QueueUrl: "https://sqs/dispatch" } }]);
  });

  it("says that it is unavailable when the service refuses", async () => {
    const played = playedClient(() => {
      throw new Error("AccessDenied");
    });
    expect(await codeOf(targets(played).redeliver("direct", event))).toBe("unavailable");
  });
});
