/**
 * Respond: check the token and who answers, store the response, count it.
 *
 * Two single-item writes: the response (never overwritten), then the request, if it is still `PENDING`. The second
 * decides who wins (I2); whoever does not win stays stored and is told so (I4). No clock decides: an answer after the
 * deadline still wins while nobody has ended the request.
 */
import * as v from "valibot";
import type { Agent } from "./agents/agent.ts";
import { requireType } from "./agents/authorize.ts";
import { sightOf } from "./agents/may-see.ts";
import { requireSpeaker } from "./agents/may-speak.ts";
import { allowsAll } from "./agents/policy.ts";
import { isAwaited } from "./agents/speaker.ts";
import { countAnswer } from "./count-answer.ts";
import { expiryOf } from "./draft-event.ts";
import { BusError } from "./errors.ts";
import { derivedId, hashOf } from "./hash.ts";
import { nameField, objectField, readInput, utf8Bytes } from "./input.ts";
import {
  MAX_COUNTED_ANSWERS,
  MAX_EVENT_BYTES,
  MAX_PROGRESS_BYTES,
  MAX_PROGRESS_REPORTS,
  MAX_UNCOUNTED_RESPONSES,
} from "./limits.ts";
import type { Deps } from "./ports.ts";
import type { EnvelopeRecord, RequestRecord, ResponseRecord } from "./records.ts";
import type { SettledVerdict } from "./verdict.ts";

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
  readonly agent: Agent;
  /** The subscriber it speaks for, from `?as=`. */
  readonly as?: string | undefined;
  /** Of the responder's own span. */
  readonly traceparent?: string | undefined;
  /** The bus has called this subscriber itself, and hands in what it returned. */
  readonly isProven?: boolean;
}

/** What the responder is told. */
export interface Verdict {
  readonly event_id: string;
  readonly response_id: string;
  readonly verdict: SettledVerdict | "replayed";
  /** With `replayed`: what came of the response the first time. */
  readonly first_verdict?: SettledVerdict;
  /** It counts although it came after the deadline: nobody had ended the request. */
  readonly late?: true;
  /** When the response was stored. */
  readonly timestamp: string;
}

/**
 * Answers an event.
 *
 * @throws BusError `not_found`, `forbidden` for a wrong token and for who may not answer, or not for that subscriber,
 * `response_conflict`, `payload_too_large`, `rate_limited`
 */
export async function respond(deps: Deps, eventId: string, body: unknown, responder: Responder): Promise<Verdict> {
  const input = readInput(ResponseInput, body);
  checkSize(input);
  const request = await findAnswerable(deps, eventId, input.reply_token, responder.agent);
  const speaker = await requireResponder(deps, eventId, responder, request);
  const draft = draftResponse(deps, eventId, input, responder, speaker, request);
  const stored = await store(deps, draft, request);
  if (request === null) return tell(requireSame(stored, draft), "accepted");
  // Counted before it is compared: a stored answer that a crash kept from counting must count, whatever is sent now.
  const { verdict, countedNow } = await countAnswer(deps, stored.record, request, input.reply_token);
  const same = requireSame(stored, draft);
  const told = tell({ ...same, repeated: same.repeated && !countedNow }, verdict);
  return verdict === "accepted" && same.record.timestamp > request.deadline ? { ...told, late: true } : told;
}

/** The request an event stands for, or null when nobody waits. @throws BusError `not_found`, `forbidden` */
async function findAnswerable(deps: Deps, eventId: string, token: string, agent: Agent): Promise<RequestRecord | null> {
  const request = await deps.store.getRequest(eventId);
  if (request !== null && sameToken(request.replyToken, token)) return request;
  const event = await deps.store.getEnvelope(eventId);
  // A request that was never completed may stand beside an event that its key was then used to emit.
  if (event?.kind === "event" && sameToken(event.replyToken, token)) return null;
  // Whoever has no token is told of an event only if he may see it.
  const sight = await sightOf(deps, agent, eventId, event?.event, await deps.store.getDeliveries(eventId));
  if (sight === "nothing" && request?.requester !== agent.id)
    throw new BusError("not_found", "There is no such event.");
  throw new BusError("forbidden", "The reply token does not belong to this event.", {
    errors: [{ pointer: "/reply_token", detail: "the token of the event's reply_to was expected" }],
  });
}

/** The subscriber for whom an agent may answer, by its key. @throws BusError `forbidden`, `not_found` */
async function requireResponder(
  deps: Deps,
  eventId: string,
  { agent, as, isProven }: Responder,
  request: RequestRecord | null,
): Promise<string | undefined> {
  const typeOf = async (): Promise<string> => request?.eventType ?? (await requireEnvelope(deps, eventId)).event.type;
  if (!allowsAll(agent.policy, "answer")) requireType(deps, agent, "respond", await typeOf(), "/event_id");
  return as === undefined ? undefined : requireSpeaker(deps, { agent, as, isProven }, request, typeOf);
}

