/**
 * The wait: read the request until it has ended, it is past its deadline, or this call may be held no longer.
 *
 * When it reads is for `wait-policy/` to say. Time is taken from the monotonic clock; the wall clock is read once,
 * to place the deadline.
 */
import { endRequest } from "./end-request.ts";
import { BusError } from "./errors.ts";
import type { Deps } from "./ports.ts";
import type { RequestRecord } from "./records.ts";
import { blindGapMs } from "./wait-policy/next-read.ts";
import { createPauses, type PauseDeps } from "./wait-policy/pauses.ts";

/** What a wait works with beside what everything does. */
export interface WaitDeps extends PauseDeps {
  /** Reads a request's record together with what other waits read at the moment; from the store, when not given. */
  readRequest?(eventId: string): Promise<RequestRecord | null>;
}

export interface HoldOptions {
  /** How long this call may be held, in milliseconds. */
  readonly holdMs: number;
  /** Aborts when the client is gone; the request itself goes on. */
  readonly signal?: AbortSignal;
}

/** How a held call ends. What it says is what the record says (I3). */
export type WaitEnd =
  | { readonly kind: "ended"; readonly request: RequestRecord }
  /** Held as long as it may be; the wait goes on elsewhere. */
  | { readonly kind: "pending"; readonly request: RequestRecord };

/**
 * Watches a request; yields it whenever answers or progress have come in while it is pending.
 *
 * @param request as just read or created
 * @throws BusError `unavailable` when the record cannot be read, or written at the deadline: the outcome is unknown (I11)
 */
export async function* watchRequest(
  deps: WaitDeps,
  request: RequestRecord,
  options: HoldOptions,
): AsyncGenerator<RequestRecord, WaitEnd> {
  const start = deps.monotonic();
  const alreadyWaitedMs = Math.max(0, deps.now() - Date.parse(request.createdAt));
  const deadline = start + Math.max(0, Date.parse(request.deadline) - deps.now());
  const holdUntil = start + options.holdMs;
  const pauses = createPauses(deps, request, options.signal);
  let latest = request;
  let failure: unknown = null;

  try {
    while (latest.state === "PENDING") {
      const now = deps.monotonic();
      if (now >= deadline) return { kind: "ended", request: await timeOut(deps, latest, holdUntil) };
      if (now >= holdUntil || options.signal?.aborted === true) {
        if (failure !== null) throw failure;
        return { kind: "pending", request: latest };
      }
      await pauses.next(alreadyWaitedMs + now - start, Math.min(deadline, holdUntil) - now);
      // The read that decides a timeout is its conditional write, so none is made at the deadline.
      if (deps.monotonic() >= deadline) continue;
      try {
        const seen = latest;
        const timeLeftMs = Math.min(deadline, holdUntil) - deps.monotonic();
        const read = await inTime(deps, readRequest(deps, latest.eventId), timeLeftMs);
        if (read === null) continue;
        latest = read;
        failure = null;
        if (latest.state === "PENDING" && hasNews(seen, latest)) yield latest;
      } catch (error) {
        // A throttled or failed read is tried again at the next gap, inside the deadline.
        failure = error;
      }
    }
    if (request.state === "PENDING") learnFrom(deps, latest);
    return { kind: "ended", request: latest };
  } finally {
    pauses.end();
  }
}

/** Waits and gives only the end. */
export async function waitForEnd(deps: WaitDeps, request: RequestRecord, options: HoldOptions): Promise<WaitEnd> {
  const watch = watchRequest(deps, request, options);
  for (;;) {
    const step = await watch.next();
    if (step.done === true) return step.value;
  }
}

/** Whoever sees an answer come knows how long it took. Two machines' clocks may have written the two times. */
function learnFrom(deps: WaitDeps, { state, eventType, createdAt, endedAt }: RequestRecord): void {
  const isAnswered = state === "ANSWERED" || state === "FAILED";
  if (!isAnswered || eventType === undefined || endedAt === undefined) return;
  deps.answerTimes?.note(eventType, Math.max(0, Date.parse(endedAt) - Date.parse(createdAt)));
}

/** Why the time limit of a read ends. Made once: an abort without a reason makes one each time, with a stack. */
const READ_DONE = new Error("The read is done.");

/** What a read gives, or null when it hangs for longer than there is time: no read holds a call past its end. */
export async function inTime<T>(deps: Pick<Deps, "pause">, reading: Promise<T>, ms: number): Promise<T | null> {
  const done = new AbortController();
  // Once the time is up, what becomes of it concerns nobody.
  reading.catch(() => undefined);
  try {
    return await Promise.race([reading, deps.pause(Math.max(0, ms), "", done.signal).then(() => null)]);
  } finally {
    done.abort(READ_DONE);
  }
}

/** Never reports a timeout without having won its write (I2, I3). */
async function timeOut(deps: Deps, request: RequestRecord, holdUntil: number): Promise<RequestRecord> {
  for (let attempt = 0; ; attempt++) {
    try {
      const write = await endRequest(deps, request.eventId, "TIMED_OUT");
      if (write.request !== null) return write.request;
      throw missing(request.eventId);
    } catch (error) {
      // The write may or may not have got through: it is repeated, and its condition tells.
      const retryable = error instanceof BusError && error.retryable;
      if (!retryable || attempt === 1 || deps.monotonic() >= holdUntil) throw error;
      await deps.pause(blindGapMs(50 * 2 ** attempt), request.eventId);
    }
  }
}

async function readRequest(deps: WaitDeps, eventId: string): Promise<RequestRecord> {
  const request = await (deps.readRequest?.(eventId) ?? deps.store.getRequest(eventId));
  if (request === null) throw missing(eventId);
  return request;
}

function missing(eventId: string): BusError {
  return new BusError("unavailable", `The record of request ${eventId} cannot be read at the moment.`);
}

function hasNews(before: RequestRecord, after: RequestRecord): boolean {
  return after.progressCount !== before.progressCount || after.acceptedIds.length !== before.acceptedIds.length;
}
