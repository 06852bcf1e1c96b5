import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { createEventBridgePublisher } from "../../../functions/runtime/eventbridge-publisher.ts";
import type { DeliveredEvent } from "../../../shared/event.ts";
import { AWS_CLIENTS } from "../../support/aws-clients.ts";

interface Entry {
  Detail: string;
  DetailType: string;
  Source: string;
  EventBusName: string;
  /** Epoch seconds. */
  Time: number;
}

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

type Connect = (typeof AWS_CLIENTS)[number][1];

/** A server that plays EventBridge's PutEvents, so that its partial failures can be had at will. */
async function playedEventBridge(connect: Connect, answer: (entries: Entry[]) => { status?: number; body: object }) {
  const batches: Entry[][] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { Entries } = JSON.parse(Buffer.concat(chunks).toString()) as { Entries: Entry[] };
    batches.push(Entries);
    const { status = 200, body } = answer(Entries);
    response.writeHead(status, { "content-type": "application/x-amz-json-1.1" }).end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const aws = connect({ endpoint });
  closing.push(() => {
    aws.close();
    server.close();
  });
  return { batches, publisher: createEventBridgePublisher({ calls: aws.events, eventBusName: "bus" }) };
}

const anEvent = (id: string, size = 10): DeliveredEvent => ({
  id,
  type: "MESSAGE_RECEIVED",
  data: { text: "x".repeat(size) },
  timestamp: "2026-06-01T12:00:00.000Z",
  correlation_id: id,
  hops: 0,
  source: "agent",
  reply_to: { url: `/events/${id}/responses`, token: "t" },
});
const accepted = (entries: Entry[]) => ({
  body: { FailedEntryCount: 0, Entries: entries.map((_, i) => ({ EventId: String(i) })) },
});

describe.each(AWS_CLIENTS)("publishing to EventBridge (played by a local server) by %s", (_, connect) => {
  it("puts each event under its type on the bus, with everything that a subscriber needs", async () => {
    const { batches, publisher } = await playedEventBridge(connect, accepted);
    const event = anEvent("e-1");
    expect(await publisher.publish([event])).toEqual([{ kind: "published" }]);
    expect(batches[0]?.[0]).toMatchObject({
      EventBusName: "bus",
      Source: "agent-event-bus",
      DetailType: "MESSAGE_RECEIVED",
      // When it happened, though it may be published later.
      Time: Date.parse(event.timestamp) / 1_000,
    });
    expect(JSON.parse(batches[0]?.[0]?.Detail ?? "")).toEqual(event);
  });

  it("tells which entries of a batch failed, and only those [emit-11]", async () => {
    const { publisher } = await playedEventBridge(connect, (entries) => ({
      body: {
        FailedEntryCount: 1,
        Entries: entries.map((_, i) =>
          i === 1 ? { ErrorCode: "ThrottlingException", ErrorMessage: "slow down" } : { EventId: "x" },
        ),
      },
    }));
    expect(await publisher.publish([anEvent("a"), anEvent("b"), anEvent("c")])).toEqual([
      { kind: "published" },
      { kind: "failed", reason: "ThrottlingException: slow down" },
      { kind: "published" },
    ]);
  });

  it("never throws: an outcome that is unknown counts as failed, and will be sent again [emit-10]", async () => {
    const { publisher } = await playedEventBridge(connect, () => ({
      status: 500,
      body: { __type: "InternalException" },
    }));
    expect(await publisher.publish([anEvent("a")])).toMatchObject([{ kind: "failed" }]);
  });

  it("keeps to 10 entries and 256 KB a call [emit-2]", async () => {
    const { batches, publisher } = await playedEventBridge(connect, accepted);
    await publisher.publish(Array.from({ length: 25 }, (_, i) => anEvent(String(i))));
    expect(batches.map(({ length }) => length).sort()).toEqual([10, 10, 5]);
    batches.length = 0;
    const outcomes = await publisher.publish(Array.from({ length: 4 }, (_, i) => anEvent(String(i), 100_000)));
    expect(batches.map(({ length }) => length)).toEqual([2, 2]);
    expect(outcomes).toHaveLength(4);
  });
});
