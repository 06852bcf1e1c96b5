/** Who is expected to answer a request: a name, and whose it is. Two agents may use one name. */
import { sha256 } from "../hash.ts";
import type { RequestRecord } from "../records.ts";

export interface Speaker {
  readonly name: string;
  /** The agent's id, `DEPLOYED_OWNER` for a deployed subscriber; absent for a stream that older code has opened. */
  readonly owner?: string;
}

/** A speaker as records keep it: 128 bits, however long ids are. */
export const speakerKey = (name: string, owner: string): string => sha256(JSON.stringify([name, owner])).slice(0, 32);

/** The part of a request's record that says who is expected. */
export type Expected = Pick<RequestRecord, "expected" | "speakers">;
type Answered = Pick<RequestRecord, "answeredBy" | "answeredSpeakers">;

/** Names in order, and for each the keys of those who have it. */
export function expectedFields(speakers: readonly Speaker[]): Required<Expected> {
  const keysByName = new Map<string, Set<string>>();
  for (const { name, owner } of speakers) {
    const keys = keysByName.get(name) ?? new Set();
    if (owner !== undefined) keys.add(speakerKey(name, owner));
    keysByName.set(name, keys);
  }
  const sorted = [...keysByName].sort(([a], [b]) => (a < b ? -1 : 1));
  return { expected: sorted.map(([name]) => name), speakers: sorted.map(([, keys]) => [...keys].sort()) };
}

/** The keys of those who are expected under a name; none where it is not known whose it is. */
export function speakersNamed({ expected, speakers }: Expected, name: string): readonly string[] {
  return speakers?.[expected.indexOf(name)] ?? [];
}

/** An answer as it counts for a name: for one speaker, or for all of that name. */
export interface SpokenFor {
  readonly subscriber?: string;
  readonly speaker?: string;
}

/** Whether an answer speaks for a name that is expected of others only. */
export function speaksForOthers(request: Expected, { subscriber, speaker }: SpokenFor): boolean {
  if (subscriber === undefined || speaker === undefined) return false;
  const keys = speakersNamed(request, subscriber);
  return keys.length > 0 && !keys.includes(speaker);
}

/** The names of which somebody has not answered, with one more answer if one is given. */
export function missingNames(request: Expected & Answered, more: SpokenFor = {}): string[] {
  const counts = !speaksForOthers(request, more);
  const names = new Set([...request.answeredBy, ...(counts && more.subscriber !== undefined ? [more.subscriber] : [])]);
  const speakers = new Set([
    ...(request.answeredSpeakers ?? []),
    ...(more.speaker === undefined ? [] : [more.speaker]),
  ]);
  return request.expected.filter((name) => {
    if (!names.has(name)) return true;
    const keys = speakersNamed(request, name);
    // Counted for the name alone: where nobody proves who he is, and by older code.
    const isByName = !keys.some((key) => speakers.has(key));
    return !isByName && !keys.every((key) => speakers.has(key));
  });
}

/** Whether somebody waits for just this answer. */
export function isAwaited(request: Expected & Answered, answer: SpokenFor): boolean {
  const { subscriber, speaker } = answer;
  if (subscriber === undefined || !request.expected.includes(subscriber) || speaksForOthers(request, answer))
    return false;
  if (speaker === undefined || speakersNamed(request, subscriber).length === 0)
    return missingNames(request).includes(subscriber);
  return missingNames(request).includes(subscriber) && !(request.answeredSpeakers ?? []).includes(speaker);
}
