/** The request and response that every function's `handle` works with, whoever carries them. */
import type { Deps } from "../../shared/ports.ts";

export interface HttpRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  /** The verified agent. */
  readonly caller: string;
  /** Aborts when the client is known to be gone. */
  readonly signal: AbortSignal;
  /** How much longer the function may run, in milliseconds. */
  remainingMs(): number;
}

export interface HttpResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Text, or a stream of server-sent events. */
  readonly body: string | AsyncIterable<string>;
  /** What is left to do once the answer is on its way; never throws. */
  readonly afterwards?: () => Promise<void>;
}

/** What a function does with a request. Never throws: a failure is a problem document. */
export type Handle = (request: HttpRequest, deps: Deps) => Promise<HttpResponse>;
