/** Calls to AWS by the bus's own clients: what it needs of the SDK's, and nothing else (docs/decisions/0014). */
import type { PutEventsRequest } from "@aws-sdk/client-eventbridge";
import type { AwsCalls, AwsService, CallOptions, EventCalls, TableCalls } from "./calls.ts";
import { type AwsEnvironment, readAwsEnvironment } from "./config.ts";
import { Connection, type ConnectionOptions } from "./lean/connection.ts";
import { type CredentialSource, credentialsOf } from "./lean/credentials.ts";
import { endpointOf } from "./lean/endpoint.ts";
import { JsonService } from "./lean/json-service.ts";

/** A service, and how to end it. */
export interface Closable {
  /** Breaks off its calls and closes its connections. */
  close(): void;
}

/** One service for one function. */
export interface LeanOptions extends ConnectionOptions {
  readonly url: URL;
  readonly region: string;
  readonly credentials: CredentialSource;
}

/**
 * What a function speaks to AWS with. Region, endpoints and credentials are those of its environment.
 * @throws Error that says what is missing there
 */
export function createAwsCalls(environment: AwsEnvironment = readAwsEnvironment()): AwsCalls {
  const { region, identity } = environment;
  const credentials = credentialsOf(identity);
  const table = leanTableCalls({ url: endpointOf("dynamodb", environment), region, credentials });
  const events = leanEventCalls({ url: endpointOf("eventbridge", environment), region, credentials });
  const opening: Readonly<Record<AwsService, () => void>> = { dynamodb: table.open, eventbridge: events.open };
  return {
    table,
    events,
    openSockets(services) {
      for (const service of services) opening[service]();
    },
  };
}

/** Calls to DynamoDB. */
export function leanTableCalls(options: LeanOptions): TableCalls & Closable & { open(): void } {
  const { service, open, close } = started(options, "dynamodb", "DynamoDB_20120810", "1.0");
  const calling =
    <Input extends object, Output>(operation: string) =>
    (input: Input, { signal }: CallOptions = {}): Promise<Output> =>
      service.call<Output>(operation, input, signal);
  return {
    getItem: calling("GetItem"),
    batchGetItem: calling("BatchGetItem"),
    putItem: calling("PutItem"),
    updateItem: calling("UpdateItem"),
    deleteItem: calling("DeleteItem"),
    query: calling("Query"),
    open,
    close,
  };
}

/** Calls to EventBridge. */
export function leanEventCalls(options: LeanOptions): EventCalls & Closable & { open(): void } {
  const { service, open, close } = started(options, "events", "AWSEvents", "1.1");
  return {
    putEvents: (input, { signal } = {}) => service.call("PutEvents", onTheWire(input), signal),
    open,
    close,
  };
}

/** Instants are epoch seconds in AWS's JSON. */
const onTheWire = (input: PutEventsRequest): object => ({
  ...input,
  Entries: input.Entries?.map(({ Time, ...entry }) => ({
    ...entry,
    ...(Time === undefined ? {} : { Time: Time.getTime() / 1_000 }),
  })),
});

function started(
  { url, region, credentials, ...rest }: LeanOptions,
  signingName: string,
  prefix: string,
  version: "1.0" | "1.1",
): { service: JsonService; open(): void; close(): void } {
  const connection = new Connection(url, rest);
  const service = new JsonService({ url, region, signingName, prefix, version, credentials, connection });
  return {
    service,
    open: () => connection.open(),
    close: () => connection.close(),
  };
}
