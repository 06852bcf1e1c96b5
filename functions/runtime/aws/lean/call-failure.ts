/** Why a call to AWS failed, and whether another try may help. */

/** When another try makes sense. */
export type Again =
  | "never"
  /** At once: what kept the call from being done is mended, and was no fault of the service. */
  | "now"
  /** After a short pause: a fault that may have been one of a kind. */
  | "soon"
  /** After a longer pause: the service has too much to do. */
  | "later";

export interface Failure {
  /** The service's name of it, as `ThrottlingException`; or `TimeoutError`, `ConnectionError`, `AbortError`. */
  readonly name: string;
  readonly message: string;
  readonly again: Again;
  /** Of the answer, when there was one. */
  readonly status?: number;
  readonly cause?: unknown;
}

export class CallFailure extends Error {
  readonly again: Again;
  readonly status: number | undefined;

  constructor({ name, message, again, status, cause }: Failure) {
    super(message, cause === undefined ? {} : { cause });
    this.name = name;
    this.again = again;
    this.status = status;
  }
}

export const brokenOff = (): CallFailure =>
  new CallFailure({ name: "AbortError", message: "The call was broken off.", again: "never" });
