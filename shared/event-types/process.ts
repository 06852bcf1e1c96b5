/**
 * Process events: the steps a message goes through.
 *
 * The fields are conventions that agents share, all optional; other fields may stand beside them.
 */
import type { JsonObject } from "../json.ts";

/** A message has come in and nothing has been done with it yet. */
export interface MessageReceived extends JsonObject {
  text?: string;
  /** Where it came from: `email`, `voice`, `chat`. */
  channel?: string;
  message_id?: string;
  conversation_id?: string;
}

/** A message has been dealt with. */
export interface MessageProcessed extends JsonObject {
  message_id?: string;
  /** What came of it. */
  result?: JsonObject;
}

/** A text has been brought into one language and form. */
export interface LanguageNormalized extends JsonObject {
  text?: string;
  /** BCP 47 tag of the text as it now is, for example `en`. */
  language?: string;
  original_language?: string;
}

/** Speech has been written down. */
export interface TranscriptionCompleted extends JsonObject {
  text?: string;
  duration_ms?: number;
  /** From 0 to 1. */
  confidence?: number;
}

export interface ProcessEventTypes {
  MESSAGE_RECEIVED: MessageReceived;
  MESSAGE_PROCESSED: MessageProcessed;
  LANGUAGE_NORMALIZED: LanguageNormalized;
  TRANSCRIPTION_COMPLETED: TranscriptionCompleted;
}
