/** What a run prints while everything fails: whole records, and nobody's payloads, tokens or secrets (goal S10). */
import { once } from "node:events";
import { readFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { createServer, type Socket } from "node:net";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import type { Json } from "../support/call.ts";
import { cleanUp, eventually, startDev } from "../support/embedded.ts";
import { type RawReply, rawCall } from "../support/raw-call.ts";
import { writeConfig } from "../support/subscriber-config.ts";

afterAll(cleanUp);

const CANARY = "canary-7f3a";
const MARKED = { note: CANARY, [CANARY]: [CANARY], nested: { deep: CANARY } };

/** What each path of the endpoint writes to whoever calls it; then it hangs up. */
const RAW_ANSWERS: Readonly<Record<string, string>> = {
  "/500": `HTTP/1.1 500 ${CANARY}\r\ncontent-length: ${CANARY.length}\r\n\r\n${CANARY}`,
  "/redirect": `HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1/${CANARY}\r\ncontent-length: 0\r\n\r\n`,
  "/gone": `HTTP/1.1 410 Gone\r\nx-note: ${CANARY}\r\ncontent-length: 0\r\n\r\n`,
  "/garbage": `${CANARY} ${CANARY}\r\n\r\n`,
  "/headers": `HTTP/1.1 200 OK\r\nx: ${CANARY.repeat(10_000)}\r\n\r\n`,
  "/short": `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n{"response": "${CANARY}`,
  "/no-json": `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${CANARY.length}\r\n\r\n${CANARY}`,
  "/wrong": `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${CANARY.length + 15}\r\n\r\n{"response": "${CANARY}`,
  "/retry-after": `HTTP/1.1 503 No\r\nretry-after: ${CANARY}\r\ncontent-length: 0\r\n\r\n`,
  "/hang-up": "",
};

async function startEndpoint(): Promise<{ port: number; called: () => Set<string>; close: () => Promise<unknown> }> {
  const called = new Set<string>();
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.on("error", () => undefined);
    socket.once("data", (chunk) => {
      const path = /^POST (\/[^? ]*)/.exec(chunk.toString("latin1"))?.[1] ?? "";
      called.add(path);
      socket.end(RAW_ANSWERS[path] ?? "HTTP/1.1 204 Done\r\n\r\n");
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    called: () => called,
    close: () => {
      for (const socket of open) socket.destroy();
      return once(server.close(), "close");
    },
  };
}

it("no payload, secret, token, header, query or URL is printed, and every record is one JSON object", async () => {
  const endpoint = await startEndpoint();
  const { path: config } = writeConfig([
    {
      name: "answers",
      on: "CONTEXT_REQUESTED",
      via: "direct",
      code: "export const handler = subscriber(() => ({ note: 'canary-7f3a' }));",
    },
    {
      name: "fails",
      on: "SESSION_CREATED",
      via: "direct",
      code: "export const handler = subscriber(() => { throw new Error('boom'); });",
    },
    {
      name: "breaks-off",
      on: "SESSION_CREATED",
      via: "direct",
      code: "export const handler = subscriber(() => new Promise(() => setTimeout(() => process.exit(3), 10)));",
    },
    {
      name: "fails-late",
      on: "SESSION_CREATED",
      via: "queue",
      code: "export const handler = subscriber(() => { throw null; });",
    },
  ]);
  const bus = await startDev({ config, args: ["--allow-loopback-webhooks", "--keys"] });
  const admin = readFileSync(join(bus.dataDir, "admin-key"), "utf8").trim();
  const secrets = new Set([admin]);
  const send = async (
    method: string,
    path: string,
    body?: object,
    headers: Record<string, string> = {},
  ): Promise<RawReply> => {
    const marked = { "x-note": CANARY, cookie: CANARY, authorization: `Bearer ${admin}`, ...headers };
    const reply = await rawCall(bus.url, method, path, { headers: marked, ...(body === undefined ? {} : { body }) });
    for (const [, secret] of reply.text.matchAll(/"(?:secret|token|receipt|key|next_cursor)":"([^"]{8,})"/g))
      secrets.add(secret as string);
    return reply;
  };

  // Subscriptions whose endpoints fail in every way, with the mark in their URLs and filters.
  for (const path of Object.keys(RAW_ANSWERS))
    await send("POST", "/subscriptions", {
      name: `hook${path}`,
      event_types: ["SESSION_UPDATED"],
      target: { kind: "webhook", url: `http://127.0.0.1:${endpoint.port}${path}?token=${CANARY}` },
      filter: { data: { note: [CANARY, { prefix: CANARY }] } },
    });
  const unreachable = { kind: "webhook", url: `http://127.0.0.1:1/${CANARY}?token=${CANARY}` };
  await send("POST", "/subscriptions", { name: "unreachable", event_types: ["SESSION_UPDATED"], target: unreachable });
  const target = { kind: "queue", max_attempts: 1 };
  const { json: queue } = await send("POST", "/subscriptions", {
    name: "queue",
    event_types: ["SESSION_UPDATED"],
    target,
  });

  // Events, questions and answers.
  for (const type of ["SESSION_CREATED", "SESSION_UPDATED", "CONTEXT_REQUESTED"])
    await send("POST", "/events", { type, data: MARKED }, { "idempotency-key": `${CANARY}-${type}` });
  await send(
    "POST",
    "/events",
    { type: "SESSION_UPDATED", data: {} },
    { "idempotency-key": `${CANARY}-SESSION_UPDATED` },
  );
  const { json: asked } = await send("POST", "/requests", { type: "CONTEXT_REQUESTED", data: MARKED, timeout: 20 });
  expect(asked["status"]).toBe("answered");
  await send("POST", "/requests", { type: "SESSION_CREATED", data: MARKED, timeout: 5 });
  const { json: taken } = await send("GET", `/subscriptions/${queue["subscription_id"]}/messages?wait=20`);
  const [message] = taken["messages"] as [
    { event: { id: string; reply_to: { token: string; url: string } }; receipt: string },
  ];
  const { url, token } = message.event.reply_to;
  await send("POST", url, { response: MARKED, reply_token: CANARY });
  await send("POST", url, { response: MARKED, reply_token: token, response_id: "r" });
  await send("POST", url, { response: { other: CANARY }, reply_token: token, response_id: "r" });
  const nack = { receipts: [message.receipt, `${CANARY}.${CANARY}`], reason: CANARY };
  await send("POST", `/subscriptions/${queue["subscription_id"]}/nack`, nack);

  // Whatever is refused.
  for (const path of ["/events", "/requests", "/subscriptions", "/deliveries/redrive", "/agents", url]) {
    await rawCall(bus.url, "POST", path, {
      body: Buffer.from(`{"note": ${CANARY}`),
      headers: { authorization: `Bearer ${admin}` },
    });
    await send("POST", path, { [CANARY]: CANARY });
  }
  for (const path of ["/events", "/events/stream", "/subscriptions", "/deliveries", "/agents", "/health", `/${CANARY}`])
    for (const query of [`cursor=${CANARY}`, `${CANARY}=1`, `type=${CANARY}`, `after=${CANARY}`])
      await send("GET", `${path}?${query}`);
  for (const authorization of [CANARY, `Bearer ${CANARY}`, `Bearer aeb_admin_${CANARY}`, `Basic ${CANARY}`])
    await send("GET", "/events", undefined, { authorization });
  await send("POST", "/agents", { name: "canary", policy: { administer: true } });
  await send("POST", "/agents", { name: "canary2", policy: { [CANARY]: CANARY } });

  // Until all that fails has failed.
  await eventually(() => expect(endpoint.called()).toEqual(new Set(Object.keys(RAW_ANSWERS))));
  await eventually(async () => {
    const { json } = await send("GET", "/deliveries?status=dead");
    const dead = (json["deliveries"] as Json[]).map(({ subscriber }) => subscriber);
    expect(dead).toEqual(expect.arrayContaining(["queue", "hook/gone", "fails", "breaks-off"]));
  });
  await bus.stop();
  await endpoint.close();

  expect(secrets.size).toBeGreaterThan(10);
  expect(bus.lines.filter((line) => line.includes(CANARY))).toEqual([]);
  for (const secret of secrets) expect(bus.lines.filter((line) => line.includes(secret))).toEqual([]);
  const records = bus.lines.filter((line) => line.startsWith("{")).map((line) => JSON.parse(line) as Json);
  expect(records.length).toBeGreaterThan(2);
  for (const record of records)
    expect(record).toMatchObject({ level: expect.any(String), message: expect.any(String) });
});
