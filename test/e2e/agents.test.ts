/** Agents with keys on the embedded run, over HTTP: who is let in, what they may do, and what becomes of their keys. */
import { readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { AgentAdministration } from "../../client/agent-administration.ts";
import { AgentEventBus } from "../../client/agent-event-bus.ts";
import type { PolicyChange } from "../../shared/agents/input.ts";
import { type CallOptions, call, type Reply } from "../support/call.ts";
import { cleanUp, type DevRun, eventually, runScript, startDev, temporaryFolder } from "../support/embedded.ts";
import { type TestSubscriber, writeConfig } from "../support/subscriber-config.ts";

const TYPE = "UPGRADE_REQUESTED";
const EVENT = { type: TYPE, data: { target: "billing" } };

/** Answers, and says something of its own. */
const HELPER: TestSubscriber = {
  name: "helper",
  on: "CONTEXT_REQUESTED",
  via: "direct",
  code: `export const handler = subscriber(async (event, context) => {
    await context.emit("SESSION_CREATED", {});
    return { helped: true };
  });`,
};

let bus: DevRun;
let administration: AgentAdministration;
const adminKeyOf = ({ dataDir }: DevRun): string => readFileSync(join(dataDir, "admin-key"), "utf8").trim();

beforeAll(async () => {
  const config = writeConfig([HELPER]);
  bus = await startDev({ config: config.path, args: ["--keys"] });
  administration = new AgentAdministration({ url: bus.url, key: adminKeyOf(bus) });
});
afterAll(cleanUp);

const withKey = (key: string, method: string, path: string, options: CallOptions = {}): Promise<Reply> =>
  call(bus.url, method, path, { ...options, headers: { ...options.headers, authorization: `Bearer ${key}` } });
const asAdmin = (method: string, path: string, body?: unknown): Promise<Reply> =>
  withKey(adminKeyOf(bus), method, path, { body });

let agents = 0;
/** Lets a new agent in. */
async function anAgent(policy: PolicyChange = {}) {
  const name = `agent-${++agents}`;
  const { key, key_id: keyId } = await administration.register(name, policy);
  return { name, key, keyId, id: `agent:${name}` };
}

/** Whether a key lets somebody in at this moment. */
const isLetIn = async (key: string): Promise<boolean> => {
  const { status } = await withKey(key, "GET", "/event-types");
  expect([200, 401]).toContain(status);
  return status === 200;
};

describe("who is let in", () => {
  test("nobody without a key that is valid; and all hear the same, whatever is wrong with theirs", async () => {
    const revoked = await anAgent();
    await administration.revokeKey(revoked.name, revoked.keyId);
    const disabled = await anAgent();
    await administration.change(disabled.name, { disabled: true });
    const deleted = await anAgent();
    await administration.delete(deleted.name);
    const replaced = await anAgent();
    await administration.rotateKey(replaced.name, { overlapSeconds: 0 });
    const { key } = await anAgent();
    const wrong: (string | undefined)[] = [
      undefined,
      "Bearer",
      "Bearer x",
      `Basic ${key}`,
      key,
      `Bearer ${key}x`,
      `Bearer ${key}, Bearer ${key}`,
      `Bearer ${key.replace(/_agent-\d+_/, "_nobody_")}`,
      `Bearer ${key.slice(0, -43)}${"A".repeat(43)}`,
      ...[revoked, disabled, deleted, replaced].map((one) => `Bearer ${one.key}`),
    ];
    const answers = new Set<string>();
    for (const authorization of wrong)
      for (const [method, path, body] of [
        ["POST", "/events", EVENT],
        ["GET", "/events", undefined],
        ["GET", "/events/stream", undefined],
        ["GET", "/agents", undefined],
      ] as const) {
        const headers: Record<string, string> = authorization === undefined ? {} : { authorization };
        const { status, text, headers: answered } = await call(bus.url, method, path, { body, headers });
        expect(status).toBe(401);
        answers.add(`${answered.get("www-authenticate")} ${answered.get("content-type")} ${text}`);
      }
    expect([...answers]).toHaveLength(1);
    expect([...answers][0]).toMatch(/^Bearer application\/problem\+json.*"code":"unauthenticated"/);
    expect(await isLetIn(key)).toBe(true);
  });

  test("everybody may ask whether the bus is there", async () => {
    expect((await call(bus.url, "GET", "/health")).status).toBe(200);
  });

  test("a body that nobody is let in with is not read to its end", async () => {
    const response = await fetch(`${bus.url}/events`, {
      method: "POST",
      body: new Uint8Array(6 * 1024 * 1024).fill(32),
    });
    expect(response.status).toBe(401);
  });

  test("pages of other sites are kept away before anybody looks at a key", async () => {
    const { key } = await anAgent();
    const response = await fetch(`${bus.url}/event-types`, {
      headers: { authorization: `Bearer ${key}`, origin: "https://example.com" },
    });
    expect(response.status).toBe(403);
  });

  test("a page of this machine may read why it was not let in", async () => {
    const response = await fetch(`${bus.url}/events`, { headers: { origin: "http://localhost:5173" } });
    expect(response.status).toBe(401);
    expect(response.headers.get("access-control-allow-origin")).toBe("http://localhost:5173");
  });
});

describe("keys", () => {
  test("revoked, one is dead with the next call", async () => {
    const { name, key, keyId } = await anAgent();
    expect(await isLetIn(key)).toBe(true);
    expect((await asAdmin("DELETE", `/agents/${name}/keys/${keyId}`)).status).toBe(204);
    expect(await isLetIn(key)).toBe(false);
  });

  test("replaced, both are good for a while, then only the new one", async () => {
    const { name, key: first } = await anAgent();
    const { json } = await asAdmin("POST", `/agents/${name}/keys`, { overlap_seconds: 2 });
    const second = json["key"] as string;
    expect([await isLetIn(first), await isLetIn(second)]).toEqual([true, true]);
    await eventually(async () => expect(await isLetIn(first)).toBe(false));
    expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(json["previous_valid_until"] as string));
    expect(await isLetIn(second)).toBe(true);
  });

  test("shut out, an agent comes back with the keys that it had", async () => {
    const { name, key } = await anAgent();
    await administration.change(name, { disabled: true });
    expect(await isLetIn(key)).toBe(false);
    await administration.change(name, { disabled: false });
    expect(await isLetIn(key)).toBe(true);
  });

  test("revoking is not undone by what happens at the same moment", async () => {
    for (let i = 0; i < 5; i++) {
      const { name, key, keyId } = await anAgent();
      const [, { key: next }] = await Promise.all([
        administration.revokeKey(name, keyId),
        administration.rotateKey(name),
        administration.change(name, { policy: { read: [] } }),
      ]);
      expect([await isLetIn(key), await isLetIn(next)]).toEqual([false, true]);
    }
  });

  test("one and the same in every place but one: in no file of the data folder, in no line that is printed", async () => {
    const { key } = await anAgent();
    await withKey(key, "POST", "/events", { body: EVENT });
    await withKey(`${key}x`, "POST", "/events", { body: EVENT });
    const secretOf = (text: string): string => text.slice(-43);
    const holding = (secret: string): string[] =>
      readdirSync(bus.dataDir, { recursive: true, encoding: "utf8" })
        .filter((path) => statSync(join(bus.dataDir, path)).isFile())
        .filter((path) => readFileSync(join(bus.dataDir, path)).includes(secret));
    expect(holding(secretOf(key))).toEqual([]);
    expect(holding(secretOf(adminKeyOf(bus)))).toEqual(["admin-key"]);
    // What is kept is found, so that what is not found is not there.
    expect(holding(agentNames())).not.toEqual([]);
    expect(bus.lines.join("\n")).not.toMatch(/aeb_[a-z0-9-]+_[\w-]{10}/);
  });
  const agentNames = (): string => `agent-${agents}`;
});

