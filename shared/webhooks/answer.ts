/** The answer to an event that stands in what a webhook's endpoint returned. */
import { findAgent } from "../agents/known-agents.ts";
import { answerId } from "../answer-id.ts";
import { BusError } from "../errors.ts";
import type { JsonObject, JsonValue } from "../json.ts";
import { parseJson } from "../parse-json.ts";
import type { Deps } from "../ports.ts";
import type { EventRecord } from "../records.ts";
import { respond } from "../respond.ts";
import type { SubscriptionRecord } from "../subscriptions/records.ts";

/**
 * Answers the event with `{"response": {...}, "status"?: "ok" | "rejected"}`. Under an id that follows from subscription
 * and event: a second call of the endpoint cannot answer twice (I5).
 *
 * @returns what came of it, in a few words; null when there is no answer in it
 * @throws BusError when it may or may not have been taken: the delivery is to be made again
 */
export async function takeAnswer(
  deps: Deps,
  { subscriptionId, answers, name, owner }: SubscriptionRecord,
  { event, replyToken }: EventRecord,
  body: string | null,
): Promise<string | null> {
  const answer = answers && body !== null ? readAnswer(body) : null;
  if (answer === null || typeof answer === "string") return answer;
  // It would take the place of the answer, under whose id it comes.
  if (answer.status === "progress") return 'its answer was refused: "progress" is no status of an answer';
  const response = { ...answer, reply_token: replyToken, response_id: answerId(subscriptionId, event.id) };
  try {
    const agent = await findAgent(deps, owner);
    if (agent === null) return "its answer was refused: its agent is not let in any more";
    const { verdict, first_verdict } = await respond(deps, event.id, response, { agent, as: name, isProven: true });
    return `its answer is ${first_verdict ?? verdict}`;
  } catch (error) {
    if (!(error instanceof BusError) || error.retryable) throw error;
    return `its answer was refused: ${error.message}`;
  }
}

/**
 * What is no object with a `response` is no answer: endpoints return all kinds of things. What looks like one and cannot be
 * taken is told, as a sentence, to whoever wonders where his answer is.
 */
function readAnswer(body: string): { response: JsonObject; status?: JsonValue } | string | null {
  if (!body.trimStart().startsWith("{")) return null;
  let value: JsonValue;
  try {
    value = parseJson(new TextEncoder().encode(body));
  } catch (error) {
    return `its body was refused: ${(error as Error).message}`;
  }
  const { response, status } = value as JsonObject;
  if (response === undefined) return null;
  if (typeof response !== "object" || response === null || Array.isArray(response))
    return "its answer was refused: /response: an object was expected";
  return { response, ...(status === undefined ? {} : { status }) };
}
