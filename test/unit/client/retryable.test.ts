import { describe, expect, it } from "vitest";
import { AgentEventBus } from "../../../client/agent-event-bus.ts";
import type { Logger } from "../../../shared/ports.ts";
import { delivered, playBus, QUICK, sendProblem } from "./played-bus.ts";

const quiet: Logger = { info: () => undefined, warn: () => undefined, error: () => undefined };

const operations: [string, (bus: AgentEventBus) => Promise<unknown>][] = [
  ["emit", (bus) => bus.emit("SESSION_CREATED", {})],
  ["emitBatch", (bus) => bus.emitBatch([{ type: "SESSION_CREATED", data: {} }])],
  ["emitAndWait", (bus) => bus.emitAndWait("SESSION_CREATED", {}, { timeout: 30 })],
  ["emitAndWait with progress", (bus) => bus.emitAndWait("SESSION_CREATED", {}, { timeout: 30, onProgress: () => {} })],
  ["resume", (bus) => bus.resume("e-1")],
  ["cancel", (bus) => bus.cancel("e-1")],
  ["respond", (bus) => bus.respond(delivered("e-1"), {})],
  ["history", (bus) => bus.history().next()],
  ["getEvent", (bus) => bus.getEvent("e-1")],
  ["eventTypes", (bus) => bus.eventTypes()],
  ["stream", (bus) => bus.stream().next()],
  ["subscribe", (bus) => bus.subscribe("*", () => undefined, { log: quiet })],
  ["subscribe with a durable name", (bus) => bus.subscribe("*", () => undefined, { durable: "a", log: quiet })],
  ["createSubscription", (bus) => bus.createSubscription({ name: "a", eventTypes: [], target: { kind: "queue" } })],
  ["subscriptions", (bus) => bus.subscriptions().next()],
  ["getSubscription", (bus) => bus.getSubscription("s-1")],
  ["changeSubscription", (bus) => bus.changeSubscription("s-1", { answers: false })],
  ["deleteSubscription", (bus) => bus.deleteSubscription("s-1")],
  ["rotateSecret", (bus) => bus.rotateSecret("s-1")],
  ["deadDeliveries", (bus) => bus.deadDeliveries().next()],
  ["redrive", (bus) => bus.redrive()],
  ["explain", (bus) => bus.explain("e-1")],
];

describe("whether a call is made again, against a server that plays the bus", () => {
  it.each(operations)("%s is not where the bus says that it is no use, whatever the status", async (_, operation) => {
    for (const [status, code] of [
      [429, "rate_limited"],
      [503, "unavailable"],
    ] as const) {
      const { url, calls } = await playBus((_, reply) => sendProblem(reply, status, code, { retryable: false }));
      await expect(operation(new AgentEventBus({ url, retry: QUICK }))).rejects.toMatchObject({
        code,
        status,
        retryable: false,
      });
      expect(calls).toHaveLength(1);
    }
  });

  it("is where the bus says that it is worth it, whatever the status", async () => {
    const { url, calls } = await playBus((_, reply) =>
      sendProblem(reply, 409, "idempotency_conflict", { retryable: true }),
    );
    await expect(new AgentEventBus({ url, retry: QUICK }).emit("SESSION_CREATED", {})).rejects.toMatchObject({
      retryable: true,
    });
    expect(calls).toHaveLength(QUICK.tries);
  });

  it("ends an open subscription when the bus says that coming back is no use", async () => {
    const { url, calls } = await playBus((_, reply, nth) => {
      if (nth > 1) return sendProblem(reply, 503, "unavailable", { retryable: false });
      reply.writeHead(200, { "content-type": "text/event-stream" }).end("id: c0\n\n");
    });
    const subscription = await new AgentEventBus({ url, retry: QUICK }).subscribe("*", () => undefined, { log: quiet });
    await subscription.closed;
    expect(calls).toHaveLength(2);
  });
});
