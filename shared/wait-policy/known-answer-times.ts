/**
 * What this process knows of how long answers take, and how it learns and tells: from the waits that it sees end, and through
 * the table from those of all others.
 *
 * Nothing of it is on the way of a call: a wait goes by what is known when it begins, reading goes on beside it, and telling
 * comes after the answer. Nothing fails for it either: whoever knows nothing waits as well as one can who knows nothing.
 */
import type { Logger } from "../ports.ts";
import {
  type AnswerTimes,
  answersIn,
  answerTimesOf,
  fadedAnswerTimes,
  MOST_ANSWERS_KEPT,
  mergedAnswerTimes,
} from "./answer-times.ts";
import { planReads, type ReadPlan } from "./read-plan.ts";
import type { AnswerTimesStore, StoredAnswerTimes } from "./store.ts";

/** Answers that are told together: a write for so many costs little beside the five of each question. */
export const TOLD_TOGETHER = 20;
/** What was gathered is told after so long, however few answers it is. */
const TELL_AFTER_MS = 60_000;
/** So long what was read is good: a type's answers do not change from one minute to the next. */
const READ_AGAIN_AFTER_MS = 300_000;
/** Types that are known at once; whoever was not asked for longest is forgotten. Each takes a few kilobytes. */
const MOST_TYPES = 200;
/** A type that nobody has answered for so long is known by nobody. */
const KEPT_SECONDS = 30 * 86_400;
/** As many writes of others between two of its own are welcome. Where there are more, a process tells only one in so many. */
const WELCOME_WRITES = 20;
/** A plan is made anew when there are more answers than it rests on by a fifth. */
const WORTH_A_NEW_PLAN = 1.2;

export interface KnownAnswerTimes {
  /** When to read, for answers of this type; null when nothing is known. Reads the table beside, when that is due. */
  planFor(eventType: string): ReadPlan | null;
  /** An answer has come so long after its question. */
  note(eventType: string, answerMs: number): void;
  /** Tells others what was gathered, if it is time to; to be called after an answer. Never throws. */
  tell(): Promise<void>;
}

/** @param now wall clock, epoch milliseconds; @param monotonic milliseconds, for what is due */
export interface KnownAnswerTimesParts {
  readonly store: AnswerTimesStore;
  readonly log: Logger;
  now(): number;
  monotonic(): number;
}

interface KnownType {
  /** As it was last read or written. */
  read: AnswerTimes;
  /** How often it had been written by then; null before the first time. */
  version: number | null;
  /** Infinite before the first time. */
  readAtMs: number;
  /** One in so many gatherings is told. */
  toldOneIn: number;
  untold: number;
  /** Seen here, and not told yet. */
  gathered: AnswerTimes;
  gatheredSinceMs: number;
  plan: ReadPlan | null;
  /** A read or a write is under way. */
  underWay: Promise<void> | null;
}

export function createKnownAnswerTimes(parts: KnownAnswerTimesParts): KnownAnswerTimes {
  const { store, log, now, monotonic } = parts;
  const types = new Map<string, KnownType>();

  /** The last that was asked for stands last. */
  const typeOf = (eventType: string): KnownType => {
    const known = types.get(eventType) ?? freshType();
    types.delete(eventType);
    types.set(eventType, known);
    if (types.size > MOST_TYPES) types.delete(types.keys().next().value as string);
    return known;
  };

  const beside = (eventType: string, known: KnownType, work: () => Promise<void>): void => {
    known.underWay = work()
      .catch((error: unknown) => {
        log.warn("answer times are not shared at the moment", { type: eventType, error: (error as Error).message });
      })
      .finally(() => {
        known.underWay = null;
      });
  };

  const read = (eventType: string, known: KnownType): void => {
    // Also when it fails: who reads again and again does not help a store that has too much to do.
    known.readAtMs = monotonic();
    beside(eventType, known, async () => learn(known, await store.getAnswerTimes(eventType)));
  };

  const write = (eventType: string, known: KnownType): void => {
    const told = known.gathered;
    known.gathered = new Map();
    known.read = mergedAnswerTimes(known.read, told);
    if (++known.untold < known.toldOneIn) return;
    known.untold = 0;
    known.readAtMs = monotonic();
    beside(eventType, known, async () => {
      const expiresAt = Math.ceil(now() / 1_000) + KEPT_SECONDS;
      // What cannot be told is not told again: it may have been written, and the next answers will tell the same.
      const stored = await store.addAnswerTimes(eventType, told, expiresAt);
      learn(known, stored);
      const { times, version } = stored;
      if (answersIn(times) < MOST_ANSWERS_KEPT) return;
      const faded = { times: fadedAnswerTimes(times), version: version + 1 };
      await store.replaceAnswerTimes(eventType, faded, version, expiresAt);
    });
  };

  return {
    planFor(eventType) {
      const known = typeOf(eventType);
      if (known.underWay === null && monotonic() - known.readAtMs >= READ_AGAIN_AFTER_MS) read(eventType, known);
      return known.plan;
    },

    note(eventType, answerMs) {
      if (!Number.isFinite(answerMs)) return;
      const known = typeOf(eventType);
      if (known.gathered.size === 0) known.gatheredSinceMs = monotonic();
      known.gathered = mergedAnswerTimes(known.gathered, answerTimesOf([answerMs]));
      makePlan(known);
    },

    async tell() {
      for (const [eventType, known] of types) {
        const answers = answersIn(known.gathered);
        const isTime = answers >= TOLD_TOGETHER || monotonic() - known.gatheredSinceMs >= TELL_AFTER_MS;
        if (known.underWay === null && answers > 0 && isTime) write(eventType, known);
      }
      await Promise.all([...types.values()].map(({ underWay }) => underWay));
    },
  };
}

const freshType = (): KnownType => ({
  read: new Map(),
  version: null,
  readAtMs: Number.NEGATIVE_INFINITY,
  toldOneIn: 1,
  untold: 0,
  gathered: new Map(),
  gatheredSinceMs: 0,
  plan: null,
  underWay: null,
});

/** However many tell of a type, its item is written a few times in the time in which each of them tells or reads once. */
function learn(known: KnownType, { times, version }: StoredAnswerTimes): void {
  if (known.version !== null) known.toldOneIn = Math.max(1, Math.ceil((version - known.version) / WELCOME_WRITES));
  known.version = version;
  known.read = times;
  known.plan = null;
  makePlan(known);
}

/** From all that is known here, unless the plan rests on nearly as much. */
function makePlan(known: KnownType): void {
  const answers = answersIn(known.read) + answersIn(known.gathered);
  if (known.plan !== null && answers < known.plan.answers * WORTH_A_NEW_PLAN) return;
  known.plan = planReads(mergedAnswerTimes(known.read, known.gathered));
}