describe("administrators", () => {
  test("are the only ones who get to agents; who may not is not told which there are", async () => {
    const { name, key, keyId } = await anAgent({ conversations: "any" });
    const told = new Set<string>();
    for (const one of [name, "nobody"])
      for (const [method, path, body] of [
        ["POST", "/agents", { name: one }],
        ["GET", "/agents", undefined],
        ["GET", `/agents/${one}`, undefined],
        ["PATCH", `/agents/${one}`, { policy: { administer: true } }],
        ["DELETE", `/agents/${one}`, undefined],
        ["POST", `/agents/${one}/keys`, {}],
        ["DELETE", `/agents/${one}/keys/${keyId}`, undefined],
      ] as const) {
        const { status, text } = await withKey(key, method, path, { body });
        expect(status).toBe(403);
        told.add(text);
      }
    expect([...told]).toHaveLength(1);
    expect((await administration.getAgent(name)).policy.administer).toBe(false);
  });

  test("see every agent and no hash", async () => {
    const { name } = await anAgent();
    const listed: string[] = [];
    for await (const agent of administration.agents({ pageSize: 3 })) listed.push(agent.name);
    expect(listed).toEqual(expect.arrayContaining(["admin", name]));
    expect(listed).toEqual([...listed].sort());
    expect((await asAdmin("GET", `/agents/${name}`)).text).not.toMatch(/[0-9a-f]{64}/);
  });

  test("make others administrators, and end that", async () => {
    const { name, key } = await anAgent({ administer: true });
    expect((await withKey(key, "GET", "/agents")).status).toBe(200);
    await administration.change(name, { policy: { administer: false } });
    expect((await withKey(key, "GET", "/agents")).status).toBe(403);
  });
});

