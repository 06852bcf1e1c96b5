/** HTTP calls whose bodies and headers go out as they are, byte by byte; every answer has to be one that the contract has. */
import { Agent, request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "vitest";

export interface RawReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly text: string;
  /** The body; an empty object when it is no JSON object. */
  readonly json: Record<string, unknown>;
}

export interface RawOptions {
  /** Bytes as they are, anything else as JSON. */
  readonly body?: Uint8Array | object;
  readonly headers?: Readonly<Record<string, string>>;
}

const agent = new Agent({ keepAlive: true, maxSockets: 32 });

/** Waits where the bus says that there are too many calls. Fails when it says that it has failed. */
export async function rawCall(base: string, method: string, path: string, options: RawOptions = {}): Promise<RawReply> {
  for (;;) {
    const reply = await once(base, method, path, options);
    if (reply.status !== 429) {
      expect([method, path, reply.status < 500 ? "fine" : reply.text]).toEqual([method, path, "fine"]);
      return reply;
    }
    await sleep(1_000 * Number(reply.headers["retry-after"]));
  }
}

function once(base: string, method: string, path: string, { body, headers = {} }: RawOptions): Promise<RawReply> {
  const { hostname, port } = new URL(base);
  const bytes = body === undefined ? undefined : body instanceof Uint8Array ? body : Buffer.from(JSON.stringify(body));
  return new Promise((resolve, reject) => {
    const length = bytes === undefined ? {} : { "content-type": "application/json", "content-length": bytes.length };
    // Not `fetch`, which would rewrite the path.
    const sending = request({ agent, hostname, port, method, path, headers: { ...length, ...headers } }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on("data", (chunk: Buffer) => chunks.push(chunk));
      answer.on("error", reject);
      answer.on("end", () => {
        const text = Buffer.concat(chunks).toString("utf8");
        resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text, json: asObject(text) });
      });
    });
    sending.on("error", reject);
    sending.end(bytes);
  });
}

function asObject(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
