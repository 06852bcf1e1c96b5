/** One call through the fault proxy, in the hands of a nemesis. */
import type { Seeded } from "./seeded.ts";

export type Service = "dynamodb" | "eventbridge" | "sqs";

/** What a service said, or a nemesis in its place. */
export interface Answer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

export interface Exchange {
  readonly service: Service;
  /** The operation: `PutItem`. */
  readonly operation: string;
  readonly body: Buffer;
  readonly random: Seeded;
  /** Hands the call to the service, with another body if one is given. @throws Error when it cannot be reached */
  forward(body?: Buffer): Promise<Answer>;
  /** Tells the client. Only the first time, and only if it has not been reset. */
  answer(answer: Answer): void;
  /** Breaks the client's connection. */
  reset(): void;
  /** Ends when a later call has had its answer from the service, or after so many milliseconds. */
  overtaken(ms: number): Promise<void>;
  /** Ends when the client has hung up, or after so many milliseconds. */
  clientGone(ms: number): Promise<void>;
  /** The next calls of the service, whatever they are, fail with a 5xx. */
  beginBurst(calls: number): void;
}

/** Does something to a call. What it leaves unanswered stays so. */
export type Nemesis = (exchange: Exchange) => Promise<void>;

/** An answer with a JSON body of our own: without the checksum of the one that it may stand for. */
export function jsonAnswer({ service }: Pick<Exchange, "service">, status: number, body: object): Answer {
  const version = service === "eventbridge" ? "1.1" : "1.0";
  return {
    status,
    headers: { "content-type": `application/x-amz-json-${version}` },
    body: Buffer.from(JSON.stringify(body)),
  };
}
