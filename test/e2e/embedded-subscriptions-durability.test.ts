import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { call } from "../support/call.ts";
import { cleanUp, type DevRun, eventually, runScript, startDev, temporaryFolder } from "../support/embedded.ts";
import { startScriptedReceiver } from "../support/scripted-receiver.ts";
import { writeConfig } from "../support/subscriber-config.ts";

afterEach(cleanUp);

const TYPE = "MESSAGE_PROCESSED";

const restarted = (run: DevRun, args: readonly string[] = []): Promise<DevRun> =>
  startDev({ dataDir: run.dataDir, port: Number(new URL(run.url).port), args });

async function makeQueue(url: string, more: object = {}): Promise<string> {
  const body = { name: "reader", event_types: [TYPE], target: { kind: "queue" }, ...more };
  return (await call(url, "POST", "/subscriptions", { body })).json["subscription_id"] as string;
}

async function emitMany(url: string, count: number): Promise<string[]> {
  const ids: string[] = [];
  for (let sent = 0; sent < count; ) {
    const events = Array.from({ length: Math.min(100, count - sent) }, (_, i) => ({
      type: TYPE,
      data: { n: sent + i },
    }));
    const { json } = await call(url, "POST", "/events", { body: { events } });
    ids.push(...(json["events"] as { event_id: string }[]).map(({ event_id }) => event_id));
    sent += events.length;
  }
  return ids;
}

describe("events for run-time subscribers", () => {
  test("that were acknowledged just before kill -9 are all in the queue after a restart, once each", async () => {
    const first = await startDev();
    const id = await makeQueue(first.url, { target: { kind: "queue", visibility: 600 } });
    const ids = await emitMany(first.url, 300);
    await first.kill();

    const second = await restarted(first);
    const taken: string[] = [];
    await eventually(async () => {
      const { json } = await call(second.url, "GET", `/subscriptions/${id}/messages`);
      taken.push(...(json["messages"] as { event: { id: string } }[]).map(({ event }) => event.id));
      expect(taken.length).toBeGreaterThanOrEqual(ids.length);
    });
    expect([...taken].sort()).toEqual([...ids].sort());
  });

  test("that wait for a webhook which is down are delivered after kill -9 and a restart, once it is up", async () => {
    const args = ["--allow-loopback-webhooks"];
    const receiver = await startScriptedReceiver();
    try {
      receiver.answer("/hook", (_, nth) => ({ status: nth === 1 ? 503 : 200 }));
      const first = await startDev({ args });
      expect(first.lines.join("\n")).toContain("webhooks may call this machine");
      const url = `http://127.0.0.1:${receiver.port}/hook`;
      await call(first.url, "POST", "/subscriptions", {
        body: { name: "hook", event_types: [TYPE], target: { kind: "webhook", url } },
      });
      const [eventId] = await emitMany(first.url, 1);
      const deliveries = async (bus: DevRun) =>
        (await call(bus.url, "GET", `/events/${eventId}`)).json["deliveries"] as Record<string, unknown>[];
      await eventually(async () => expect(await deliveries(first)).toMatchObject([{ log: [{ outcome: "HTTP 503" }] }]));
      await first.kill();

      const second = await restarted(first, args);
      await eventually(() => expect(receiver.calls("/hook").length).toBeGreaterThanOrEqual(2));
      const ids = receiver.calls("/hook").map(({ headers }) => headers["webhook-id"]);
      expect(new Set(ids).size).toBe(1);
      await eventually(async () =>
        expect(await deliveries(second)).toMatchObject([{ status: "delivered", attempts: 2 }]),
      );
    } finally {
      await receiver.close();
    }
  });

  test("are refused at a webhook on this machine unless the run allows them", async () => {
    const { url } = await startDev();
    const target = { kind: "webhook", url: "http://127.0.0.1:9/hook" };
    const reply = await call(url, "POST", "/subscriptions", { body: { name: "n", event_types: [TYPE], target } });
    expect([reply.status, reply.json["code"]]).toEqual([422, "invalid_request"]);
  });

  test("are all handled by a durable subscriber that is killed with -9 in the middle, and by one that outlives the bus", async () => {
    const file = join(temporaryFolder(), "handled");
    writeFileSync(file, "");
    const handled = (): string[] => readFileSync(file, "utf8").split("\n").filter(Boolean);
    const bus = await startDev();
    const subscriber = () => runScript("test/support/durable-subscriber.ts", [bus.url, "worker", file]);

    const first = subscriber();
    await first.waitForLine(/^subscribed$/);
    const ids = await emitMany(bus.url, 500);
    await eventually(() => expect(handled().length).toBeGreaterThan(50));
    first.child.kill("SIGKILL");
    await first.exited;
    expect(handled().length).toBeLessThan(500);

    const second = subscriber();
    await second.waitForLine(/^subscribed$/);
    const before = handled().length;
    await eventually(() => expect(handled().length).toBeGreaterThan(before + 20));
    await bus.kill();
    await restarted(bus);
    await eventually(() => expect(new Set(handled()).size).toBe(500));
    expect(new Set(handled())).toEqual(new Set(ids));
  });
});

describe("a deployed subscriber that fails for good", () => {
  test("is listed with its reason beside the others that are dead, and gets the event when it is mended and redriven", async () => {
    const marker = join(temporaryFolder(), "calls");
    writeFileSync(marker, "");
    const config = writeConfig([
      {
        name: "broken",
        on: TYPE,
        via: "direct",
        code: `export const handler = subscriber(() => { throw new Error("no such table"); });`,
      },
    ]);
    const run = await startDev({ config: config.path });
    const [eventId] = await emitMany(run.url, 1);
    const deadOnes = async () =>
      (await call(run.url, "GET", "/deliveries?status=dead")).json["deliveries"] as Record<string, unknown>[];
    await eventually(async () =>
      expect(await deadOnes()).toMatchObject([
        {
          event_id: eventId,
          subscription_id: "deployed:broken",
          subscriber: "broken",
          kind: "deployed",
          status: "dead",
          reason: expect.stringContaining("no such table"),
        },
      ]),
    );
    const explained = await call(run.url, "GET", `/events/${eventId}/explain`);
    expect(explained.json["subscribers"]).toMatchObject([{ subscriber: "broken", verdict: "dead" }]);

    const from = run.mark();
    config.edit(
      "broken",
      `import { appendFileSync } from "node:fs";
export const handler = subscriber((event) => { appendFileSync(${JSON.stringify(marker)}, event.id + "\\n"); });`,
    );
    await run.waitForLine(/reloaded: broken/, from);
    const redriven = await call(run.url, "POST", "/deliveries/redrive", { body: {} });
    expect(redriven.json).toMatchObject({ redriven: 1, failed: 0 });
    await eventually(() => expect(readFileSync(marker, "utf8")).toBe(`${eventId}\n`));
    await eventually(async () => expect(await deadOnes()).toEqual([]));

    await run.kill();
    const again = await startDev({ config: config.path, dataDir: run.dataDir });
    const { json } = await call(again.url, "GET", `/events/${eventId}`);
    expect(json["deliveries"]).toMatchObject([{ subscription_id: "deployed:broken", status: "redriven" }]);
  });
});
