/**
 * The table as a service, as DynamoDB is one (AWS JSON protocol 1.0): for what has to come between the bus and its store, or
 * to look at a store from outside. The bus itself calls its table without it.
 *
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.LowLevelAPI.html
 */
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { whyForbidden } from "../guards.ts";
import { LOOPBACK } from "../listening.ts";
import type { LevelTable } from "./level-table.ts";
import { type OpenTable, openTable } from "./open.ts";

export interface ServedTable {
  /** Where it speaks DynamoDB. */
  readonly endpoint: string;
  /**
   * Falls over as a service does: breaks off every call, is away for a while, in which nobody listens, and comes back with
   * what the folder then holds. Resolves when it is back.
   */
  fallOver(awayMs: number): Promise<void>;
  /** Breaks off what is under way. Resolves when the folder is free. */
  close(): Promise<void>;
}

const TARGET = /^DynamoDB_20120810\.(GetItem|BatchGetItem|PutItem|UpdateItem|DeleteItem|Query|Scan)$/;

/** Serves the table in a folder. @throws Error when the folder cannot be used, or its table has other indexes */
export async function serveTable(folder: string, tableName: string): Promise<ServedTable> {
  let up = await start(folder, tableName, 0);
  const { port } = up;
  // One after the other: a close waits until it is back.
  let last: Promise<void> = Promise.resolve();
  const afterwards = (work: () => Promise<void>): Promise<void> => {
    last = last.then(work);
    return last;
  };
  return {
    endpoint: `http://${LOOPBACK}:${port}`,
    fallOver: (awayMs) =>
      afterwards(async () => {
        await up.end();
        await sleep(awayMs);
        up = await start(folder, tableName, port);
      }),
    close: () => afterwards(() => up.end()),
  };
}

async function start(
  folder: string,
  tableName: string,
  port: number,
): Promise<{ readonly port: number; end(): Promise<void> }> {
  const table = await openTable(folder, tableName);
  const server = createServer((incoming, outgoing) => void answer(table.calls, incoming, outgoing));
  try {
    server.listen(port, LOOPBACK);
    await once(server, "listening");
  } catch (error) {
    await table.close();
    throw error;
  }
  return { port: (server.address() as AddressInfo).port, end: () => end(server, table) };
}

async function end(server: Server, table: OpenTable): Promise<void> {
  const closed = once(server, "close");
  server.close();
  server.closeAllConnections();
  await closed;
  await table.close();
}

/** Never throws. */
async function answer(calls: LevelTable, incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  try {
    // It takes any credentials and lets every page read its answers, so whoever is in a browser must not get to it at all.
    const refusal =
      incoming.headers.origin === undefined ? whyForbidden(incoming.headers) : "The store is not for web pages.";
    if (refusal !== null) {
      outgoing.writeHead(403, { "content-type": "text/plain", connection: "close" }).end(`${refusal}\n`);
      return;
    }
    const { status, body } = await answerTo(calls, String(incoming.headers["x-amz-target"]), await textOf(incoming));
    outgoing.writeHead(status, { "content-type": "application/x-amz-json-1.0" }).end(JSON.stringify(body));
  } catch {
    outgoing.destroy();
  }
}

async function answerTo(calls: LevelTable, target: string, text: string): Promise<{ status: number; body: object }> {
  const operation = TARGET.exec(target)?.[1];
  if (operation === undefined) return failure(400, "UnknownOperationException", `The table does not know ${target}.`);
  const method = `${operation.charAt(0).toLowerCase()}${operation.slice(1)}` as keyof Omit<LevelTable, "idle">;
  const call = calls[method] as (input: unknown) => Promise<object>;
  try {
    return { status: 200, body: await call(JSON.parse(text)) };
  } catch (error) {
    const { name, message } = error as Error;
    if (error instanceof SyntaxError) return failure(400, "SerializationException", message);
    return name.endsWith("Exception") ? failure(400, name, message) : failure(500, "InternalServerError", message);
  }
}

const failure = (status: number, name: string, message: string): { status: number; body: object } => ({
  status,
  body: { __type: `com.amazonaws.dynamodb.v20120810#${name}`, message },
});

async function textOf(incoming: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString("utf8");
}
