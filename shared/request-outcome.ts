/** What a waiter is told: the record in the words of the wire (I3). */
import { missingNames } from "./agents/speaker.ts";
import type { JsonObject } from "./json.ts";
import type { Deps } from "./ports.ts";
import type { RequestRecord, RequestState, ResponseRecord, ResponseStatus } from "./records.ts";

export type OutcomeStatus = "pending" | "answered" | "timed_out" | "cancelled" | "failed";

/** A response as waiters and history show it. */
export interface ResponseView {
  readonly response_id: string;
  readonly event_id: string;
  readonly response: JsonObject;
  readonly timestamp: string;
  /** The subscriber it speaks for, else the agent that sent it. */
  readonly responder: string;
  readonly status: ResponseStatus;
  /** W3C trace context of who answered, if it told one. */
  readonly traceparent?: string;
}

/** The body of an ended wait. */
export interface RequestOutcome {
  readonly event_id: string;
  readonly status: Exclude<OutcomeStatus, "pending">;
  /** The response that decided: the answer or the rejection; the first of several; null when none did. */
  readonly response: JsonObject | null;
  /** All that count, oldest first. */
  readonly responses: readonly ResponseView[];
  /** Who was expected and had not answered when the request ended without being answered. */
  readonly missing: readonly string[];
  /** From the question to the end, by the record. */
  readonly elapsed_ms: number;
}

/** The body of a wait that goes on. */
export interface PendingRequest {
  readonly event_id: string;
  readonly status: "pending";
  readonly responses: readonly ResponseView[];
  /** The path on which the same wait goes on. */
  readonly resume: string;
}

const STATUS: Readonly<Record<RequestState, OutcomeStatus>> = {
  PENDING: "pending",
  ANSWERED: "answered",
  TIMED_OUT: "timed_out",
  CANCELLED: "cancelled",
  FAILED: "failed",
};

export const statusOf = (state: RequestState): OutcomeStatus => STATUS[state];

export const resumePath = (eventId: string): string => `/requests/${eventId}`;

export async function describeOutcome(
  deps: Pick<Deps, "store">,
  request: RequestRecord,
): Promise<RequestOutcome | PendingRequest> {
  const responses = await acceptedResponses(deps, request);
  const event_id = request.eventId;
  if (request.state === "PENDING") return { event_id, status: "pending", responses, resume: resumePath(event_id) };
  const decided = request.state === "ANSWERED" || request.state === "FAILED";
  return {
    event_id,
    status: STATUS[request.state] as RequestOutcome["status"],
    response: decided ? (responses[0]?.response ?? null) : null,
    responses,
    missing: missingOf(request),
    // Two machines' clocks may have written the two times.
    elapsed_ms: Math.max(0, Date.parse(request.endedAt ?? request.deadline) - Date.parse(request.createdAt)),
  };
}

/** Who was expected and has not answered; nobody, once the request has what it wanted. */
export function missingOf(request: RequestRecord): string[] {
  if (request.state === "ANSWERED" || request.state === "FAILED") return [];
  return missingNames(request);
}

export function viewResponse(record: ResponseRecord): ResponseView {
  const { responseId, eventId, response, timestamp, status, traceparent } = record;
  const responder = record.subscriber ?? record.sender;
  return {
    response_id: responseId,
    event_id: eventId,
    response,
    timestamp,
    responder,
    status,
    ...(traceparent === undefined ? {} : { traceparent }),
  };
}

async function acceptedResponses(deps: Pick<Deps, "store">, request: RequestRecord): Promise<ResponseView[]> {
  const [only, ...others] = request.acceptedIds;
  if (only === undefined) return [];
  if (others.length === 0) {
    const response = await deps.store.getResponse(request.eventId, only);
    return response === null ? [] : [viewResponse(response)];
  }
  const responses = await deps.store.getResponses(request.eventId);
  return responses.filter((response) => request.acceptedIds.includes(response.responseId)).map(viewResponse);
}
