import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { bundleOnce } from "../../../local/bundle.ts";
import { Deliveries, type DeliveriesOptions } from "../../../local/deliveries.ts";
import { type Journal, openJournal } from "../../../local/journal.ts";
import { projectPath } from "../../../local/project.ts";
import type { DeployedSubscriber } from "../../../shared/deployed-subscriber.ts";
import { deliveredEvent } from "../../support/delivered-event.ts";

let folder: string;
let journal: Journal;
let deliveries: Deliveries;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "deliveries-"));
  writeFileSync(join(folder, "calls"), "");
  journal = openJournal(join(folder, "journal"));
});
afterEach(async () => {
  await deliveries.close();
  journal.close();
  rmSync(folder, { recursive: true, force: true });
});

const silent = { info: () => {}, warn: () => {}, error: () => {} };
const worker = (via: "direct" | "queue", timeoutSeconds = 60): DeployedSubscriber => ({
  name: "worker",
  on: ["MESSAGE_RECEIVED"],
  handler: "-",
  via,
  answers: true,
  timeoutSeconds,
  memoryMb: 256,
});

/** A module of a subscriber, with `serve` in scope, and `note(text)` to leave a trace. @returns its path */
const bundle = (text: string): Promise<string> =>
  bundleOnce({
    name: "worker",
    outDir: folder,
    text: `import { appendFileSync, existsSync } from "node:fs";
import { serve } from ${JSON.stringify(projectPath("local/handler-serve.ts"))};
const note = (text) => appendFileSync(${JSON.stringify(join(folder, "calls"))}, text + "\\n");
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const released = async () => { while (!existsSync(${JSON.stringify(join(folder, "release"))})) await pause(5); };
${text}`,
  });

/** Serves `handler`'s code, which has `input` and `context`. */
async function serve(
  via: "direct" | "queue",
  body: string,
  { timeoutSeconds, ...options }: Partial<DeliveriesOptions> & { timeoutSeconds?: number } = {},
): Promise<void> {
  const path = await bundle(`serve("worker", async (input, context) => { ${body} });`);
  deliveries = new Deliveries({
    journal,
    log: silent,
    print: () => {},
    env: { FROM_HOST: "yes" },
    retryMs: 5,
    ...options,
  });
  deliveries.setSubscribers([worker(via, timeoutSeconds)]);
  await deliveries.setCode("worker", path);
}

const accept = (...ids: string[]): void =>
  deliveries.accept(ids.map((id) => ({ subscriber: "worker", event: deliveredEvent({ id }) })));
/** Lets handlers that wait for `released()` go on. */
const release = (): void => writeFileSync(join(folder, "release"), "");
const calls = (): string[] => readFileSync(join(folder, "calls"), "utf8").split("\n").filter(Boolean);
const settled = (): Promise<void> =>
  vi.waitFor(() => expect(journal.pending()).toEqual([]), { timeout: 10_000, interval: 5 });
const dead = (): { id: string; reason: string }[] =>
  journal.deadOnes().map(({ event, reason }) => ({ id: event.id, reason }));

