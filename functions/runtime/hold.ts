/** Holding a call for an answer, as JSON or as a stream, and handing over before the function's own time is up. */
import { FUNCTION_TIME_MARGIN_MS } from "../../shared/limits.ts";
import type { Deps } from "../../shared/ports.ts";
import type { RequestRecord } from "../../shared/records.ts";
import { describeOutcome, resumePath } from "../../shared/request-outcome.ts";
import { streamRequest } from "../../shared/request-stream.ts";
import { inTime, type WaitDeps, waitForEnd } from "../../shared/wait.ts";
import { type HttpRequest, type HttpResponse, jsonResponse, wantsEventStream } from "./http.ts";
import { eventStream } from "./sse.ts";

/** What is known of answer times is told in so long, or left: at a hand-over the function's time is nearly up. */
const TELL_MS = 1_000;

export interface Hold {
  /** How long the caller wants to be held, in milliseconds; the deployment's limit when not given. */
  readonly wantedMs?: number;
  /** What is under way and has to end before the function may. */
  readonly settled?: Promise<void>;
}

/** Answers when the request has ended, or with 202 when the call may be held no longer. */
export async function holdFor(
  call: HttpRequest,
  deps: WaitDeps,
  request: RequestRecord,
  { wantedMs = Number.POSITIVE_INFINITY, settled = Promise.resolve() }: Hold,
): Promise<HttpResponse> {
  const mostMs = Math.min(deps.limits.holdSeconds * 1_000, call.remainingMs() - FUNCTION_TIME_MARGIN_MS);
  const options = { holdMs: Math.max(0, Math.min(wantedMs, mostMs)), signal: call.signal };
  const afterwards = async (): Promise<void> => {
    await Promise.all([settled, deps.answerTimes && inTime(deps, deps.answerTimes.tell(), TELL_MS)]);
  };
  if (wantsEventStream(call)) return eventStream(streamRequest(deps, request, options), afterwards);
  try {
    const end = await waitForEnd(deps, request, options);
    return { ...(await outcomeResponse(deps, end.request)), afterwards };
  } catch (error) {
    await settled;
    throw error;
  }
}

/** The request as it is: its outcome, or 202 with the path on which the wait goes on. */
export async function outcomeResponse(deps: Deps, request: RequestRecord): Promise<HttpResponse> {
  const body = await describeOutcome(deps, request);
  if (body.status !== "pending") return jsonResponse(200, body);
  return jsonResponse(202, body, { location: resumePath(request.eventId) });
}
