import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { AgentEventBus } from "../../client/agent-event-bus.ts";
import { call, cleanUp, eventually, runScript, startDev, temporaryFolder } from "../support/embedded.ts";
import { writeConfig } from "../support/subscriber-config.ts";

afterEach(cleanUp);

interface Page {
  readonly events: { id: string; type: string; data: Record<string, unknown> }[];
}

describe("what the embedded run has acknowledged", () => {
  test.each(["a clean end", "kill -9"])("is there after %s and a restart", async (how) => {
    const first = await startDev();
    const { body: emitted } = await call<{ event_id: string }>(`${first.url}/events`, {
      type: "SESSION_CREATED",
      data: { session_id: "s-1" },
    });
    if (how === "kill -9") await first.kill();
    else await first.stop();

    const second = await startDev({ dataDir: first.dataDir });
    const { body } = await call<Page>(`${second.url}/events?type=SESSION_CREATED`);
    expect(body.events).toMatchObject([{ id: emitted.event_id, data: { session_id: "s-1" } }]);
  });

  test("a wait under way at kill -9 is answered after the restart, and its asker is told [wait-8]", async () => {
    const first = await startDev();
    let onOpen = (): void => {};
    const opened = new Promise<void>((resolve) => {
      onOpen = resolve;
    });
    const stream = new AgentEventBus({ url: first.url }).stream({ type: "SESSION_CREATED", as: "answerer", onOpen });
    const seen = stream.next();
    await opened;
    const asked = call(`${first.url}/requests`, { type: "SESSION_CREATED", data: {}, timeout: 60 }).catch(
      () => "cut off",
    );
    const event = (await seen).value;
    if (event === undefined) throw new Error("there is no event");
    await first.kill();
    expect(await asked).toBe("cut off");
    await stream.return();

    const second = await startDev({ dataDir: first.dataDir, port: Number(new URL(first.url).port) });
    const joined = call<{ status: string; response: unknown }>(`${second.url}/requests/${event.id}?wait=20`);
    const answer = await call(second.url + event.reply_to.url, {
      response: { ok: true },
      reply_token: event.reply_to.token,
    });
    expect(answer.body).toMatchObject({ verdict: "accepted" });
    expect((await joined).body).toMatchObject({ status: "answered", response: { ok: true } });
  });

  test("a wait whose deadline passed while nothing ran ends as timed out", async () => {
    const first = await startDev();
    const asked = fetch(`${first.url}/requests`, {
      method: "POST",
      body: JSON.stringify({ type: "SESSION_CREATED", data: {}, timeout: 1.5, require_subscribers: false }),
    }).catch(() => "cut off");
    const { events } = await eventually(async () => {
      const page = (await call<Page>(`${first.url}/events`)).body;
      expect(page.events).toHaveLength(1);
      return page;
    });
    await first.kill();
    await asked;
    const second = await startDev({ dataDir: first.dataDir });
    const { body } = await call<{ status: string }>(`${second.url}/requests/${events[0]?.id}?wait=20`);
    expect(body.status).toBe("timed_out");
  });
});

