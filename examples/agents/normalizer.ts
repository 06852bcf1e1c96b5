/**
 * The normalizer takes a message in: it cleans the text, guesses the language, asks for context and drafts a reply.
 *
 * `MESSAGE_RECEIVED {text}` leads to `LANGUAGE_NORMALIZED`, `CONTEXT_REQUESTED` with a wait, `REPLY_DRAFTED` and
 * `MESSAGE_PROCESSED`. It observes: nobody waits for an answer from it.
 */
import { AgentEventBusError } from "../../client/errors.ts";
import { subscriber } from "../../client/subscriber.ts";
import type { EventTypesOf } from "../../shared/bus-config.ts";
import type { JsonObject } from "../../shared/json.ts";
import type config from "../bus.config.ts";
import { cleanText, guessLanguage } from "../language.ts";
import { draftReply } from "../reply.ts";

const AGENT = { agentType: "normalizer" };

/** Nothing is drafted in a hurry; a reply without context is worth less than one that comes a little later. */
const CONTEXT_TIMEOUT_SECONDS = 10;

type EventTypes = EventTypesOf<typeof config>;

export const handler = subscriber<"MESSAGE_RECEIVED", EventTypes>(async (event, context) => {
  const received = event.data;
  if (typeof received.text !== "string" || received.text.trim() === "") return;

  const { text, changes } = cleanText(received.text);
  const { language, confidence } = guessLanguage(text);
  await context.emit(
    "LANGUAGE_NORMALIZED",
    { text, language, original_language: language, confidence, changes },
    AGENT,
  );

  const answer = await askForContext(() =>
    context.emitAndWait(
      "CONTEXT_REQUESTED",
      { topic: "reply", query: text, language },
      { ...AGENT, timeout: CONTEXT_TIMEOUT_SECONDS },
    ),
  );
  const reply = draftReply(text, language, answer);
  await context.emit("REPLY_DRAFTED", { text: reply.text, tone: reply.tone }, AGENT);
  await context.emit(
    "MESSAGE_PROCESSED",
    {
      ...(received.message_id === undefined ? {} : { message_id: received.message_id }),
      result: { language, reply: reply.text, facts: reply.facts },
    },
    AGENT,
  );
});

/** The context, or null when nobody gave any in time: the reply is then drafted without. */
async function askForContext(
  ask: () => Promise<{ response: JsonObject | null; status: string }>,
): Promise<JsonObject | null> {
  try {
    const outcome = await ask();
    return outcome.status === "answered" ? outcome.response : null;
  } catch (error) {
    if (error instanceof AgentEventBusError && error.code === "no_subscribers") return null;
    throw error;
  }
}
