/** One request and its whole answer. */
import type { ClientRequest, IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { brokenOff, CallFailure } from "./call-failure.ts";

export interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

export interface Patience {
  /** Until there is a connection, without its encryption. */
  readonly connectTimeoutMs: number;
  /** From the request to the beginning of its answer, and from each part of the answer to the next. */
  readonly answerTimeoutMs: number;
}

/** The largest answer, to BatchGetItem, has 16 MB of items, and JSON around them. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;

/** What breaks a connection, or keeps it from being made, and may not do so again. */
const PASSING = new Set([
  "ECONNRESET",
  "ECONNREFUSED",
  "EPIPE",
  "ETIMEDOUT",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENOTFOUND",
  "EAI_AGAIN",
]);

/**
 * Waits for the answer.
 * @param mayHaveDied whether a connection may have been dead before it was used
 * @throws CallFailure
 */
export function exchange(
  request: ClientRequest,
  { connectTimeoutMs, answerTimeoutMs }: Patience,
  mayHaveDied: (socket: Socket | null) => boolean,
  signal?: AbortSignal,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    let connecting: NodeJS.Timeout | undefined;
    const answering = setTimeout(
      () => fail(timedOut(`There was no answer in ${answerTimeoutMs} ms.`)),
      answerTimeoutMs,
    );
    const onAbort = () => fail(brokenOff());
    const settle = (): void => {
      clearTimeout(connecting);
      clearTimeout(answering);
      signal?.removeEventListener("abort", onAbort);
    };
    const fail = (failure: CallFailure): void => {
      settle();
      reject(failure);
      request.destroy();
    };
    signal?.addEventListener("abort", onAbort, { once: true });
    request.on("socket", (socket) => {
      if (!socket.connecting) return;
      connecting = setTimeout(
        () => fail(timedOut(`There was no connection in ${connectTimeoutMs} ms.`)),
        connectTimeoutMs,
      );
      socket.once("connect", () => clearTimeout(connecting));
    });
    request.on("error", (error) => fail(broken(error, mayHaveDied(request.socket))));
    request.on("response", (response) => {
      const parts: Buffer[] = [];
      let bytes = 0;
      response.on("data", (part: Buffer) => {
        answering.refresh();
        parts.push(part);
        bytes += part.length;
        if (bytes > MAX_ANSWER_BYTES) fail(tooLong());
      });
      response.on("error", (error) => fail(broken(error, false)));
      response.on("end", () => {
        settle();
        const { statusCode = 0, headers } = response;
        resolve({ status: statusCode, headers, body: textOf(parts) });
      });
    });
  });
}

function textOf(parts: readonly Buffer[]): string {
  const [first] = parts;
  return (parts.length === 1 && first !== undefined ? first : Buffer.concat(parts)).toString();
}

const timedOut = (message: string): CallFailure => new CallFailure({ name: "TimeoutError", message, again: "soon" });

const tooLong = (): CallFailure =>
  new CallFailure({ name: "AnswerTooLong", message: `The answer has over ${MAX_ANSWER_BYTES} bytes.`, again: "never" });

/** What was broken before it was used kept the call from being done, and is no fault of the service. */
function broken(error: Error & { code?: string }, hadDied: boolean): CallFailure {
  const { code = "" } = error;
  const isPassing = PASSING.has(code) || code.startsWith("HPE_");
  const again = !isPassing ? "never" : hadDied && (code === "ECONNRESET" || code === "EPIPE") ? "now" : "soon";
  return new CallFailure({ name: "ConnectionError", message: error.message, again, cause: error });
}
