import { afterAll } from "vitest";
import type { DeliveredEvent } from "../../shared/event.ts";
import { call } from "../support/call.ts";
import { cleanUp, startDev } from "../support/embedded.ts";
import { type BusUnderTest, scenarios } from "./scenarios.suite.ts";

const watching = new AbortController();
afterAll(async () => {
  watching.abort();
  await cleanUp();
});

/** Starts the embedded run; a live stream of all events gives the copies that subscribers get. */
async function open(): Promise<BusUnderTest> {
  const { url } = await startDev();
  const copies = new Map<string, DeliveredEvent>();
  const waiting = new Map<string, (copy: DeliveredEvent) => void>();
  const stream = (await call(url, "GET", "/events/stream", { live: true, signal: watching.signal })).live();
  await stream.next();
  const collect = async (): Promise<void> => {
    for await (const { data } of stream) {
      const copy = data as unknown as DeliveredEvent | undefined;
      if (copy === undefined) continue;
      const key = `${copy.type} ${copy.correlation_id}`;
      copies.set(key, copies.get(key) ?? copy);
      waiting.get(key)?.(copy);
    }
  };
  collect().catch((error: unknown) => {
    if (!watching.signal.aborted) throw error;
  });
  return {
    url,
    streamsLive: true,
    copyOf(type, conversation) {
      const key = `${type} ${conversation}`;
      const known = copies.get(key);
      return known !== undefined ? Promise.resolve(known) : new Promise((resolve) => waiting.set(key, resolve));
    },
  };
}

scenarios({
  name: "as the embedded run",
  open,
  crowd: { repetitions: 100, racers: 32, waits: 50 },
});