describe("undelivered work", () => {
  test("of a queue is delivered after kill -9", async () => {
    const marker = join(temporaryFolder(), "calls");
    writeFileSync(marker, "");
    const config = writeConfig([
      {
        name: "slow",
        on: "SESSION_CREATED",
        via: "queue",
        answers: false,
        code: `import { appendFileSync } from "node:fs";
export const handler = subscriber(async (event) => {
  appendFileSync(${JSON.stringify(marker)}, JSON.stringify(event.data) + "\\n");
  if (process.env.AGENT_EVENT_BUS_TEST_HOLD === "true") await new Promise(() => {});
});`,
      },
    ]);
    process.env.AGENT_EVENT_BUS_TEST_HOLD = "true";
    try {
      const first = await startDev({ config: config.path });
      await call(`${first.url}/events`, { type: "SESSION_CREATED", data: { session_id: "held" } });
      await eventually(() => expect(readFileSync(marker, "utf8")).toContain("held"));
      await first.kill();
      process.env.AGENT_EVENT_BUS_TEST_HOLD = "false";
      const second = await startDev({ config: config.path, dataDir: first.dataDir });
      await eventually(() => expect(readFileSync(marker, "utf8").match(/held/g)).toHaveLength(2));
      expect(await second.stop()).toBe(0);

      // Done now: nothing is left for a third run, which shows by what comes after it being the only new call.
      const third = await startDev({ config: config.path, dataDir: first.dataDir });
      await call(`${third.url}/events`, { type: "SESSION_CREATED", data: { session_id: "new" } });
      await eventually(() => expect(readFileSync(marker, "utf8")).toContain("new"));
      expect(readFileSync(marker, "utf8").match(/held/g)).toHaveLength(2);
    } finally {
      delete process.env.AGENT_EVENT_BUS_TEST_HOLD;
    }
  });

  test("that fails comes again from a queue, in its own time and without its neighbours", async () => {
    const config = writeConfig([
      {
        name: "flaky",
        on: "SESSION_CREATED",
        via: "queue",
        code: `export const handler = subscriber(async (event, { attempt }) => {
  if (event.data.fail && attempt === 1) throw new Error("not today");
  return { attempt };
});`,
      },
    ]);
    const { url } = await startDev({ config: config.path });
    const ask = (data: object) =>
      call<{ response: { attempt: number } }>(`${url}/requests`, { type: "SESSION_CREATED", data, timeout: 20 });
    const [failing, fine] = await Promise.all([ask({ fail: true }), ask({ fail: false })]);
    expect(failing.body.response).toEqual({ attempt: 2 });
    expect(fine.body.response).toEqual({ attempt: 1 });
  });

  test("of a direct subscriber that throws is final, told to the asker and kept with its reason", async () => {
    const config = writeConfig([
      {
        name: "broken",
        on: "SESSION_CREATED",
        via: "direct",
        code: `export const handler = subscriber(async () => { throw new Error("no such luck"); });`,
      },
    ]);
    const bus = await startDev({ config: config.path });
    const { body } = await call<{ status: string; event_id: string }>(`${bus.url}/requests`, {
      type: "SESSION_CREATED",
      data: {},
      timeout: 20,
    });
    expect(body.status).toBe("failed");
    await bus.waitForLine(/delivery is dead.*no such luck/);
    const journal = readFileSync(join(bus.dataDir, "deliveries.jsonl"), "utf8");
    expect(journal).toContain(`"op":"dead","key":"broken/${body.event_id}","reason":"no such luck"`);
  });

  test("of a handler that crashes its thread fails by itself: the next one is served", async () => {
    const config = writeConfig([
      {
        name: "crasher",
        on: "SESSION_CREATED",
        via: "direct",
        code: `export const handler = subscriber(async (event) => {
  if (event.data.crash) { setImmediate(() => { throw new Error("kaboom"); }); await new Promise(() => {}); }
  return { alive: true };
});`,
      },
    ]);
    const bus = await startDev({ config: config.path });
    await call(`${bus.url}/events`, { type: "SESSION_CREATED", data: { crash: true } });
    await bus.waitForLine(/delivery is dead.*kaboom/);
    const { body } = await call<{ response: unknown }>(`${bus.url}/requests`, {
      type: "SESSION_CREATED",
      data: {},
      timeout: 20,
    });
    expect(body.response).toEqual({ alive: true });
  });
});

describe("a handler that kills the whole process", () => {
  test("is given up after five runs; then the bus starts, and says that something is dead", async () => {
    const config = writeConfig([
      {
        name: "killer",
        on: "SESSION_CREATED",
        via: "direct",
        code: `export const handler = subscriber(async () => { process.kill(process.pid, "SIGKILL"); await new Promise(() => {}); });`,
      },
    ]);
    const first = await startDev({ config: config.path });
    await call(`${first.url}/events`, { type: "SESSION_CREATED", data: {} }).catch(() => "cut off");
    expect(await first.exited).toBe("SIGKILL");
    const args = ["--port", "0", "--data-dir", first.dataDir, "--config", config.path];
    for (let run = 2; run <= 5; run++) expect(await runScript("local/dev.ts", args).exited).toBe("SIGKILL");

    const survivor = await startDev({ config: config.path, dataDir: first.dataDir });
    await survivor.waitForLine(/"delivery is dead".*"killer".*the bus ended in the middle of it/);
    await survivor.waitForLine(/^1 delivery is dead: GET \/deliveries says why/);
    expect((await call(`${survivor.url}/health`)).status).toBe(200);
    await survivor.stop();
    const next = await startDev({ config: config.path, dataDir: first.dataDir });
    await next.waitForLine(/^1 delivery is dead: /);
  });
});

