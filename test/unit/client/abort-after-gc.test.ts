/** Node's `fetch` forgets its signal once its `Response` has been garbage-collected; what outlives that must not. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import { AgentEventBus } from "../../../client/agent-event-bus.ts";
import { delivered, later, openSse, playBus, sendBlock } from "./played-bus.ts";

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

/** Weak references are cleared between tasks, so a few are let pass. */
async function forgetWhatCanBeForgotten(): Promise<void> {
  for (let i = 0; i < 5; i++) {
    collectGarbage();
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

describe("calling off after a garbage collection, against a server that plays the bus", () => {
  it("ends a stream that waits for events, and closes its connection", async () => {
    const controller = new AbortController();
    const { url, calls } = await playBus((_, reply) => {
      openSse(reply);
      sendBlock(reply, { id: "c1", data: delivered("e-1") });
    });
    const stream = new AgentEventBus({ url }).stream({ signal: controller.signal });
    expect((await stream.next()).value).toMatchObject({ id: "e-1" });
    const next = stream.next();
    await forgetWhatCanBeForgotten();
    controller.abort();
    expect(await next).toEqual({ done: true, value: undefined });
    await calls[0]?.gone;
  });

  it("closes a subscription", async () => {
    const { url, calls } = await playBus((_, reply) => {
      openSse(reply);
      sendBlock(reply, { id: "c0" });
    });
    const subscription = await new AgentEventBus({ url }).subscribe("*", () => undefined);
    await forgetWhatCanBeForgotten();
    await subscription.close();
    await calls[0]?.gone;
  });

  it("ends a held wait, whether its answer has begun or not", async () => {
    for (const begin of [false, true]) {
      const controller = new AbortController();
      const reason = new Error("enough");
      const asked = later();
      const { url, calls } = await playBus((_, reply) => {
        if (begin) reply.writeHead(200, { "content-type": "application/json" }).write("{");
        asked.resolve();
      });
      const outcome = new AgentEventBus({ url }).emitAndWait(
        "CONTEXT_REQUESTED",
        {},
        { timeout: 60, signal: controller.signal },
      );
      const ended = expect(outcome).rejects.toBe(reason);
      await asked.promise;
      await forgetWhatCanBeForgotten();
      controller.abort(reason);
      await ended;
      await calls[0]?.gone;
    }
  });
});