describe("a direct subscriber", () => {
  test("has the key of its own subscriber in its environment", async () => {
    await serve("direct", "note(process.env.AGENT_EVENT_BUS_KEY);", { keyOf: (name) => `key of ${name}` });
    accept("1");
    await settled();
    expect(calls()).toEqual(["key of worker"]);
  });

  test("is called with the event as EventBridge gives it", async () => {
    await serve(
      "direct",
      `note(JSON.stringify([input.version, input["detail-type"], input.source, input.time, input.detail.id, process.env.FROM_HOST, context.getRemainingTimeInMillis() > 0]));`,
    );
    accept("1");
    await settled();
    expect(JSON.parse(calls()[0] as string)).toEqual([
      "0",
      "MESSAGE_RECEIVED",
      "agent-event-bus",
      "2026-01-01T00:00:00.000Z",
      "1",
      "yes",
      true,
    ]);
    expect(dead()).toEqual([]);
  });

  test("has one try", async () => {
    await serve("direct", `note("tried"); throw new Error("no");`);
    accept("1");
    await settled();
    expect(calls()).toEqual(["tried"]);
    expect(dead()).toEqual([{ id: "1", reason: "no" }]);
  });

  test("gets a crowd of events a few at a time, so that each can be finished in its time", async () => {
    await serve(
      "direct",
      `globalThis.running = (globalThis.running ?? 0) + 1;
       note(globalThis.running);
       await pause(1);
       globalThis.running--;`,
    );
    accept(...Array.from({ length: 60 }, (_, i) => String(i)));
    await settled();
    expect(dead()).toEqual([]);
    expect(calls()).toHaveLength(60);
    expect(Math.max(...calls().map(Number))).toBeLessThanOrEqual(10);
  });

  test("that hangs is given up after its time, and the next call gets a fresh thread", async () => {
    await serve("direct", `note(input.detail.id); if (input.detail.id === "hangs") await new Promise(() => {});`, {
      timeoutSeconds: 0.3,
    });
    accept("hangs");
    await settled();
    expect(dead()).toEqual([{ id: "hangs", reason: "took longer than 0.3 s" }]);
    accept("fine");
    await settled();
    expect(calls()).toEqual(["hangs", "fine"]);
    expect(dead()).toHaveLength(1);
  });

  test("whose thread exits fails the call and serves the next", async () => {
    await serve("direct", `if (input.detail.id === "exits") process.exit(3); note(input.detail.id);`);
    accept("exits");
    await settled();
    expect(dead()).toEqual([{ id: "exits", reason: "it exited with code 3" }]);
    accept("fine");
    await settled();
    expect(calls()).toEqual(["fine"]);
  });
});

describe("a queue's subscriber", () => {
  test("gets what was accepted together as a batch of at most ten", async () => {
    await serve(
      "queue",
      `note(input.Records.map(({ messageId, body }) => messageId + JSON.parse(body).detail.id).join());`,
    );
    accept(..."abcdefghijkl");
    await settled();
    expect(calls()).toEqual(["aa,bb,cc,dd,ee,ff,gg,hh,ii,jj", "kk,ll"]);
  });

  test("gets only what it reports as failed again, counted", async () => {
    await serve(
      "queue",
      `const again = input.Records.filter(({ messageId, attributes }) => { note(messageId + attributes.ApproximateReceiveCount); return messageId === "b" && attributes.ApproximateReceiveCount < 3; });
       return { batchItemFailures: again.map(({ messageId }) => ({ itemIdentifier: messageId })) };`,
    );
    accept("a", "b");
    await settled();
    expect(calls()).toEqual(["a1", "b1", "b2", "b3"]);
    expect(dead()).toEqual([]);
  });

  test.each([
    ["throws", `note("x"); throw new Error("no");`, "no"],
    [
      "names a message that was not in the batch",
      `note("x"); return { batchItemFailures: [{ itemIdentifier: "?" }] };`,
      "the handler reported it as failed",
    ],
    ["names none at all", `note("x"); return { batchItemFailures: [{}] };`, "the handler reported it as failed"],
  ])("that %s gets the whole batch again, five times, and then it is dead", async (_, body, reason) => {
    await serve("queue", body);
    accept("a", "b");
    await settled();
    expect(dead()).toEqual([
      { id: "a", reason },
      { id: "b", reason },
    ]);
    expect(calls().length).toBeGreaterThanOrEqual(5);
    expect(journal.deadOnes().map(({ receives }) => receives)).toEqual([5, 5]);
  });
});

