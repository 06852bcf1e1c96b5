/** What stands behind the proxy: a real store, and small stand-ins for EventBridge and SQS that remember what they took. */
import { once } from "node:events";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import dynalite from "dynalite";

export interface ScriptedService {
  readonly url: string;
  close(): Promise<void>;
}

/** A DynamoDB of its own, in memory, without a table. */
export function startRealStore(): Promise<ScriptedService> {
  return listening(dynalite({ createTableMs: 0, deleteTableMs: 0, updateTableMs: 0 }));
}

export interface EventBus extends ScriptedService {
  /** The details of all entries that were ever taken, in order: an entry that came twice stands there twice. */
  readonly taken: Record<string, unknown>[];
}

/** PutEvents, and nothing else. */
export async function startEventBus(): Promise<EventBus> {
  const taken: Record<string, unknown>[] = [];
  const service = await listening(
    createServer(
      answering((body) => {
        const { Entries } = body as { Entries: { Detail: string }[] };
        taken.push(...Entries.map(({ Detail }) => JSON.parse(Detail) as Record<string, unknown>));
        return { FailedEntryCount: 0, Entries: Entries.map((_, i) => ({ EventId: `${taken.length}-${i}` })) };
      }),
    ),
  );
  return { ...service, taken };
}

export interface MessageQueue extends ScriptedService {
  /** The bodies of all messages that were ever taken, in order. */
  readonly taken: string[];
}

/** SendMessageBatch, and nothing else. */
export async function startMessageQueue(): Promise<MessageQueue> {
  const taken: string[] = [];
  const service = await listening(
    createServer(
      answering((body) => {
        const { Entries } = body as { Entries: { Id: string; MessageBody: string }[] };
        taken.push(...Entries.map(({ MessageBody }) => MessageBody));
        return { Successful: Entries.map(({ Id }) => ({ Id, MessageId: Id, MD5OfMessageBody: "" })), Failed: [] };
      }),
    ),
  );
  return { ...service, taken };
}

function answering(answer: (body: unknown) => object): RequestListener {
  return (incoming, outgoing) => {
    const chunks: Buffer[] = [];
    incoming
      .on("data", (chunk: Buffer) => chunks.push(chunk))
      .on("end", () => {
        const body = JSON.stringify(answer(JSON.parse(Buffer.concat(chunks).toString())));
        outgoing.writeHead(200, { "content-type": "application/x-amz-json-1.0" }).end(body);
      });
  };
}

async function listening(server: Server): Promise<ScriptedService> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
