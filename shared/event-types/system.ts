/**
 * System events: what happens to conversations, sessions and their context.
 *
 * The fields are conventions that agents share, all optional; other fields may stand beside them.
 */
import type { JsonObject, JsonValue } from "../json.ts";

/** A conversation has begun. */
export interface ConversationCreated extends JsonObject {
  conversation_id?: string;
  /** Who takes part: people, agents, channels. */
  participants?: string[];
  title?: string;
}

/** A conversation has changed: its title, its participants, its state. */
export interface ConversationUpdated extends JsonObject {
  conversation_id?: string;
  /** The fields that changed, with their new values. */
  changes?: JsonObject;
}

/** An agent needs context to go on; the answer carries it. Usually sent with a wait. */
export interface ContextRequested extends JsonObject {
  /** What is wanted, for example `customer_profile`. */
  topic?: string;
  query?: string;
  conversation_id?: string;
}

/** A session (a signed-in user, a device, a call) has begun. */
export interface SessionCreated extends JsonObject {
  session_id?: string;
  user_id?: string;
}

/** A session has changed. */
export interface SessionUpdated extends JsonObject {
  session_id?: string;
  changes?: Record<string, JsonValue>;
}

export interface SystemEventTypes {
  CONVERSATION_CREATED: ConversationCreated;
  CONVERSATION_UPDATED: ConversationUpdated;
  CONTEXT_REQUESTED: ContextRequested;
  SESSION_CREATED: SessionCreated;
  SESSION_UPDATED: SessionUpdated;
}
