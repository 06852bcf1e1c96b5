/** The failures that a caller of the client can see. */
import { ERROR_KINDS, type ErrorCode, type FieldError } from "../shared/errors.ts";

/**
 * A code of the wire contract, or one of the client's own:
 *
 * - `unreachable`: the bus gave no answer that could be read.
 * - `outcome_unknown`: a wait is over for the client, but how it ended could not be learned.
 * - `deadline_passed`: there was no time left to begin.
 */
export type ClientErrorCode = ErrorCode | "unreachable" | "outcome_unknown" | "deadline_passed";

export interface FailureDetails {
  /** HTTP status; 0 when there was no HTTP answer. */
  readonly status: number;
  readonly retryable: boolean;
  readonly errors?: readonly FieldError[];
  readonly eventId?: string | undefined;
  readonly timestamp?: string | undefined;
  readonly retryAfterMs?: number | undefined;
  readonly cause?: unknown;
}

/** What every method of `AgentEventBus` throws when the bus refuses, fails or cannot be reached. */
export class AgentEventBusError extends Error {
  override readonly name = "AgentEventBusError";
  readonly code: ClientErrorCode;
  /** HTTP status; 0 when there was no HTTP answer. */
  readonly status: number;
  /** Whether the same call, with the same idempotency key, may succeed later. */
  readonly retryable: boolean;
  /** The faults of the input, when it was the input. */
  readonly errors: readonly FieldError[];
  /** The event it is about, as far as it is known: `resume(eventId)` goes on from there. */
  readonly eventId: string | undefined;
  /** With `idempotency_conflict`: when the event that the key stands for was accepted. */
  readonly timestamp: string | undefined;
  /** What the bus asked to wait before the next try, in milliseconds. */
  readonly retryAfterMs: number | undefined;

  constructor(code: ClientErrorCode, detail: string, details: FailureDetails) {
    super(detail, details.cause === undefined ? {} : { cause: details.cause });
    this.code = code;
    this.status = details.status;
    this.retryable = details.retryable;
    this.errors = details.errors ?? [];
    this.eventId = details.eventId;
    this.timestamp = details.timestamp;
    this.retryAfterMs = details.retryAfterMs;
  }

  /** True when it is not known whether the call had its effect (I11). */
  get outcomeUnknown(): boolean {
    // What was turned away unread has had no effect.
    if (this.code === "overloaded") return false;
    return this.code === "outcome_unknown" || this.code === "unreachable" || this.status >= 500;
  }
}

/**
 * Thrown by a subscriber's callback to refuse an event for good: it is answered as `rejected` and does not come again.
 */
export class RejectedError extends Error {
  override readonly name = "RejectedError";
}

/** No answer that can be read: the effect is unknown, and the same key makes a retry safe. */
export function unreachable(detail: string, cause?: unknown): AgentEventBusError {
  return new AgentEventBusError("unreachable", detail, { status: 0, retryable: true, cause });
}

/** The error that an HTTP answer other than 2xx stands for, problem document or not. */
export function errorOfResponse(response: Response, text: string): AgentEventBusError {
  const problem = parseProblem(text);
  const code = isErrorCode(problem.code) ? problem.code : codeOfStatus(response.status);
  const detail = [problem.detail, problem.title, problem.message].find(
    (text) => typeof text === "string" && text !== "",
  );
  return new AgentEventBusError(code, typeof detail === "string" ? detail : `HTTP status ${response.status}`, {
    status: response.status,
    retryable: typeof problem.retryable === "boolean" ? problem.retryable : isRetryableStatus(response.status),
    errors: Array.isArray(problem.errors) ? (problem.errors as FieldError[]) : [],
    eventId: typeof problem.event_id === "string" ? problem.event_id : undefined,
    timestamp: typeof problem.timestamp === "string" ? problem.timestamp : undefined,
    retryAfterMs: waitOf(problem.retry_after_ms) ?? parseRetryAfter(response.headers.get("retry-after")),
  });
}

function parseProblem(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (value === null || typeof value !== "object") return {};
    // A refusal by the Function URL itself is {"Message": "..."}.
    return { message: (value as Record<string, unknown>).Message, ...value };
  } catch {
    return {};
  }
}

const isErrorCode = (code: unknown): code is ErrorCode => typeof code === "string" && Object.hasOwn(ERROR_KINDS, code);

const isRetryableStatus = (status: number): boolean => status === 408 || status === 429 || status >= 500;

/** For answers that do not come from the bus but from what stands before it. */
function codeOfStatus(status: number): ErrorCode {
  if (status === 401) return "unauthenticated";
  if (status === 403) return "forbidden";
  if (status === 404) return "not_found";
  if (status === 413) return "payload_too_large";
  if (status === 429) return "rate_limited";
  return status === 408 || status >= 500 ? "unavailable" : "invalid_request";
}

/** The bus's own member is exact, where the header has whole seconds. */
const waitOf = (ms: unknown): number | undefined => (typeof ms === "number" && ms >= 0 ? ms : undefined);

/** Seconds or an HTTP date (RFC 9110, section 10.2.3), as milliseconds from now. */
function parseRetryAfter(header: string | null): number | undefined {
  if (header === null || header.trim() === "") return undefined;
  const seconds = Number(header);
  const ms = Number.isNaN(seconds) ? Date.parse(header) - Date.now() : seconds * 1000;
  return Number.isNaN(ms) ? undefined : Math.max(0, ms);
}
