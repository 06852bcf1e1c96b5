/** A service of AWS, played by a local server, and the lean client that speaks to it. */
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { onTestFinished, vi } from "vitest";
import type { ConnectionOptions } from "../../../functions/runtime/aws/lean/connection.ts";
import { type CredentialSource, credentialsOf } from "../../../functions/runtime/aws/lean/credentials.ts";
import { leanTableCalls } from "../../../functions/runtime/aws/lean-calls.ts";
import type { Identity as Certificate } from "../../support/webhook-endpoint.ts";

export interface PlayedCall {
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
  /** Which call it is, from 1. */
  readonly place: number;
  /** Which connection it came over, from 1. */
  readonly connection: number;
}

/** Answers a call, or does not. */
export type Play = (call: PlayedCall, response: ServerResponse) => void;

export interface PlayedService {
  readonly url: URL;
  readonly calls: PlayedCall[];
  readonly server: Server;
  /** How many connections there ever were. */
  connections(): number;
}

/** It ends with the test. @param certificate for HTTPS */
export async function playedService(play: Play, certificate?: Certificate): Promise<PlayedService> {
  const calls: PlayedCall[] = [];
  const numbers = new WeakMap<object, number>();
  let connections = 0;
  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    const chunks: Buffer[] = [];
    request
      .on("data", (chunk: Buffer) => chunks.push(chunk))
      .on("error", () => {})
      .on("end", () => {
        const call = {
          headers: request.headers,
          body: Buffer.concat(chunks).toString(),
          place: calls.length + 1,
          connection: numbers.get(request.socket) ?? 0,
        };
        calls.push(call);
        play(call, response);
      });
  };
  const server: Server = certificate === undefined ? createServer(listener) : createHttpsServer(certificate, listener);
  server.on(certificate === undefined ? "connection" : "secureConnection", (socket: object) => {
    numbers.set(socket, ++connections);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const scheme = certificate === undefined ? "http" : "https";
  const url = new URL(`${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}`);
  return { url, calls, server, connections: () => connections };
}

/** Takes any certificate until the test ends, without the warning that Node prints. */
export function trustAnybody(): void {
  vi.stubEnv("NODE_TLS_REJECT_UNAUTHORIZED", "0");
  const warning = vi.spyOn(process, "emitWarning").mockReturnValue();
  onTestFinished(() => {
    vi.unstubAllEnvs();
    warning.mockRestore();
  });
}

/** Answers with JSON. */
export const told = (
  response: ServerResponse,
  status: number,
  body: object,
  headers: Record<string, string> = {},
): void => void response.writeHead(status, headers).end(JSON.stringify(body));

/** Answers with an error in the words of DynamoDB. */
export const refused = (
  response: ServerResponse,
  status: number,
  type: string,
  headers?: Record<string, string>,
): void =>
  told(response, status, { __type: `com.amazonaws.dynamodb.v20120810#${type}`, message: `It is a ${type}.` }, headers);

export const WHO = credentialsOf({ kind: "given", accessKeyId: "AKIDEXAMPLE", secretAccessKey: "secret" });

/** The lean client of a service. It ends with the test. */
export function calling(
  url: URL,
  { credentials = WHO, ...options }: ConnectionOptions & { readonly credentials?: CredentialSource } = {},
): ReturnType<typeof leanTableCalls> {
  const calls = leanTableCalls({ url, region: "eu-central-1", credentials, ...options });
  onTestFinished(() => calls.close());
  return calls;
}

/** A read of some item. */
export const ITEM = { TableName: "bus", Key: { pk: { S: "a" }, sk: { S: "b" } } };

/** What a call failed with. */
export async function failureOf(call: Promise<unknown>): Promise<Error & { status?: number; again?: string }> {
  const error = await call.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (error instanceof Error) return error;
  throw new Error("The call did not fail.");
}
