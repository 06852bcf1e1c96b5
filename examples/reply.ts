/** Puts a reply together from a message and the context that was found for it. */
import * as v from "valibot";
import type { JsonObject } from "../shared/json.ts";

export interface Reply {
  readonly text: string;
  /** Of the message: `urgent`, `friendly` or `neutral`. */
  readonly tone: string;
  /** Titles of the articles that it is made of. */
  readonly facts: string[];
}

interface Phrases {
  readonly thanks: string;
  readonly again: string;
  readonly nothing: string;
}

const PHRASES: { readonly en: Phrases; readonly [language: string]: Phrases } = {
  en: {
    thanks: "Thank you for your message.",
    again: "We see that you have written about this before.",
    nothing: "We have nothing on this at hand; a colleague will look into it.",
  },
  de: {
    thanks: "Vielen Dank für Ihre Nachricht.",
    again: "Wir sehen, dass Sie dazu schon geschrieben haben.",
    nothing: "Dazu liegt uns nichts vor; wir geben es weiter.",
  },
  es: {
    thanks: "Gracias por su mensaje.",
    again: "Vemos que ya nos ha escrito sobre esto.",
    nothing: "No tenemos nada sobre esto; un compañero lo mirará.",
  },
  fr: {
    thanks: "Merci pour votre message.",
    again: "Nous voyons que vous nous avez déjà écrit à ce sujet.",
    nothing: "Nous n'avons rien à ce sujet ; un collègue va s'en occuper.",
  },
};

/** What is used of an answer to `CONTEXT_REQUESTED`; anybody may have given it. */
const Context = v.object({
  facts: v.optional(v.array(v.object({ title: v.string(), text: v.string() })), []),
  earlier_messages: v.optional(v.array(v.object({ same_conversation: v.optional(v.boolean(), false) })), []),
});

/** A reply in the message's language, or in English; `context` null when there is none. */
export function draftReply(message: string, language: string, context: JsonObject | null): Reply {
  const phrases = PHRASES[language] ?? PHRASES.en;
  const parsed = v.safeParse(Context, context ?? {});
  const { facts, earlier_messages } = parsed.success ? parsed.output : { facts: [], earlier_messages: [] };
  const sentences = [
    phrases.thanks,
    ...(earlier_messages.some(({ same_conversation }) => same_conversation) ? [phrases.again] : []),
    ...(facts.length === 0 ? [phrases.nothing] : facts.map(({ text }) => text)),
  ];
  return { text: sentences.join(" "), tone: toneOf(message), facts: facts.map(({ title }) => title) };
}

function toneOf(message: string): string {
  const letters = message.replace(/[^\p{L}]/gu, "");
  const capitals = letters.replace(/[^\p{Lu}]/gu, "").length;
  if (
    /\b(urgent|asap|immediately|dringend|sofort|urgente|immédiatement)\b/iu.test(message) ||
    (letters.length > 10 && capitals > letters.length / 2)
  )
    return "urgent";
  if (/\b(thanks?|thank you|please|danke|bitte|gracias|por favor|merci)\b/iu.test(message)) return "friendly";
  return "neutral";
}
