/** What the record of everything keeps of answer times: one small item for each event type. */
import type { AnswerTimes } from "./answer-times.ts";

/** Answer times as they are stored. */
export interface StoredAnswerTimes {
  readonly times: AnswerTimes;
  /** How often they have been written. */
  readonly version: number;
}

export interface AnswerTimesStore {
  /** What is known of a type, nothing if there is nothing; may lag behind. What is damaged of it is left out. */
  getAnswerTimes(eventType: string): Promise<StoredAnswerTimes>;
  /** Adds to what is known. @param expiresAt epoch seconds @returns everything that is known now */
  addAnswerTimes(eventType: string, times: AnswerTimes, expiresAt: number): Promise<StoredAnswerTimes>;
  /** Puts others in the place of what is known, if nobody has written since `seenVersion`. Whether it was done. */
  replaceAnswerTimes(
    eventType: string,
    next: StoredAnswerTimes,
    seenVersion: number,
    expiresAt: number,
  ): Promise<boolean>;
}