describe("what an agent's policy forbids, it cannot do", () => {
  test("publish and ask other types", async () => {
    const { key, id } = await anAgent({ emit: ["UPGRADE_*"] });
    const allowed = await withKey(key, "POST", "/events", { body: EVENT });
    expect(allowed.status).toBe(202);
    const other = { type: "SESSION_CREATED", data: {} };
    for (const [path, body] of [
      ["/events", other],
      ["/requests", { ...other, timeout: 1, require_subscribers: false }],
    ] as const) {
      const { status, json } = await withKey(key, "POST", path, { body });
      expect([status, json["code"], json["errors"]]).toEqual([
        403,
        "forbidden",
        [expect.objectContaining({ pointer: "/type" })],
      ]);
    }
    const shown = await withKey(key, "GET", `/events/${allowed.json["event_id"]}`);
    expect(shown.json["event"]).toMatchObject({ source: id });
    const all = await asAdmin("GET", "/events?type=SESSION_CREATED&limit=1000");
    expect((all.json["events"] as { source: string }[]).filter(({ source }) => source === id)).toEqual([]);
  });

  test("subscribe to, stream and poll other types", async () => {
    const { key } = await anAgent({ subscribe: [TYPE] });
    const subscription = (type: string) => ({ name: "q", event_types: [type], target: { kind: "queue" } });
    expect((await withKey(key, "POST", "/subscriptions", { body: subscription("SESSION_CREATED") })).status).toBe(403);
    expect((await withKey(key, "GET", "/events/stream?type=SESSION_CREATED")).status).toBe(403);
    expect((await withKey(key, "POST", "/subscriptions", { body: subscription(TYPE) })).status).toBe(201);
  });

  test("look at the events of others", async () => {
    const mine = await anAgent({ read: [] });
    const other = await anAgent();
    const { json } = await withKey(other.key, "POST", "/events", { body: EVENT });
    const eventId = json["event_id"] as string;
    const there = await withKey(mine.key, "GET", `/events/${eventId}`);
    const absent = await withKey(mine.key, "GET", "/events/01976f2a-4c7e-7d3b-9a61-2f8e5b0c4d11");
    expect([there.status, there.text]).toEqual([404, absent.text]);
    expect((await withKey(mine.key, "GET", `/events/${eventId}/explain`)).status).toBe(404);
    const listed = await withKey(mine.key, "GET", "/events?limit=1000");
    expect(listed.json["events"]).toEqual([]);
    expect((await withKey(other.key, "GET", `/events/${eventId}`)).status).toBe(200);
  });

  test("answer what it may not, or for another", async () => {
    const asker = await anAgent();
    const listener = await anAgent();
    const subscription = { name: "q", event_types: ["CONTEXT_REQUESTED"], target: { kind: "queue" } };
    const { json } = await withKey(listener.key, "POST", "/subscriptions", { body: subscription });
    const request = { type: "CONTEXT_REQUESTED", data: {}, timeout: 20, expect: { mode: "count", count: 3 } };
    const asked = withKey(asker.key, "POST", "/requests", { body: request });
    const taken = await withKey(listener.key, "GET", `/subscriptions/${json["subscription_id"]}/messages?wait=10`);
    const [message] = taken.json["messages"] as { event: { id: string; reply_to: { token: string } } }[];
    const answer = (key: string, as: string) =>
      withKey(key, "POST", `/events/${message?.event.id}/responses?as=${as}`, {
        body: { response: { from: as }, reply_token: message?.event.reply_to.token },
      });
    // It has the token of the event, but is not the deployed subscriber.
    expect((await answer(listener.key, "helper")).status).toBe(403);
    await administration.change(listener.name, { policy: { answer: [TYPE] } });
    expect((await answer(listener.key, "q")).status).toBe(403);
    await administration.change(listener.name, { policy: { answer: ["*"] } });
    expect((await answer(listener.key, "q")).json["verdict"]).toBe("accepted");
    const answered = async (): Promise<number> => {
      const { json } = await withKey(asker.key, "GET", `/events/${message?.event.id}`);
      return (json["responses"] as object[]).length;
    };
    // The deployed subscriber answers when it is ready.
    await expect.poll(answered, { timeout: 10_000 }).toBe(2);
    await withKey(asker.key, "DELETE", `/requests/${message?.event.id}`);
    const { responses } = (await asked).json as { responses: { responder: string; response: object }[] };
    expect(responses.map(({ responder, response }) => [responder, response]).sort()).toEqual([
      ["helper", { helped: true }],
      ["q", { from: "q" }],
    ]);
  });
});