async function requireEnvelope(deps: Deps, eventId: string): Promise<EnvelopeRecord> {
  const envelope = await deps.store.getEnvelope(eventId);
  if (envelope === null) throw new BusError("not_found", "There is no such event.");
  return envelope;
}

/** Compares without telling by its time where the difference is. */
function sameToken(expected: string, given: string): boolean {
  if (expected.length !== given.length) return false;
  let difference = 0;
  for (let i = 0; i < expected.length; i++) difference |= expected.charCodeAt(i) ^ given.charCodeAt(i);
  return difference === 0;
}

function draftResponse(
  deps: Deps,
  eventId: string,
  { response, status, response_id }: ResponseInput,
  { agent, as, traceparent }: Responder,
  speaker: string | undefined,
  request: RequestRecord | null,
): ResponseRecord {
  const nowMs = deps.now();
  return {
    responseId: response_id ?? deps.newId(),
    eventId,
    response,
    status,
    sender: agent.id,
    ...(as === undefined ? {} : { subscriber: as }),
    ...(speaker === undefined ? {} : { speaker }),
    ...(traceparent === undefined ? {} : { traceparent }),
    afterEnd: request !== null && request.state !== "PENDING",
    timestamp: new Date(nowMs).toISOString(),
    payloadHash: hashOf({ response, status, sender: agent.id, as: as ?? null }),
    expiresAt: expiryOf(deps, nowMs),
  };
}

interface Stored {
  readonly record: ResponseRecord;
  /** It had been stored before, by an earlier attempt with the same id. */
  readonly repeated: boolean;
}

async function store(deps: Deps, draft: ResponseRecord, request: RequestRecord | null): Promise<Stored> {
  await checkFlood(deps, draft, request);
  const put = await deps.store.putResponse(draft);
  if (put.kind === "created") return { record: draft, repeated: false };
  if (put.record.sender === draft.sender) return { record: put.record, repeated: true };
  // I9: ids of answers can be guessed, and whoever has the token could use up another's. His answer is kept all the same.
  const responseId = derivedId("response of", draft.sender, draft.responseId);
  return store(deps, { ...draft, responseId }, request);
}

/** I5: one response id, one response. @throws BusError `response_conflict` */
function requireSame(stored: Stored, draft: ResponseRecord): Stored {
  if (stored.record.payloadHash === draft.payloadHash) return stored;
  throw new BusError("response_conflict", "This response id was used with another payload.", {
    errors: [{ pointer: "/response_id", detail: "a fresh id was expected for a new response" }],
  });
}

/** I10: what does not count is stored, but not without end. @throws BusError `rate_limited` */
async function checkFlood(deps: Deps, draft: ResponseRecord, request: RequestRecord | null): Promise<void> {
  const fault = await floodOf(deps, draft, request);
  // A repetition of what is stored adds nothing.
  if (fault === null || (await deps.store.getResponse(draft.eventId, draft.responseId)) !== null) return;
  throw new BusError("rate_limited", fault, { retryable: false });
}

async function floodOf(deps: Deps, draft: ResponseRecord, request: RequestRecord | null): Promise<string | null> {
  if (request?.state !== "PENDING") {
    // Those that count, and progress, stand among them.
    const most = MAX_UNCOUNTED_RESPONSES + (request === null ? 0 : request.acceptedIds.length + request.progressCount);
    if ((await deps.store.countResponses(draft.eventId, most)) < most) return null;
    return `This event has ${MAX_UNCOUNTED_RESPONSES} responses that nobody waits for.`;
  }
  if (draft.status === "progress") {
    if (request.progressCount < MAX_PROGRESS_REPORTS) return null;
    return `This request has had its ${MAX_PROGRESS_REPORTS} progress reports.`;
  }
  // Only `all` goes on for so long: while somebody who is expected is silent, anybody may answer.
  if (isAwaited(request, draft) || request.acceptedIds.length < MAX_COUNTED_ANSWERS) return null;
  return `This request has its ${MAX_COUNTED_ANSWERS} answers.`;
}

function tell({ record, repeated }: Stored, verdict: SettledVerdict): Verdict {
  const { eventId, responseId, timestamp } = record;
  const told = { event_id: eventId, response_id: responseId, timestamp };
  return repeated ? { ...told, verdict: "replayed", first_verdict: verdict } : { ...told, verdict };
}

function checkSize({ response, status }: ResponseInput): void {
  const limit = status === "progress" ? MAX_PROGRESS_BYTES : MAX_EVENT_BYTES;
  const bytes = utf8Bytes(response);
  if (bytes <= limit) return;
  throw new BusError("payload_too_large", `The response has ${bytes} bytes; the limit is ${limit}.`, {
    errors: [{ pointer: "/response", detail: "a smaller response was expected: send a link to what is large" }],
  });
}
