/**
 * The failures a caller can see: one class, one table.
 *
 * What is expected (a timeout, a lost race) is returned as a union of kinds; only failures are thrown.
 */

interface ErrorKind {
  readonly status: number;
  readonly retryable: boolean;
  readonly title: string;
}

/** Every error code of the wire contract. A code without a status does not compile. */
export const ERROR_KINDS = {
  invalid_json: { status: 400, retryable: false, title: "The body is not acceptable JSON" },
  unauthenticated: { status: 401, retryable: false, title: "The caller is not authenticated" },
  forbidden: { status: 403, retryable: false, title: "The caller may not do this" },
  not_found: { status: 404, retryable: false, title: "There is no such thing here" },
  agent_exists: { status: 409, retryable: false, title: "The name is another agent's" },
  idempotency_conflict: { status: 409, retryable: false, title: "The idempotency key was used with another payload" },
  response_conflict: { status: 409, retryable: false, title: "The response id was used with another payload" },
  limit_reached: { status: 409, retryable: false, title: "There is no room for another one" },
  payload_too_large: { status: 413, retryable: false, title: "The payload is too large" },
  invalid_request: { status: 422, retryable: false, title: "The request has an invalid field" },
  unknown_event_type: { status: 422, retryable: false, title: "The event type is not in the catalogue" },
  schema_violation: { status: 422, retryable: false, title: "The data does not fit the event type's schema" },
  loop_detected: { status: 422, retryable: false, title: "The conversation runs in a loop" },
  no_subscribers: { status: 424, retryable: false, title: "Nobody can answer this request" },
  rate_limited: { status: 429, retryable: true, title: "Too many requests" },
  internal: { status: 500, retryable: true, title: "The bus failed in an unforeseen way; the outcome is unknown" },
  overloaded: { status: 503, retryable: true, title: "The bus has more to do than it can; the call was not looked at" },
  unavailable: { status: 503, retryable: true, title: "A dependency failed; the outcome is unknown" },
} as const satisfies Record<string, ErrorKind>;

export type ErrorCode = keyof typeof ERROR_KINDS;

/** One fault of the input, at a JSON pointer (RFC 6901) into the body, or at a header or query parameter by its name. */
export interface FieldError {
  readonly pointer: string;
  readonly detail: string;
}

/** An RFC 9457 problem document with the bus's own members. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: ErrorCode;
  readonly retryable: boolean;
  readonly errors?: readonly FieldError[];
  /** When waiting helps and the bus knows for how long: milliseconds, of which `Retry-After` is the seconds. */
  readonly retry_after_ms?: number;
  /** With `idempotency_conflict`: the event that the key stands for, and when the bus accepted it. */
  readonly event_id?: string;
  readonly timestamp?: string;
}

export interface BusErrorOptions {
  readonly errors?: readonly FieldError[];
  readonly cause?: unknown;
  /** False where the code is usually worth a retry and this failure is not. */
  readonly retryable?: boolean;
  /** How long to wait before the next try, in milliseconds. */
  readonly retryAfterMs?: number;
  /** Further members of the problem document. */
  readonly members?: Pick<Problem, "event_id" | "timestamp">;
}

/** The only error that the bus throws on purpose. */
export class BusError extends Error {
  override readonly name = "BusError";
  readonly code: ErrorCode;
  readonly errors: readonly FieldError[];
  readonly retryable: boolean;
  readonly retryAfterMs: number | undefined;
  readonly members: Pick<Problem, "event_id" | "timestamp">;

  /** @param detail what went wrong, for the caller's eyes: no secret, no other agent's data */
  constructor(code: ErrorCode, detail: string, options: BusErrorOptions = {}) {
    super(detail, options.cause === undefined ? {} : { cause: options.cause });
    this.code = code;
    this.errors = options.errors ?? [];
    this.retryable = options.retryable ?? ERROR_KINDS[code].retryable;
    this.retryAfterMs = options.retryAfterMs;
    this.members = options.members ?? {};
  }

  get status(): number {
    return ERROR_KINDS[this.code].status;
  }
}

/** A fault of one field: 422 with its pointer and what was expected. */
export function invalidField(pointer: string, detail: string): BusError {
  return new BusError("invalid_request", `${pointer}: ${detail}`, { errors: [{ pointer, detail }] });
}

/** The problem document of a failure: no stack, no cause. What is not a `BusError` becomes `internal`. */
export function toProblem(error: unknown): Problem {
  const known = error instanceof BusError ? error : new BusError("internal", "Retry with the same idempotency key.");
  const kind = ERROR_KINDS[known.code];
  return {
    type: `urn:agent-event-bus:error:${known.code}`,
    title: kind.title,
    status: kind.status,
    detail: known.message,
    code: known.code,
    retryable: known.retryable,
    ...(known.errors.length === 0 ? {} : { errors: known.errors }),
    ...(known.retryAfterMs === undefined ? {} : { retry_after_ms: known.retryAfterMs }),
    ...known.members,
  };
}
