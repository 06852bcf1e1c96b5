/** The `EventStore` on one DynamoDB table: AWS, an emulator, or the embedded store. */
import type { EventStore } from "../../shared/ports.ts";
import type { TableCalls } from "./aws/calls.ts";
import { agentMethods } from "./dynamo/agents.ts";
import { answerTimesMethods } from "./dynamo/answer-times.ts";
import { deliveryMethods } from "./dynamo/deliveries.ts";
import { eventMethods } from "./dynamo/events.ts";
import { indexMethods } from "./dynamo/indexes.ts";
import { requestMethods } from "./dynamo/requests.ts";
import { subscriptionMethods } from "./dynamo/subscriptions.ts";
import { DynamoTable } from "./dynamo/table.ts";

export interface DynamoEventStoreOptions {
  readonly calls: TableCalls;
  readonly tableName: string;
  /** Wall clock in epoch milliseconds, for what has expired. */
  readonly now?: () => number;
}

export function createDynamoEventStore({ calls, tableName, now = Date.now }: DynamoEventStoreOptions): EventStore {
  const table = new DynamoTable(calls, tableName);
  const nowSeconds = (): number => now() / 1_000;
  return {
    ...eventMethods(table, nowSeconds),
    ...requestMethods(table, nowSeconds),
    ...indexMethods(table),
    ...subscriptionMethods(table, nowSeconds),
    ...deliveryMethods(table, nowSeconds),
    ...agentMethods(table, nowSeconds),
    ...answerTimesMethods(table, nowSeconds),
  };
}
