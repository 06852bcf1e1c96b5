/**
 * The librarian answers requests for context: from its articles, and from what was said on the bus before.
 *
 * `CONTEXT_REQUESTED {query, language?}` is answered with `{facts, earlier_messages, searched}`.
 */
import { AgentEventBus } from "../../client/agent-event-bus.ts";
import { AgentEventBusError, RejectedError } from "../../client/errors.ts";
import { subscriber } from "../../client/subscriber.ts";
import type { BusEvent } from "../../shared/event.ts";
import { KNOWLEDGE } from "../knowledge.ts";
import { contentWords } from "../language.ts";
import { isSameWord, searchArticles } from "../search.ts";

const MAX_FACTS = 2;
const MAX_EARLIER = 3;
/** How far back it looks. */
const MESSAGES_READ = 100;

let bus: AgentEventBus | undefined;

export const handler = subscriber<"CONTEXT_REQUESTED">(async (event, context) => {
  const { query, language } = event.data;
  if (typeof query !== "string" || query.trim() === "") throw new RejectedError("A request for context needs a query.");
  await context.progress({ step: "searching", articles: KNOWLEDGE.length });

  const facts = searchArticles(KNOWLEDGE, query, MAX_FACTS).map(({ article, words, score }) => ({
    title: article.title,
    text: (typeof language === "string" ? article.text[language] : undefined) ?? article.text.en,
    because_of: words,
    score,
  }));
  const messages = await readMessages(event);
  return {
    facts,
    earlier_messages: alike(messages, query).slice(0, MAX_EARLIER),
    searched: { articles: KNOWLEDGE.length, messages: messages.length },
  };
});

/** A type and not an interface: only a type counts as a JSON object. */
type EarlierMessage = {
  readonly text: string;
  readonly timestamp: string;
  readonly same_conversation: boolean;
};

/** The messages before the one that is asked about, newest first. None where this agent may not read history. */
async function readMessages(request: BusEvent): Promise<EarlierMessage[]> {
  bus ??= new AgentEventBus();
  const messages: EarlierMessage[] = [];
  try {
    for await (const { data, timestamp, causation_id, correlation_id } of bus.history({
      type: "LANGUAGE_NORMALIZED",
      limit: MESSAGES_READ,
    }))
      if (typeof data.text === "string" && causation_id !== request.causation_id)
        messages.push({ text: data.text, timestamp, same_conversation: correlation_id === request.correlation_id });
  } catch (error) {
    if (!(error instanceof AgentEventBusError && error.code === "forbidden")) throw error;
  }
  return messages;
}

/** What was said in the same conversation, and elsewhere with at least two of the same words. */
function alike(messages: readonly EarlierMessage[], query: string): EarlierMessage[] {
  const wanted = contentWords(query);
  return messages.filter(({ text, same_conversation }) => {
    const words = contentWords(text);
    return same_conversation || wanted.filter((word) => words.some((other) => isSameWord(word, other))).length >= 2;
  });
}
