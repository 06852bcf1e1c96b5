import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type EmbeddedBus, startEmbeddedBus } from "../../local/host.ts";
import type { DeliveredEvent } from "../../shared/event.ts";
import { type FaultProxy, startFaultProxy } from "../faults/proxy/fault-proxy.ts";
import { call, type StreamedEvent } from "../support/call.ts";
import { cleanUp, eventually, temporaryFolder } from "../support/embedded.ts";
import { writeConfig } from "../support/subscriber-config.ts";

const TYPE = "SESSION_UPDATED";

/** Calls that wait for one question beside the one that asked it: half of them plain, half of them streams. */
const JOINED = 40;

/** Who answers reads too. */
const FEW = 8;

describe("many calls that wait for one question, on the embedded run", () => {
  const watching = new AbortController();
  let proxy: FaultProxy;
  let bus: EmbeddedBus;
  let stream: AsyncGenerator<StreamedEvent, void>;

  beforeAll(async () => {
    proxy = await startFaultProxy({ seed: 1 });
    bus = await startEmbeddedBus({
      port: 0,
      dataDir: temporaryFolder(),
      configPath: writeConfig([], { limits: { openWaitsPerAgent: 1_000 } }).path,
      storeVia({ endpoint }) {
        proxy.setTarget("dynamodb", endpoint);
        return proxy.url;
      },
    });
    const followed = await call(bus.url, "GET", "/events/stream", { live: true, signal: watching.signal });
    stream = followed.live();
    await stream.next();
  });

  afterAll(async () => {
    watching.abort();
    await bus.close();
    await proxy.close();
    await cleanUp();
  });

  const reads = (): number => proxy.tally.of("calls", "GetItem") + proxy.tally.of("calls", "BatchGetItem");

  /** The event as its subscribers get it. */
  async function copyOf(conversation: string): Promise<DeliveredEvent> {
    for (;;) {
      const { done, value } = await stream.next();
      if (done === true) throw new Error("the stream has ended");
      if (value.data?.["correlation_id"] === conversation) return value.data as unknown as DeliveredEvent;
    }
  }

  /** Until nothing is read: everybody is there and sleeps. */
  const quiet = (): Promise<void> =>
    eventually(async () => {
      const before = reads();
      await sleep(100);
      if (reads() !== before) throw new Error("something is still read");
    });

  /** Asks, has others join the wait, answers. @returns how many reads that took, from the answer until all were told */
  async function askAndAnswer(): Promise<number> {
    const conversation = randomUUID();
    const question = { type: TYPE, data: {}, correlation_id: conversation, timeout: 50, require_subscribers: false };
    const asked = call(bus.url, "POST", "/requests", { body: question });
    const { id, reply_to } = await copyOf(conversation);
    const waiting = Array.from({ length: JOINED }, async (_, i) => {
      const headers: Record<string, string> = i % 2 === 0 ? {} : { accept: "text/event-stream" };
      const { json, events } = await call(bus.url, "GET", `/requests/${id}?wait=50`, { headers });
      return (i % 2 === 0 ? json : events.at(-1)?.data)?.["response"];
    });
    await quiet();
    const before = reads();
    const body = { response: { to: id }, reply_token: reply_to?.token };
    expect((await call(bus.url, "POST", reply_to?.url as string, { body })).json["verdict"]).toBe("accepted");
    const told = [(await asked).json["response"], ...(await Promise.all(waiting))];
    expect(told).toEqual(told.map(() => ({ to: id })));
    return reads() - before;
  }

  it("are all told its answer, and see it with one read of the question between them", async () => {
    const all = JOINED + 1;
    // Of some rounds the one with the fewest: the look that each takes once a second may fall into one.
    let fewest = Number.POSITIVE_INFINITY;
    for (let round = 0; round < 5 && fewest > all + FEW; round++) fewest = Math.min(fewest, await askAndAnswer());
    // Each reads the answer itself. Did each also read the question, there would be twice as many.
    expect(fewest).toBeGreaterThanOrEqual(all);
    expect(fewest).toBeLessThanOrEqual(all + FEW);
  });
});
