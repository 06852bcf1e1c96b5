/** The event types a deployment carries: the 13 built in, and its own beside them. */
import type { StandardSchemaV1 } from "@standard-schema/spec";
import { BusError } from "../errors.ts";
import { nearestName } from "./nearest-name.ts";
import type { ProcessEventTypes } from "./process.ts";
import type { StateEventTypes } from "./state.ts";
import type { SystemEventTypes } from "./system.ts";

/** `data` of every built-in event type, by its name. */
export interface BuiltInEventTypes extends SystemEventTypes, ProcessEventTypes, StateEventTypes {}

/** What is known of an event type. */
export interface EventType {
  /** `system`, `process` and `state` for the built-in ones; any name for a deployment's own. */
  readonly group: string;
  readonly description: string;
  /** What `data` must look like; without one, any object will do. The data is checked, never changed. */
  readonly schema?: StandardSchemaV1;
}

export type Catalogue = Readonly<Record<string, EventType>>;

/** The 13 types of the in-process bus. A missing one does not compile. */
export const BUILT_IN_EVENT_TYPES: Readonly<Record<keyof BuiltInEventTypes, EventType>> = {
  CONVERSATION_CREATED: { group: "system", description: "A conversation has begun." },
  CONVERSATION_UPDATED: { group: "system", description: "A conversation has changed." },
  CONTEXT_REQUESTED: { group: "system", description: "An agent needs context to go on; the answer carries it." },
  SESSION_CREATED: { group: "system", description: "A session has begun." },
  SESSION_UPDATED: { group: "system", description: "A session has changed." },
  MESSAGE_RECEIVED: { group: "process", description: "A message has come in." },
  MESSAGE_PROCESSED: { group: "process", description: "A message has been dealt with." },
  LANGUAGE_NORMALIZED: { group: "process", description: "A text has been brought into one language and form." },
  TRANSCRIPTION_COMPLETED: { group: "process", description: "Speech has been written down." },
  FOLDER_STRUCTURE_DETERMINED: { group: "state", description: "It is settled where the files of a piece of work go." },
  ORION_STATE_CHANGED: { group: "state", description: "The orchestrating agent has changed its state." },
  UPGRADE_REQUESTED: { group: "state", description: "An upgrade is asked for." },
  UPGRADE_COMPLETED: { group: "state", description: "An upgrade has ended." },
};

/** What a type's name may look like; it is also an EventBridge detail-type and a part of keys. */
export const EVENT_TYPE_NAME = /^[A-Za-z][A-Za-z0-9_.-]{0,127}$/;

/** The type of that name. @throws BusError `unknown_event_type`, naming the nearest @param pointer where it was named */
export function requireEventType(catalogue: Catalogue, name: string, pointer = "/type"): EventType {
  if (Object.hasOwn(catalogue, name)) return catalogue[name] as EventType;
  const nearest = nearestName(name, Object.keys(catalogue));
  throw new BusError(
    "unknown_event_type",
    `There is no event type "${name.slice(0, 128)}".${nearest === null ? "" : ` Did you mean ${nearest}?`} GET /event-types lists all.`,
    { errors: [{ pointer, detail: "a name of the catalogue was expected" }] },
  );
}
