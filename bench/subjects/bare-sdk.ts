/**
 * `S`, what the bus is judged against: an event is recorded, published and marked by the two bare SDK clients and nothing
 * else. It checks nothing, knows nobody, and recognises no repetition.
 */
import { DynamoDBClient, PutItemCommand, UpdateItemCommand } from "@aws-sdk/client-dynamodb";
import { EventBridgeClient, PutEventsCommand } from "@aws-sdk/client-eventbridge";
import { type FunctionUrlAnswer, type FunctionUrlEvent, threeCalls } from "./three-calls.ts";

const table = new DynamoDBClient({});
const bus = new EventBridgeClient({});

export async function handler(event: FunctionUrlEvent): Promise<FunctionUrlAnswer> {
  const { put, publish, mark, answer } = threeCalls(event);
  await table.send(new PutItemCommand(put));
  const { FailedEntryCount } = await bus.send(new PutEventsCommand(publish));
  await table.send(new UpdateItemCommand(mark));
  return answer(FailedEntryCount === 0);
}
