/** DynamoDB, EventBridge and SQS on loopback, as far as the bus asks anything of them; each call is counted. */
import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import type { DeliveredEvent } from "../../shared/event.ts";
import { startMeteredStore } from "./metered-store.ts";
import { createTally, type Tally } from "./tally.ts";

export interface CountedServices {
  readonly url: string;
  readonly tally: Tally;
  /** What was published and not taken yet, oldest first. */
  readonly published: DeliveredEvent[];
  /** The bodies of messages that were sent and not taken yet, oldest first. */
  readonly messages: string[];
  close(): Promise<void>;
}

export async function startCountedServices(): Promise<CountedServices> {
  const tally = createTally();
  const store = await startMeteredStore(tally);
  const published: DeliveredEvent[] = [];
  const messages: string[] = [];

  const putEvents = (body: string): object => {
    const { Entries } = JSON.parse(body) as { Entries: { Detail: string }[] };
    published.push(...Entries.map(({ Detail }) => JSON.parse(Detail) as DeliveredEvent));
    tally.note({ calls: { "eventbridge PutEvents": 1 }, entries: { "eventbridge PutEvents": Entries.length } });
    return { FailedEntryCount: 0, Entries: Entries.map((_, i) => ({ EventId: String(i) })) };
  };
  const sendMessages = (body: string): object => {
    const { Entries } = JSON.parse(body) as { Entries: { Id: string; MessageBody: string }[] };
    messages.push(...Entries.map(({ MessageBody }) => MessageBody));
    tally.note({ calls: { "sqs SendMessageBatch": 1 }, entries: { "sqs SendMessageBatch": Entries.length } });
    return { Successful: Entries.map(({ Id }) => ({ Id, MessageId: Id, MD5OfMessageBody: "" })), Failed: [] };
  };
  const answerTo = async (target: string, body: string): Promise<{ status: number; body: string }> => {
    const [service, operation = ""] = target.split(".");
    if (service?.startsWith("DynamoDB")) return store.call(operation, body);
    if (target === "AWSEvents.PutEvents") return { status: 200, body: JSON.stringify(putEvents(body)) };
    if (target === "AmazonSQS.SendMessageBatch") return { status: 200, body: JSON.stringify(sendMessages(body)) };
    throw new Error(`Nobody plays ${target}.`);
  };

  const server = createServer(async (request, response) => {
    try {
      const { status, body } = await answerTo(String(request.headers["x-amz-target"]), await textOf(request));
      response.writeHead(status, { "content-type": "application/x-amz-json-1.0" }).end(body);
    } catch (error) {
      // A fault of the stand-in: no retry and no count can hide it.
      response.writeHead(400).end(JSON.stringify({ __type: "ValidationException", message: String(error) }));
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    tally,
    published,
    messages,
    async close() {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
      await store.close();
    },
  };
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}
