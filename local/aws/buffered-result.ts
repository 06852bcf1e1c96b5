/** What an emulator makes of a function whose URL streams, while it cannot stream itself. */
import type { IncomingMessage } from "node:http";
import { text } from "node:stream/consumers";

export interface Answer {
  readonly status: number;
  readonly headers: NodeJS.Dict<string | string[]>;
  /** The whole of it, or as it comes. */
  readonly body: string | IncomingMessage;
}

/** What a function returns where it cannot stream. */
interface BufferedResult {
  readonly statusCode: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/**
 * The answer that the function meant. An emulator without response streaming sends what a function with a streaming
 * URL returned, status and headers and all, as a body of type `application/octet-stream`, which the bus never uses.
 */
export async function unwrapBuffered(answer: IncomingMessage): Promise<Answer> {
  const asItCame = { status: answer.statusCode ?? 502, headers: answer.headers };
  if (answer.headers["content-type"] !== "application/octet-stream") return { ...asItCame, body: answer };
  const body = await text(answer);
  const result = parse(body);
  if (result === null) return { ...asItCame, body };
  return { status: result.statusCode, headers: result.headers ?? {}, body: result.body ?? "" };
}

function parse(body: string): BufferedResult | null {
  try {
    const parsed: unknown = JSON.parse(body);
    return typeof parsed === "object" && parsed !== null && "statusCode" in parsed && typeof parsed.statusCode === "number"
      ? (parsed as BufferedResult)
      : null;
  } catch {
    return null;
  }
}
