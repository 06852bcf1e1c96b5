/** What who redrives works with beside the store. */
import { LambdaClient } from "@aws-sdk/client-lambda";
import { SQSClient } from "@aws-sdk/client-sqs";
import config from "../../bus.config.ts";
import type { RedriveDeps } from "../../shared/deliveries/redrive.ts";
import type { Deps } from "../../shared/ports.ts";
import { SDK_CLIENT } from "./aws/sdk-client.ts";
import { readRedriveConfig, readWebhookQueueUrl } from "./config.ts";
import { createDeployedTargets } from "./deployed-targets.ts";
import { createSqsWebhookQueue } from "./sqs-webhook-queue.ts";

export function createRedriveParts(): Omit<RedriveDeps, keyof Deps> {
  const sqs = new SQSClient(SDK_CLIENT);
  return {
    webhookQueue: createSqsWebhookQueue(sqs, readWebhookQueueUrl()),
    deployed: createDeployedTargets({
      sqs,
      lambda: new LambdaClient(SDK_CLIENT),
      subscribers: config.subscribers,
      config: readRedriveConfig(),
    }),
  };
}
