import { derivedId } from "./hash.ts";

/** The id of a subscriber's answer to an event: always the same, so that a redelivery cannot answer twice. */
export const answerId = (subscriber: string, eventId: string): string => derivedId("response", subscriber, eventId);
