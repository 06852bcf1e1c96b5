/** Hands events to deployed subscribers again: into the queue of one, or to the function of one without a queue. */
import { InvokeCommand, type LambdaClient } from "@aws-sdk/client-lambda";
import { GetQueueUrlCommand, SendMessageCommand, type SQSClient } from "@aws-sdk/client-sqs";
import { type DeployedSubscriber, DISPATCH } from "../../shared/deployed-subscriber.ts";
import { BusError } from "../../shared/errors.ts";
import { type DeliveredEvent, EVENT_SOURCE } from "../../shared/event.ts";
import type { DeployedTargets } from "../../shared/ports.ts";
import type { RedriveConfig } from "./config.ts";

export interface DeployedTargetsParts {
  readonly sqs: SQSClient;
  readonly lambda: LambdaClient;
  readonly subscribers: readonly DeployedSubscriber[];
  readonly config: RedriveConfig;
}

export function createDeployedTargets({ sqs, lambda, subscribers, config }: DeployedTargetsParts): DeployedTargets {
  const sendTo = async (queueUrl: string, body: string): Promise<void> => {
    await sqs.send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: body }));
  };
  const redeliver = async (name: string, body: string): Promise<void> => {
    if (name === DISPATCH) return sendTo(config.dispatchQueueUrl, body);
    const physicalName = `${config.subscriberPrefix}${name}`;
    if (subscribers.find((one) => one.name === name)?.via === "queue") {
      const { QueueUrl = "" } = await sqs.send(new GetQueueUrlCommand({ QueueName: physicalName }));
      return sendTo(QueueUrl, body);
    }
    await lambda.send(
      new InvokeCommand({
        FunctionName: physicalName,
        InvocationType: "Event",
        Payload: new TextEncoder().encode(body),
      }),
    );
  };
  return {
    async redeliver(name, event) {
      try {
        await redeliver(name, JSON.stringify(asFromEventBridge(event)));
      } catch (cause) {
        throw new BusError("unavailable", `The event could not be handed to ${name} again.`, { cause });
      }
    },
  };
}

/** The event as a rule's target gets it, as far as subscribers read it. */
function asFromEventBridge(event: DeliveredEvent): object {
  return {
    version: "0",
    id: event.id,
    "detail-type": event.type,
    source: EVENT_SOURCE,
    time: event.timestamp,
    resources: [],
    detail: event,
  };
}
