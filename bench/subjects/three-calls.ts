/** What an event asks of AWS when nothing of it is checked: it is recorded, published and marked. The item has what the bus's has. */
import { randomUUID } from "node:crypto";
import type { PutItemInput, UpdateItemInput } from "@aws-sdk/client-dynamodb";
import type { PutEventsRequest } from "@aws-sdk/client-eventbridge";
import { readNames } from "./config.ts";

export interface FunctionUrlEvent {
  readonly body: string;
  readonly requestContext: { readonly authorizer: { readonly iam: { readonly userArn: string } } };
}

export interface FunctionUrlAnswer {
  readonly statusCode: number;
  readonly body: string;
}

export interface ThreeCalls {
  readonly put: PutItemInput;
  readonly publish: PutEventsRequest;
  readonly mark: UpdateItemInput;
  answer(published: boolean): FunctionUrlAnswer;
}

const { tableName, eventBusName } = readNames();

export function threeCalls(event: FunctionUrlEvent): ThreeCalls {
  const { type, data } = JSON.parse(event.body) as { type: string; data: object };
  const id = randomUUID();
  const timestamp = new Date().toISOString();
  const source = event.requestContext.authorizer.iam.userArn;
  const key = { pk: { S: `EVENT#${id}` }, sk: { S: "META" } };
  const detail = { id, type, data, timestamp, correlation_id: id, hops: 0, source };
  return {
    put: {
      TableName: tableName,
      Item: {
        ...key,
        v: { N: "1" },
        id: { S: id },
        type: { S: type },
        timestamp: { S: timestamp },
        correlation_id: { S: id },
        source: { S: source },
        kind: { S: "event" },
        payload_hash: { S: id },
        reply_token: { S: id },
        commit_id: { S: id },
        data: { S: JSON.stringify(data) },
        type_pk: { S: `TYPE#${type}#0` },
        conversation_pk: { S: `CONVERSATION#${id}` },
        time_pk: { S: "TIME#0" },
        time_sk: { S: `${timestamp}#${id}` },
        work_pk: { S: "WORK#publish#0" },
        work_sk: { S: `${timestamp}#${id}` },
        hops: { N: "0" },
        published: { BOOL: false },
        relay_attempts: { N: "0" },
        expires_at: { N: "1800000000" },
      },
      ConditionExpression: "attribute_not_exists(pk)",
    },
    publish: {
      Entries: [
        {
          EventBusName: eventBusName,
          Source: "agent-event-bus",
          DetailType: type,
          Time: new Date(timestamp),
          Detail: JSON.stringify(detail),
        },
      ],
    },
    mark: {
      TableName: tableName,
      Key: key,
      UpdateExpression: "SET published = :true REMOVE work_pk, work_sk",
      ExpressionAttributeValues: { ":true": { BOOL: true } },
    },
    answer: (published) => ({ statusCode: 202, body: JSON.stringify({ event_id: id, type, timestamp, published }) }),
  };
}
