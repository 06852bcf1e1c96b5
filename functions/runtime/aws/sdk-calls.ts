/** Calls to AWS by the SDK's clients. */
import {
  BatchGetItemCommand,
  DeleteItemCommand,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  UpdateItemCommand,
} from "@aws-sdk/client-dynamodb";
import { EventBridgeClient, PutEventsCommand } from "@aws-sdk/client-eventbridge";
import type { AwsCalls, CallOptions, EventCalls, TableCalls } from "./calls.ts";
import { SDK_CLIENT } from "./sdk-client.ts";

/** What a function speaks to AWS with. Region, endpoints and credentials are those of its environment. */
export function createAwsCalls(): AwsCalls {
  return {
    table: sdkTableCalls(new DynamoDBClient(SDK_CLIENT)),
    events: sdkEventCalls(new EventBridgeClient(SDK_CLIENT)),
    openSockets: () => {},
  };
}

export function sdkTableCalls(client: DynamoDBClient): TableCalls {
  return {
    getItem: (input, options) => client.send(new GetItemCommand(input), handling(options)),
    batchGetItem: (input, options) => client.send(new BatchGetItemCommand(input), handling(options)),
    putItem: (input, options) => client.send(new PutItemCommand(input), handling(options)),
    updateItem: (input, options) => client.send(new UpdateItemCommand(input), handling(options)),
    deleteItem: (input, options) => client.send(new DeleteItemCommand(input), handling(options)),
    query: (input, options) => client.send(new QueryCommand(input), handling(options)),
  };
}

export function sdkEventCalls(client: EventBridgeClient): EventCalls {
  return { putEvents: (input, options) => client.send(new PutEventsCommand(input), handling(options)) };
}

const handling = ({ signal }: CallOptions = {}): { abortSignal?: AbortSignal } =>
  signal === undefined ? {} : { abortSignal: signal };