describe("the deployed subscribers of a run with keys", () => {
  test("answer, and speak in a name of their own", async () => {
    const { key } = await anAgent();
    const agent = new AgentEventBus({ url: bus.url, key });
    const outcome = await agent.emitAndWait("CONTEXT_REQUESTED", {} as never, { timeout: 20 });
    expect(outcome).toMatchObject({ status: "answered", response: { helped: true } });
    const said = await eventually(async () => {
      const { json } = await asAdmin("GET", "/events?type=SESSION_CREATED&limit=1");
      expect(json["events"]).toHaveLength(1);
      return json["events"] as { source: string }[];
    });
    expect(said[0]?.source).toBe("subscriber:helper");
  });
});

describe("an agent that is deleted", () => {
  test("is subscribed to nothing any more, and its name is not another's", async () => {
    const { name, key } = await anAgent();
    const subscription = { name: "q", event_types: ["TRANSCRIPTION_COMPLETED"], target: { kind: "queue" } };
    await withKey(key, "POST", "/subscriptions", { body: subscription });
    await administration.delete(name);
    const { json } = await asAdmin("POST", "/events", { type: "TRANSCRIPTION_COMPLETED", data: {} });
    const { json: why } = await asAdmin("GET", `/events/${json["event_id"]}/explain`);
    expect(why["subscribers"]).toEqual([]);
    await expect(administration.register(name)).rejects.toMatchObject({ code: "agent_exists" });
  });
});

describe("npm run dev -- --keys", () => {
  test("keeps agents and keys over restarts, and says where the administrator's is and not what", async () => {
    const first = await startDev({ args: ["--keys"] });
    const key = adminKeyOf(first);
    expect(statSync(join(first.dataDir, "admin-key")).mode & 0o777).toBe(0o600);
    expect(first.lines.join("\n")).toContain(join(first.dataDir, "admin-key"));
    expect(first.lines.join("\n")).not.toContain(key);
    const { key: ofAgent } = await new AgentAdministration({ url: first.url, key }).register("billing");
    await first.kill();

    const second = await startDev({ dataDir: first.dataDir, args: ["--keys"] });
    expect(adminKeyOf(second)).toBe(key);
    const types = (one: string) => new AgentEventBus({ url: second.url, key: one }).eventTypes();
    expect((await types(key)).length).toBe((await types(ofAgent)).length);
    await second.stop();

    // Lost: whoever has the folder gets another, and the lost one opens nothing.
    rmSync(join(first.dataDir, "admin-key"));
    const third = await startDev({ dataDir: first.dataDir, args: ["--keys"] });
    expect(adminKeyOf(third)).not.toBe(key);
    const list = (one: string) => new AgentAdministration({ url: third.url, key: one }).agents().next();
    await list(adminKeyOf(third));
    await expect(list(key)).rejects.toMatchObject({ code: "unauthenticated" });
    await third.stop();
  });

  test("does not bring an administrator back who was shut out, but a run without keys can", async () => {
    const first = await startDev({ args: ["--keys"] });
    const { dataDir } = first;
    await new AgentAdministration({ url: first.url, key: adminKeyOf(first) }).change("admin", { disabled: true });
    await first.stop();
    const shutOut = await startDev({ dataDir, args: ["--keys"] });
    expect(shutOut.lines.join("\n")).toContain("not valid any more");
    await shutOut.stop();
    const open = await startDev({ dataDir });
    const changed = await new AgentAdministration({ url: open.url }).change("admin", { disabled: false });
    expect(changed).toMatchObject({ disabled: false, keys: [{}] });
    await open.stop();
  });

  test("listens for others only with keys, and says so", async () => {
    const run = runScript("local/dev.ts", ["--port", "0", "--data-dir", temporaryFolder(), "--host", "0.0.0.0"]);
    expect(await run.exited).toBe(1);
    expect(run.lines.join("\n")).toMatch(/--host: on 0\.0\.0\.0 others could reach the bus.*--keys/);
  });
});
