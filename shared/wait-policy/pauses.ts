/** The pauses of one wait: from one read of its record to the next. */
import type { Deps } from "../ports.ts";
import type { RequestRecord } from "../records.ts";
import type { KnownAnswerTimes } from "./known-answer-times.ts";
import { blindGapMs, next } from "./next-read.ts";

export interface PauseDeps extends Deps {
  /** How long answers take, as far as that is known. */
  readonly answerTimes?: KnownAnswerTimes;
  /**
   * Where every change of a request surely ends its waits' pauses, since all writes pass through this process: how long a wait
   * may leave its record alone all the same, in milliseconds.
   */
  readonly surelyWokenMs?: number;
}

export interface Pauses {
  /** Until the next read. @param elapsedMs since the request began @param mostMs until the wait is to do something else */
  next(elapsedMs: number, mostMs: number): Promise<void>;
  /** Lets go of what sleeps. */
  end(): void;
}

/** Why a pause ends with its wait. Made once: an abort without a reason makes one each time, with a stack. */
const WAIT_ENDED = new Error("The wait has ended.");

/** @param signal ends pauses early */
export function createPauses(deps: PauseDeps, request: RequestRecord, signal: AbortSignal | undefined): Pauses {
  const { surelyWokenMs } = deps;
  return surelyWokenMs === undefined
    ? pausesByTime(deps, request, signal)
    : pausesByWaking(deps, request, surelyWokenMs, signal);
}

function pausesByTime(deps: PauseDeps, { eventId, eventType }: RequestRecord, signal: AbortSignal | undefined): Pauses {
  return {
    next(elapsedMs, mostMs) {
      const plan = eventType === undefined ? null : (deps.answerTimes?.planFor(eventType) ?? null);
      return deps.pause(Math.min(next(elapsedMs, plan), mostMs), eventId, signal);
    },
    end() {},
  };
}

/**
 * Each pause but the first begins when the one before it ends, thus before the record is read: what changes while it is being
 * read ends the next pause at once, and no change is slept through. What changed before the first one is seen soon after it.
 */
function pausesByWaking(
  deps: PauseDeps,
  { eventId }: RequestRecord,
  surelyWokenMs: number,
  signal: AbortSignal | undefined,
): Pauses {
  const ended = new AbortController();
  const end = (): void => ended.abort(WAIT_ENDED);
  signal?.addEventListener("abort", end, { once: true });
  const sleep = (ms: number): Promise<void> => deps.pause(Math.max(0, ms), eventId, ended.signal);
  let sleeping: Promise<void> | null = null;
  return {
    async next(_elapsedMs, mostMs) {
      const untilMs = deps.monotonic() + mostMs;
      await (sleeping ?? sleep(Math.min(blindGapMs(0), mostMs)));
      sleeping = sleep(Math.min(surelyWokenMs, untilMs - deps.monotonic()));
    },
    end() {
      signal?.removeEventListener("abort", end);
      end();
    },
  };
}
