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
import type { AwsCalls, AwsService, CallOptions, EventCalls, TableCalls } from "./calls.ts";
import { readAwsEnvironment } from "./config.ts";
import { endpointOf, placeOf } from "./lean/endpoint.ts";
import { SocketPool } from "./lean/socket-pool.ts";
import { SDK_CLIENT } from "./sdk-client.ts";

/** As many as the SDK makes by itself. */
const MAX_SOCKETS = 50;

/** What a function speaks to AWS with. Region, endpoints and credentials are those of its environment. */
export function createAwsCalls(): AwsCalls {
  const pools: Readonly<Record<AwsService, SocketPool>> = {
    dynamodb: new SocketPool({ maxSockets: MAX_SOCKETS }),
    eventbridge: new SocketPool({ maxSockets: MAX_SOCKETS }),
  };
  const clientOver = (httpsAgent: SocketPool) => ({
    ...SDK_CLIENT,
    requestHandler: { ...SDK_CLIENT.requestHandler, httpsAgent },
  });
  return {
    table: sdkTableCalls(new DynamoDBClient(clientOver(pools.dynamodb))),
    events: sdkEventCalls(new EventBridgeClient(clientOver(pools.eventbridge))),
    openSockets(services) {
      for (const service of services) openEarly(pools[service], service);
    },
  };
}

/** The SDK knows more endpoints than these; where it goes elsewhere, it opens its own connection. */
function openEarly(pool: SocketPool, service: AwsService): void {
  try {
    const url = endpointOf(service, readAwsEnvironment());
    if (url.protocol === "https:") pool.openEarly(placeOf(url));
  } catch {
    // The first call will say what is wrong.
  }
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
