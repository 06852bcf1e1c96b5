/**
 * Bodies of calls, as they arrive. What has begun to come is in memory until it is all there, and costs its agent nothing
 * before: so there is only so much of it at once, and of each agent half of that, that there is some left for others.
 */
import type { IncomingMessage } from "node:http";
import { BusError } from "../shared/errors.ts";
import { MAX_BODY_BYTES } from "../shared/limits.ts";

/** Of all bodies that are not there as a whole yet: some fifty of the largest. */
const UNFINISHED_BYTES = 256 * 1024 * 1024;

/** There is room again as soon as another body is there. */
const RETRY_AFTER_MS = 1_000;

/** Reads a body. @throws BusError `payload_too_large`; `overloaded` when too much of others is under way */
export type ReadBody = (incoming: IncomingMessage, agentId: string) => Promise<Uint8Array>;

/** @param unfinishedBytes how much of bodies that are not there as a whole is kept */
export function createBodyReader(unfinishedBytes = UNFINISHED_BYTES): ReadBody {
  const ofAgents = new Map<string, number>();
  let ofAll = 0;

  function add(agentId: string, bytes: number): void {
    const ofAgent = (ofAgents.get(agentId) ?? 0) + bytes;
    if (ofAgent > 0) ofAgents.set(agentId, ofAgent);
    else ofAgents.delete(agentId);
    ofAll += bytes;
  }

  const isFull = (agentId: string): boolean =>
    ofAll > unfinishedBytes || (ofAgents.get(agentId) ?? 0) > unfinishedBytes / 2;

  return async (incoming, agentId) => {
    if (Number(incoming.headers["content-length"] ?? 0) > MAX_BODY_BYTES) throw tooLarge();
    const chunks: Buffer[] = [];
    let bytes = 0;
    try {
      // Not the plain iterator: left early, it would destroy the socket before the refusal is sent.
      for await (const chunk of incoming.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
        bytes += chunk.length;
        add(agentId, chunk.length);
        if (bytes > MAX_BODY_BYTES) throw tooLarge();
        if (isFull(agentId)) throw overloaded();
        chunks.push(chunk);
      }
    } finally {
      add(agentId, -bytes);
    }
    return Buffer.concat(chunks);
  };
}

const tooLarge = (): BusError => new BusError("payload_too_large", `A body may have ${MAX_BODY_BYTES} bytes.`);

const overloaded = (): BusError =>
  new BusError("overloaded", "More of bodies is on its way than this bus takes at once.", {
    retryAfterMs: RETRY_AFTER_MS,
  });
