/**
 * Counting an answer: the one write that decides who wins (I2).
 *
 * It is conditional on the request being open, on the token, and on nobody having come in between. Who comes second
 * reads what stands and tries again, or finds out what became of it.
 */
import { missingNames, speaksForOthers } from "./agents/speaker.ts";
import { expiryOf } from "./draft-event.ts";
import { BusError } from "./errors.ts";
import type { AcceptAnswer, Deps } from "./ports.ts";
import type { RequestRecord, ResponseRecord } from "./records.ts";
import { fullJitterMs } from "./until-written.ts";
import { type SettledVerdict, verdictOf } from "./verdict.ts";

/** Every refusal means that another answer was counted, and a request counts about this many (`MAX_COUNTED_ANSWERS`). */
const MAX_ATTEMPTS = 100;
const LONGEST_PAUSE_MS = 200;

/** Counts a stored response, unless something else has ended the request; `countedNow` when it was this call that did. */
export async function countAnswer(
  deps: Deps,
  response: ResponseRecord,
  asked: RequestRecord,
  token: string,
): Promise<{ verdict: SettledVerdict; countedNow: boolean }> {
  let request = asked;
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    const settled = verdictOf(response, request);
    if (settled !== null) {
      if (response.status === "progress" && request.state === "PENDING") await deps.store.noteProgress(request.eventId);
      return { verdict: settled, countedNow: false };
    }
    const write = await deps.store.acceptAnswer(answerTo(deps, request, response, token));
    if (write.kind === "written") return { verdict: "accepted", countedNow: true };
    // Somebody came in between, or our own write got through and its acknowledgement did not: the record tells.
    request = requireRequest(write.request);
    const settledMeanwhile = verdictOf(response, request);
    if (settledMeanwhile !== null) return { verdict: settledMeanwhile, countedNow: false };
    await deps.pause(fullJitterMs(`${response.responseId} ${attempt}`, attempt, LONGEST_PAUSE_MS), response.responseId);
    // A read costs a fraction of a write that is refused.
    request = requireRequest(await deps.store.getRequest(request.eventId));
  }
  // It is stored: the same response id tries again to count it.
  throw new BusError("unavailable", "Too many answers came at once; retry with the same response id.");
}

function requireRequest(request: RequestRecord | null): RequestRecord {
  if (request === null) throw new BusError("not_found", "There is no such event.");
  return request;
}

/** What one more answer makes of a pending request. */
function answerTo(deps: Deps, request: RequestRecord, response: ResponseRecord, token: string): AcceptAnswer {
  const nowMs = deps.now();
  const { subscriber, speaker } = response;
  // Under a name that is expected of others it counts, and not for them.
  const isForOthers = speaksForOthers(request, response);
  return {
    eventId: request.eventId,
    replyToken: token,
    responseId: response.responseId,
    ...(subscriber === undefined || isForOthers ? {} : { subscriber }),
    ...(speaker === undefined || isForOthers ? {} : { speaker }),
    answersSeen: request.acceptedIds.length,
    state: stateWith(request, response),
    at: new Date(nowMs).toISOString(),
    expiresAt: expiryOf(deps, nowMs),
  };
}

function stateWith(request: RequestRecord, response: ResponseRecord): AcceptAnswer["state"] {
  const { expect, acceptedIds } = request;
  switch (expect.mode) {
    case "first":
      return response.status === "rejected" ? "FAILED" : "ANSWERED";
    case "count":
      return acceptedIds.length + 1 >= expect.count ? "ANSWERED" : "PENDING";
    case "all":
      return missingNames(request, response).length === 0 ? "ANSWERED" : "PENDING";
  }
}
