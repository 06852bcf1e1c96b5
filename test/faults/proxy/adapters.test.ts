import { SQSClient } from "@aws-sdk/client-sqs";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { SDK_CLIENT } from "../../../functions/runtime/aws/sdk-client.ts";
import { createEventBridgePublisher } from "../../../functions/runtime/eventbridge-publisher.ts";
import { createSqsWebhookQueue } from "../../../functions/runtime/sqs-webhook-queue.ts";
import { BusError } from "../../../shared/errors.ts";
import { type DeliveredEvent, deliveredCopy } from "../../../shared/event.ts";
import type { WebhookTask } from "../../../shared/ports.ts";
import { AWS_CLIENTS, type AwsAt } from "../../support/aws-clients.ts";
import { anEvent } from "./an-event.ts";
import { type FaultProxy, startFaultProxy } from "./fault-proxy.ts";
import { type NemesisName, NUMBERS } from "./nemeses.ts";
import { type EventBus, type MessageQueue, startEventBus, startMessageQueue } from "./services.ts";

let bus: EventBus;
let queue: MessageQueue;
let proxy: FaultProxy;

beforeEach(async () => {
  bus = await startEventBus();
  queue = await startMessageQueue();
  proxy = await startFaultProxy({ seed: 3, targets: { eventbridge: bus.url, sqs: queue.url } });
});
afterEach(async () => {
  proxy.setRates({});
  await proxy.quiet();
  await proxy.close();
  await bus.close();
  await queue.close();
});

const access = { region: "local", credentials: { accessKeyId: "local", secretAccessKey: "local" } };
const ANSWER_TIMEOUT_MS = 300;
const patience = { ...SDK_CLIENT.requestHandler, requestTimeout: ANSWER_TIMEOUT_MS };
const webhookQueue = () =>
  createSqsWebhookQueue(
    new SQSClient({ ...access, ...SDK_CLIENT, requestHandler: patience, endpoint: proxy.url, md5: false }),
    `${proxy.url}/000000000000/webhooks`,
  );

const events = (count: number): DeliveredEvent[] =>
  Array.from({ length: count }, (_, i) => deliveredCopy(anEvent({ text: String(i) }).event, "token"));
const tasks = (count: number): WebhookTask[] =>
  Array.from({ length: count }, (_, i) => ({ owner: "agent", subscriptionId: "hook", eventId: `event-${i}` }));

/** What was taken, each once, in order of their ids. */
const takenIds = (): string[] => [...new Set(bus.taken.map(({ id }) => String(id)))].sort();

const NEMESES_OF_A_BUS: readonly NemesisName[] = [
  "dropped",
  "acknowledgementLost",
  "zombie",
  "duplicated",
  "throttled",
  "burst",
  "delayed",
  "stalled",
  "entriesFailed",
];

describe.each(AWS_CLIENTS)("events on their way to EventBridge by %s", (_client, connect) => {
  let aws: AwsAt;
  beforeEach(() => {
    aws = connect({ endpoint: proxy.url, answerTimeoutMs: ANSWER_TIMEOUT_MS });
  });
  afterEach(() => aws.close());
  const publisher = () => createEventBridgePublisher({ calls: aws.events, eventBusName: "bus" });

  test.each(NEMESES_OF_A_BUS.map((name) => [NUMBERS[name], name] as const))(
    "%s %s: what is said to be published is, and what is sent again until it is loses nothing",
    async (_, nemesis) => {
      const { publish } = publisher();
      const sent = events(40);
      let left: DeliveredEvent[] = sent;
      proxy.setRates({ [nemesis]: 0.4 });
      for (let round = 0; left.length > 0; round++) {
        const outcomes = await publish(left);
        const published = left.filter((__, i) => outcomes[i]?.kind === "published");
        for (const { id } of published) expect(takenIds()).toContain(id);
        left = left.filter((event) => !published.includes(event));
        if (round === 20) throw new Error(`${left.length} events were never published`);
      }
      expect(takenIds()).toEqual(sent.map(({ id }) => id).sort());
      expect(proxy.tally.of(nemesis, "PutEvents")).toBeGreaterThan(0);
    },
  );

  test("N9: of a batch only the failed entries are sent again [emit-11]", async () => {
    const { publish } = publisher();
    const sent = events(200);
    let left: DeliveredEvent[] = sent;
    proxy.setRates({ entriesFailed: 0.5 });
    while (left.length > 0) {
      const outcomes = await publish(left);
      left = left.filter((_, i) => outcomes[i]?.kind !== "published");
    }
    expect(bus.taken.map(({ id }) => String(id)).sort()).toEqual(sent.map(({ id }) => id).sort());
  });
});

describe("webhooks on their way to SQS", () => {
  test.each([...NEMESES_OF_A_BUS].map((name) => [NUMBERS[name], name] as const))(
    "%s %s: what is sent for is there, or the sender is told to send again",
    async (_, nemesis) => {
      const { send } = webhookQueue();
      const wanted = tasks(25);
      proxy.setRates({ [nemesis]: 0.3 });
      for (let tries = 1; ; tries++) {
        try {
          await send(wanted);
          break;
        } catch (error) {
          expect(error).toBeInstanceOf(BusError);
          expect(error).toMatchObject({ code: "unavailable", retryable: true });
          if (tries === 40) throw error;
        }
      }
      expect(new Set(queue.taken)).toEqual(new Set(wanted.map((task) => JSON.stringify(task))));
      expect(proxy.tally.of("calls", "SendMessageBatch")).toBeGreaterThan(2);
    },
  );
});
