/**
 * Respond: check the token, store the response, count it.
 *
 * Two single-item writes: the response (never overwritten), then the request, if it is still `PENDING`. The second
 * decides who wins (I2); whoever does not win stays stored and is told so (I4). No clock decides: an answer after the
 * deadline still wins while nobody has ended the request.
 */
import * as v from "valibot";
import { expiryOf } from "./draft-event.ts";
import { BusError } from "./errors.ts";
import { hashOf } from "./hash.ts";
import { nameField, objectField, readInput, utf8Bytes } from "./input.ts";
import { MAX_EVENT_BYTES, MAX_PROGRESS_REPORTS, MAX_UNCOUNTED_RESPONSES } from "./limits.ts";
import type { AcceptAnswer, Deps, RequestRecord, ResponseRecord } from "./ports.ts";
import { type SettledVerdict, verdictOf } from "./verdict.ts";

const ResponseInput = v.strictObject(
  {
    response: objectField,
    reply_token: nameField,
    response_id: v.optional(nameField),
    status: v.optional(v.picklist(["ok", "rejected", "progress"], '"ok", "rejected" or "progress" was expected'), "ok"),
  },
  "an object was expected",
);
type ResponseInput = v.InferOutput<typeof ResponseInput>;

/** Who answers. */
export interface Responder {
  /** The verified agent. */
  readonly caller: string;
  /** The subscriber it speaks for, from `?as=`. */
  readonly as?: string | undefined;
}

/** What the responder is told. */
export interface Verdict {
  readonly event_id: string;
  readonly response_id: string;
  readonly verdict: SettledVerdict | "replayed";
  /** With `replayed`: what came of the response the first time. */
  readonly first_verdict?: SettledVerdict;
  /** When the response was stored. */
  readonly timestamp: string;
}

/**
 * Answers an event.
 *
 * @throws BusError `not_found`, `forbidden` for a wrong token, `response_conflict`, `payload_too_large`, `rate_limited`
 */
export async function respond(deps: Deps, eventId: string, body: unknown, responder: Responder): Promise<Verdict> {
  const input = readInput(ResponseInput, body);
  checkSize(input);
  const asked = await findAnswerable(deps, eventId, input.reply_token);
  const draft = draftResponse(deps, eventId, input, responder);
  const stored = await store(deps, draft, asked);
  if (asked === null) return tell(requireSame(stored, draft), "accepted");
  // Counted before it is compared: a stored answer that a crash kept from counting must count, whatever is sent now.
  const { verdict, settledNow } = await count(deps, stored.record, asked, responder.as);
  const same = requireSame(stored, draft);
  return tell({ ...same, repeated: same.repeated && !settledNow }, verdict);
}

/** The request an event stands for, or null when nobody waits. @throws BusError `not_found`, `forbidden` */
async function findAnswerable(deps: Deps, eventId: string, token: string): Promise<RequestRecord | null> {
  const request = await deps.store.getRequest(eventId);
  const recorded = request ?? (await deps.store.getEvent(eventId));
  if (recorded === null) throw new BusError("not_found", "There is no such event.");
  if (!sameToken(recorded.replyToken, token)) {
    throw new BusError("forbidden", "The reply token does not belong to this event.", {
      errors: [{ pointer: "/reply_token", detail: "the token of the event's reply_to was expected" }],
    });
  }
  return request;
}

/** Compares without telling by its time where the difference is. */
function sameToken(expected: string, given: string): boolean {
  if (expected.length !== given.length) return false;
  let difference = 0;
  for (let i = 0; i < expected.length; i++) difference |= expected.charCodeAt(i) ^ given.charCodeAt(i);
  return difference === 0;
}

function draftResponse(deps: Deps, eventId: string, input: ResponseInput, { caller, as }: Responder): ResponseRecord {
  const nowMs = deps.now();
  return {
    responseId: input.response_id ?? deps.newId(),
    eventId,
    response: input.response,
    status: input.status,
    responder: as ?? caller,
    timestamp: new Date(nowMs).toISOString(),
    payloadHash: hashOf({ response: input.response, status: input.status }),
    expiresAt: expiryOf(deps, nowMs),
  };
}

interface Stored {
  readonly record: ResponseRecord;
  /** It had been stored before, by an earlier attempt with the same id. */
  readonly repeated: boolean;
}

