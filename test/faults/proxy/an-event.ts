/** An event to put into a store. */
import { randomUUID } from "node:crypto";
import type { EventRecord } from "../../../shared/records.ts";

export function anEvent(data: Record<string, string> = { text: "hello" }): EventRecord {
  const id = randomUUID();
  return {
    event: {
      id,
      type: "MESSAGE_RECEIVED",
      data,
      timestamp: new Date().toISOString(),
      correlation_id: id,
      hops: 1,
      source: "agent",
    },
    kind: "event",
    payloadHash: "hash",
    replyToken: "token",
    commitId: randomUUID(),
    published: false,
    relayAttempts: 0,
    expiresAt: Math.floor(Date.now() / 1_000) + 86_400,
  };
}
