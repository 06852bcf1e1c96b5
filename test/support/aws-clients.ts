/** Both clients of AWS, as they are deployed but for the place that they speak to. */
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { EventBridgeClient } from "@aws-sdk/client-eventbridge";
import type { EventCalls, TableCalls } from "../../functions/runtime/aws/calls.ts";
import { credentialsOf } from "../../functions/runtime/aws/lean/credentials.ts";
import { type Closable, leanEventCalls, leanTableCalls } from "../../functions/runtime/aws/lean-calls.ts";
import { sdkEventCalls, sdkTableCalls } from "../../functions/runtime/aws/sdk-calls.ts";
import { SDK_CLIENT } from "../../functions/runtime/aws/sdk-client.ts";

export interface AwsAt extends Closable {
  readonly table: TableCalls;
  readonly events: EventCalls;
}

interface Place {
  readonly endpoint: string;
  /** A stand-in that knows no regions and no accounts takes any. */
  readonly region?: string;
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string };
  /** How long an answer may take; as deployed when not given. */
  readonly answerTimeoutMs?: number;
}

const REGION = "local";
const CREDENTIALS = { accessKeyId: "local", secretAccessKey: "local" };

function leanAt({ endpoint, region = REGION, credentials = CREDENTIALS, ...patience }: Place): AwsAt {
  const options = {
    url: new URL(endpoint),
    region,
    credentials: credentialsOf({ kind: "given", ...credentials }),
    ...patience,
  };
  const table = leanTableCalls(options);
  const events = leanEventCalls(options);
  return {
    table,
    events,
    close() {
      table.close();
      events.close();
    },
  };
}

function sdkAt({ endpoint, region = REGION, credentials = CREDENTIALS, answerTimeoutMs }: Place): AwsAt {
  const options = {
    ...SDK_CLIENT,
    requestHandler: {
      ...SDK_CLIENT.requestHandler,
      ...(answerTimeoutMs === undefined ? {} : { requestTimeout: answerTimeoutMs }),
    },
    endpoint,
    region,
    credentials,
  };
  const dynamo = new DynamoDBClient(options);
  const eventBridge = new EventBridgeClient(options);
  return {
    table: sdkTableCalls(dynamo),
    events: sdkEventCalls(eventBridge),
    close() {
      dynamo.destroy();
      eventBridge.destroy();
    },
  };
}

/** The SDK's client of the embedded store, as patient as the lean one is there. */
export function sdkCallsAt(endpoint: string): TableCalls & Closable {
  const { table, close } = sdkAt({ endpoint, answerTimeoutMs: 10_000 });
  return { ...table, close };
}

/** For `describe.each`. */
export const AWS_CLIENTS: readonly (readonly [string, (place: Place) => AwsAt])[] = [
  ["the lean clients", leanAt],
  ["the SDK's clients", sdkAt],
];