describe("code that changes", () => {
  const version = (n: number): string => `export const handler = subscriber(async () => ({ version: ${n} }));`;

  test("is taken up without a restart; a mistake leaves the old code in place", async () => {
    const config = writeConfig([{ name: "changing", on: "SESSION_CREATED", via: "direct", code: version(1) }]);
    const bus = await startDev({ config: config.path });
    const ask = async (): Promise<unknown> =>
      (await call<{ response: unknown }>(`${bus.url}/requests`, { type: "SESSION_CREATED", data: {}, timeout: 20 }))
        .body.response;
    expect(await ask()).toEqual({ version: 1 });

    config.edit("changing", version(2));
    await bus.waitForLine(/^reloaded: changing$/);
    expect(await ask()).toEqual({ version: 2 });

    let from = bus.mark();
    config.edit("changing", "export const handler = (;");
    await bus.waitForLine(/could not load changing/, from);
    expect(await ask()).toEqual({ version: 2 });

    for (const [code, why] of [
      [`throw new Error("no such table");`, /no such table/],
      ["export const handle = 1;", /no export named "handler"/],
    ] as const) {
      from = bus.mark();
      config.edit("changing", code);
      await bus.waitForLine(/could not load changing/, from);
      await bus.waitForLine(why, from);
      expect(await ask()).toEqual({ version: 2 });
    }

    from = bus.mark();
    config.edit("changing", version(3));
    await bus.waitForLine(/^reloaded: changing$/, from);
    expect(await ask()).toEqual({ version: 3 });
    expect(bus.lines.filter((line) => line === "reloaded: changing")).toHaveLength(2);

    // Of all these versions one is kept.
    const bundles = (): string[] =>
      readdirSync(join(bus.dataDir, "build")).filter((file) => file.startsWith("subscriber-changing"));
    await eventually(() => expect(bundles()).toHaveLength(1));
  });

  test("of the configuration changes who is subscribed, and loses neither events nor waits", async () => {
    const config = writeConfig([{ name: "one", on: "SESSION_CREATED", via: "direct", code: version(1) }]);
    const bus = await startDev({ config: config.path });
    const waiting = call<{ event_id: string; status: string }>(`${bus.url}/requests`, {
      type: "SESSION_UPDATED",
      data: {},
      timeout: 20,
      require_subscribers: false,
    });
    const other = writeConfig([{ name: "two", on: "SESSION_UPDATED", via: "direct", code: version(7) }]);
    const [asked] = await eventually(async () => {
      const { events } = (await call<Page>(`${bus.url}/events?type=SESSION_UPDATED`)).body;
      expect(events).toHaveLength(1);
      return events;
    });
    writeFileSync(config.path, readFileSync(other.path, "utf8"));
    const from = bus.mark();
    await bus.waitForLine(/^reloaded: bus$/);
    await bus.waitForLine(/^subscribers: two$/, from);

    const answered = await call<{ response: unknown }>(`${bus.url}/requests`, {
      type: "SESSION_UPDATED",
      data: {},
      timeout: 20,
    });
    expect(answered.body.response).toEqual({ version: 7 });
    expect((await call(`${bus.url}/requests`, { type: "SESSION_CREATED", data: {}, timeout: 20 })).body.code).toBe(
      "no_subscribers",
    );

    // The wait that began under the old code is woken by the new.
    await call(`${bus.url}/requests/${asked?.id}`, undefined, { method: "DELETE" });
    expect((await waiting).body).toMatchObject({ event_id: asked?.id, status: "cancelled" });
  });
});
