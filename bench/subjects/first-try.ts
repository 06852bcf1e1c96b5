/**
 * What one gets without thinking about starts: the document client, Zod, Powertools with logger, tracer and metrics, and
 * the bundler's defaults. The same three calls.
 */
import { randomUUID } from "node:crypto";
import { Logger } from "@aws-lambda-powertools/logger";
import { Metrics } from "@aws-lambda-powertools/metrics";
import { Tracer } from "@aws-lambda-powertools/tracer";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { EventBridgeClient, PutEventsCommand } from "@aws-sdk/client-eventbridge";
import { DynamoDBDocumentClient, PutCommand, UpdateCommand } from "@aws-sdk/lib-dynamodb";
import { z } from "zod";
import { readNames } from "./config.ts";

const { tableName, eventBusName } = readNames();
const logger = new Logger({ serviceName: "bus" });
const metrics = new Metrics({ namespace: "bus", serviceName: "bus" });
const tracer = new Tracer({ serviceName: "bus" });
const table = DynamoDBDocumentClient.from(tracer.captureAWSv3Client(new DynamoDBClient({})));
const bus = tracer.captureAWSv3Client(new EventBridgeClient({}));

const Input = z.strictObject({
  type: z.string(),
  data: z.record(z.string(), z.unknown()),
  agent_type: z.string().optional(),
});

export async function handler(event: { readonly body: string }): Promise<{ statusCode: number; body: string }> {
  const { type, data } = Input.parse(JSON.parse(event.body));
  const id = randomUUID();
  const timestamp = new Date().toISOString();
  const key = { pk: `EVENT#${id}`, sk: "META" };
  await table.send(
    new PutCommand({
      TableName: tableName,
      Item: { ...key, id, type, data, timestamp, published: false },
      ConditionExpression: "attribute_not_exists(pk)",
    }),
  );
  const { FailedEntryCount } = await bus.send(
    new PutEventsCommand({
      Entries: [
        {
          EventBusName: eventBusName,
          Source: "agent-event-bus",
          DetailType: type,
          Detail: JSON.stringify({ id, type, data, timestamp }),
        },
      ],
    }),
  );
  await table.send(
    new UpdateCommand({
      TableName: tableName,
      Key: key,
      UpdateExpression: "SET published = :true",
      ExpressionAttributeValues: { ":true": true },
    }),
  );
  metrics.addMetric("Emitted", "Count", 1);
  metrics.publishStoredMetrics();
  logger.info("an event was emitted", { id, type });
  return { statusCode: 202, body: JSON.stringify({ event_id: id, published: FailedEntryCount === 0 }) };
}
