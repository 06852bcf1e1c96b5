/** `S` by the bus's own clients of AWS: what of a start is theirs, and what the bus's domain adds. */
import { createAwsCalls } from "../../functions/runtime/aws/lean-calls.ts";
import { type FunctionUrlAnswer, type FunctionUrlEvent, threeCalls } from "./three-calls.ts";

const { table, events, openSockets } = createAwsCalls();
openSockets(["dynamodb", "eventbridge"]);

export async function handler(event: FunctionUrlEvent): Promise<FunctionUrlAnswer> {
  const { put, publish, mark, answer } = threeCalls(event);
  await table.putItem(put);
  const { FailedEntryCount } = await events.putEvents(publish);
  await table.updateItem(mark);
  return answer(FailedEntryCount === 0);
}
