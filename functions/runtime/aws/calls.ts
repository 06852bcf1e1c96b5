/**
 * What the bus asks of DynamoDB and EventBridge, whoever speaks to them: the SDK (`sdk-calls.ts`) or the lean clients
 * (`lean-calls.ts`). Shapes are those of the services' own APIs.
 *
 * A call fails with an Error whose `name` is the service's name of it, as `ThrottlingException`.
 */
import type {
  BatchGetItemInput,
  BatchGetItemOutput,
  DeleteItemInput,
  DeleteItemOutput,
  GetItemInput,
  GetItemOutput,
  PutItemInput,
  PutItemOutput,
  QueryInput,
  QueryOutput,
  UpdateItemInput,
  UpdateItemOutput,
} from "@aws-sdk/client-dynamodb";
import type { PutEventsRequest, PutEventsResponse } from "@aws-sdk/client-eventbridge";

export interface CallOptions {
  /** Breaks the call off; whether it was done is then unknown. */
  readonly signal?: AbortSignal;
}

/** Calls to DynamoDB. Items have no binary attributes. */
export interface TableCalls {
  getItem(input: GetItemInput, options?: CallOptions): Promise<GetItemOutput>;
  batchGetItem(input: BatchGetItemInput, options?: CallOptions): Promise<BatchGetItemOutput>;
  putItem(input: PutItemInput, options?: CallOptions): Promise<PutItemOutput>;
  updateItem(input: UpdateItemInput, options?: CallOptions): Promise<UpdateItemOutput>;
  deleteItem(input: DeleteItemInput, options?: CallOptions): Promise<DeleteItemOutput>;
  query(input: QueryInput, options?: CallOptions): Promise<QueryOutput>;
}

/** Calls to EventBridge. */
export interface EventCalls {
  putEvents(input: PutEventsRequest, options?: CallOptions): Promise<PutEventsResponse>;
}

export type AwsService = "dynamodb" | "eventbridge";

/** What a function that was just started speaks to AWS with. */
export interface AwsCalls {
  readonly table: TableCalls;
  readonly events: EventCalls;
  /** Begins to connect to these services, so that the first call to each finds a connection. Never throws. */
  openSockets(services: readonly AwsService[]): void;
}

/** Whether a write failed because its condition did not hold, and so was surely not done. */
export function isConditionFailed(error: unknown): boolean {
  return error instanceof Error && error.name === "ConditionalCheckFailedException";
}