async function store(deps: Deps, draft: ResponseRecord, request: RequestRecord | null): Promise<Stored> {
  if (request?.state !== "PENDING") await checkFlood(deps, draft);
  else if (draft.status === "progress" && request.progressCount >= MAX_PROGRESS_REPORTS)
    throw new BusError("rate_limited", `This request has had its ${MAX_PROGRESS_REPORTS} progress reports.`, {
      retryable: false,
    });
  const put = await deps.store.putResponse(draft);
  return put.kind === "created" ? { record: draft, repeated: false } : { record: put.record, repeated: true };
}

/** I5: one response id, one response. @throws BusError `response_conflict` */
function requireSame(stored: Stored, draft: ResponseRecord): Stored {
  if (stored.record.payloadHash === draft.payloadHash) return stored;
  throw new BusError("response_conflict", "This response id was used with another payload.", {
    errors: [{ pointer: "/response_id", detail: "a fresh id was expected for a new response" }],
  });
}

/** I10: what nobody waits for is stored, but not without end. */
async function checkFlood(deps: Deps, draft: ResponseRecord): Promise<void> {
  const stored = await deps.store.countResponses(draft.eventId, MAX_UNCOUNTED_RESPONSES);
  if (stored < MAX_UNCOUNTED_RESPONSES) return;
  // A repetition of what is stored adds nothing.
  if ((await deps.store.getResponse(draft.eventId, draft.responseId)) !== null) return;
  throw new BusError("rate_limited", `This event has ${MAX_UNCOUNTED_RESPONSES} responses and nobody waits for more.`, {
    retryable: false,
  });
}

/** Counts a stored response, unless something else has ended the request; `settledNow` when it was this call that did. */
async function count(
  deps: Deps,
  response: ResponseRecord,
  asked: RequestRecord,
  as: string | undefined,
): Promise<{ verdict: SettledVerdict; settledNow: boolean }> {
  for (let request = asked; ; ) {
    const settled = verdictOf(response, request);
    if (settled !== null) return { verdict: settled, settledNow: false };
    if (response.status === "progress") {
      await deps.store.noteProgress(request.eventId);
      return { verdict: "accepted", settledNow: false };
    }
    const write = await deps.store.acceptAnswer(answerTo(deps, request, response, as));
    if (write.request === null) throw new BusError("not_found", "There is no such event.");
    if (write.kind === "written") return { verdict: "accepted", settledNow: true };
    // Somebody came in between, or our own write got through and its acknowledgement did not: the record tells.
    request = write.request;
  }
}

/** What one more answer makes of a pending request. */
function answerTo(deps: Deps, request: RequestRecord, response: ResponseRecord, as: string | undefined): AcceptAnswer {
  const nowMs = deps.now();
  return {
    eventId: request.eventId,
    replyToken: request.replyToken,
    responseId: response.responseId,
    ...(as === undefined ? {} : { responder: as }),
    answersSeen: request.acceptedIds.length,
    state: stateWith(request, response, as),
    at: new Date(nowMs).toISOString(),
    expiresAt: expiryOf(deps, nowMs),
  };
}

function stateWith(request: RequestRecord, response: ResponseRecord, as: string | undefined): AcceptAnswer["state"] {
  switch (request.expect.mode) {
    case "first":
      return response.status === "rejected" ? "FAILED" : "ANSWERED";
    case "count":
      return request.acceptedIds.length + 1 >= request.expect.count ? "ANSWERED" : "PENDING";
    case "all":
      return request.expected.every((name) => name === as || request.answeredBy.includes(name))
        ? "ANSWERED"
        : "PENDING";
  }
}

function tell({ record, repeated }: Stored, verdict: SettledVerdict): Verdict {
  const { eventId, responseId, timestamp } = record;
  const told = { event_id: eventId, response_id: responseId, timestamp };
  return repeated ? { ...told, verdict: "replayed", first_verdict: verdict } : { ...told, verdict };
}

function checkSize(input: ResponseInput): void {
  const bytes = utf8Bytes(input.response);
  if (bytes <= MAX_EVENT_BYTES) return;
  throw new BusError("payload_too_large", `The response has ${bytes} bytes; the limit is ${MAX_EVENT_BYTES}.`, {
    errors: [{ pointer: "/response", detail: "a smaller response was expected: send a link to what is large" }],
  });
}