describe("deliveries", () => {
  test("to a subscriber that was taken out of the configuration are dead, and say why", async () => {
    await serve("queue", `throw new Error("no");`, { retryMs: 60_000 });
    accept("1");
    await vi.waitFor(() => expect(journal.pending()[0]?.receives).toBe(1), { timeout: 10_000 });
    deliveries.setSubscribers([]);
    expect(dead()).toEqual([{ id: "1", reason: "the subscriber is no longer in bus.config.ts" }]);
  });

  test("under way when the bus ends stay for the next run", async () => {
    await serve("direct", `note("begun"); await new Promise(() => {});`);
    accept("1");
    await vi.waitFor(() => expect(calls()).toEqual(["begun"]), { timeout: 10_000 });
    await deliveries.drain(10);
    await deliveries.close();
    expect(journal.pending()).toMatchObject([{ key: "worker/1", receives: 0 }]);
    expect(dead()).toEqual([]);
  });

  test("begun by old code are finished by it when new code comes", async () => {
    await serve("direct", `await new Promise((resolve) => setTimeout(resolve, 200)); note("old " + input.detail.id);`);
    accept("1");
    await vi.waitFor(() => expect(journal.pending()).toHaveLength(1));
    // On the next turns of the loop the call has left for the thread.
    await new Promise((resolve) => setTimeout(resolve, 0));
    const next = await bundle(`serve("worker", async (input) => note("new " + input.detail.id));`);
    await deliveries.setCode("worker", next);
    accept("2");
    await settled();
    expect(calls().sort()).toEqual(["new 2", "old 1"]);
  });

  test("are finished when the bus ends, also by old code and for a subscriber that was taken out", async () => {
    await serve("direct", `note("begun"); await released();`);
    accept("1");
    await vi.waitFor(() => expect(calls()).toEqual(["begun"]), { timeout: 10_000 });
    await deliveries.setCode(
      "worker",
      await bundle(`serve("worker", async () => { note("new"); await released(); });`),
    );
    accept("2");
    await vi.waitFor(() => expect(calls()).toEqual(["begun", "new"]), { timeout: 10_000 });
    deliveries.setSubscribers([]);
    const drained = deliveries.drain(10_000);
    release();
    await drained;
    expect(journal.pending()).toEqual([]);
    expect(dead()).toEqual([]);
  });

  test("to old code end with the bus, whatever it still does", async () => {
    await serve("direct", `note("begun"); setInterval(() => note("tick"), 1); await new Promise(() => {});`);
    accept("1");
    await vi.waitFor(() => expect(calls()).toContain("tick"), { timeout: 10_000 });
    await deliveries.setCode("worker", await bundle(`serve("worker", async () => {});`));
    await deliveries.close();
    const noted = calls().length;
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(calls()).toHaveLength(noted);
  });

  test("that fail after their subscriber was taken out and put back come again", async () => {
    await serve("queue", `note("old"); await released(); throw new Error("no");`);
    accept("1");
    await vi.waitFor(() => expect(calls()).toEqual(["old"]), { timeout: 10_000 });
    deliveries.setSubscribers([]);
    deliveries.setSubscribers([worker("queue")]);
    await deliveries.setCode(
      "worker",
      await bundle(
        `serve("worker", async (input) => note("new " + input.Records[0].attributes.ApproximateReceiveCount));`,
      ),
    );
    release();
    await settled();
    expect(calls()).toEqual(["old", "new 2"]);
    expect(dead()).toEqual([]);
  });

  test.each(["direct", "queue"] as const)(
    "that end the whole process are dead after five runs that it ended (%s)",
    async (via) => {
      await serve(via, `note("begun"); await new Promise(() => {});`);
      accept("1");
      for (let run = 1; run <= 5; run++) {
        await vi.waitFor(() => expect(calls()).toHaveLength(run), { timeout: 10_000 });
        // What a killed run leaves is its journal as it is; to end its threads in order would take the receive back.
        const left = readFileSync(join(folder, "journal"));
        await deliveries.close();
        journal.close();
        writeFileSync(join(folder, "journal"), left);
        journal = openJournal(join(folder, "journal"));
        await serve(via, `note("begun"); await new Promise(() => {});`);
      }
      expect(journal.pending()).toEqual([]);
      expect(dead()).toEqual([{ id: "1", reason: "the bus ended in the middle of it, at the last of 5 tries" }]);
      expect(calls()).toHaveLength(5);
    },
  );
});

describe("code that cannot be loaded", () => {
  test.each([
    ["throws", `throw new Error("no such table");`, "no such table"],
    ["exports no handler", `serve("worker", undefined);`, 'no export named "handler"'],
    ["ends its thread", `process.exit(0);`, "it exited with code 0"],
  ])("because it %s is refused, and the old code stays", async (_, code, reason) => {
    await serve("direct", `note("old " + input.detail.id);`);
    await expect(deliveries.setCode("worker", await bundle(code))).rejects.toThrow(reason);
    accept("1");
    await settled();
    expect(calls()).toEqual(["old 1"]);
  });

  test("does not replace newer code, however late it turns out", async () => {
    await serve("direct", "");
    const late = deliveries.setCode("worker", await bundle(`await released(); throw new Error("too late");`));
    await deliveries.setCode("worker", await bundle(`serve("worker", async () => note("newer"));`));
    release();
    await late;
    accept("1");
    await settled();
    expect(calls()).toEqual(["newer"]);
  });
});
