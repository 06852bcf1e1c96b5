import { request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type AgentCalls, agentOn } from "../support/agents-with-keys.ts";
import { call, type Reply } from "../support/call.ts";
import { cleanUp, type DevRun, startDev } from "../support/embedded.ts";
import { writeConfig } from "../support/subscriber-config.ts";

afterAll(cleanUp);

/** Beside its burst an instance serves a tenth of it on credit. */
const PER_SECOND = 20;
const BURST = 40;
const CREDIT = 4;
const OPEN_WAITS = 5;
const SUBSCRIPTIONS = 3;

const note = (text: string): object => ({ type: "MESSAGE_RECEIVED", data: { text } });

/** For how long a refused call was told to wait, exactly. @throws when it was not told how to */
function toldMs({ status, json, headers }: Reply): number {
  expect(status).toBe(429);
  expect(json).toMatchObject({ code: "rate_limited", retryable: true });
  const ms = json.retry_after_ms as number;
  // The header has whole seconds, never fewer.
  expect(Number(headers.get("retry-after"))).toBe(Math.ceil(ms / 1_000));
  return ms;
}

const ofStatus = (replies: readonly Reply[], status: number): Reply[] =>
  replies.filter((reply) => reply.status === status);

describe("the limits of an agent, on the embedded run", () => {
  let run: DevRun;
  let flooding: AgentCalls;
  let calm: AgentCalls;

  beforeAll(async () => {
    const limits = {
      ratePerAgent: { perSecond: PER_SECOND, burst: BURST },
      openWaitsPerAgent: OPEN_WAITS,
      subscriptionsPerAgent: SUBSCRIPTIONS,
    };
    run = await startDev({ config: writeConfig([], { limits }).path, args: ["--keys"] });
    [flooding, calm] = await Promise.all([agentOn(run, "flooding"), agentOn(run, "calm")]);
  });

  const flood = (calls: AgentCalls, times: number): Promise<Reply[]> =>
    Promise.all(Array.from({ length: times }, (_, i) => calls("POST", "/events", { body: note(`${i}`) })));

  /** Calls until it is refused. @returns for how long it was told to wait */
  async function refusedOnce(calls: AgentCalls): Promise<number> {
    for (;;) {
      const reply = await calls("POST", "/events", { body: note("one more") });
      if (reply.status !== 202) return toldMs(reply);
    }
  }

  it("a flood gets its burst and then 429, each with a time at which it is served, and nobody else is held up [emit-19]", async () => {
    const begun = performance.now();
    const [replies, others] = await Promise.all([flood(flooding, 120), flood(calm, 5)]);
    expect(ofStatus(others, 202)).toHaveLength(5);

    const seconds = (performance.now() - begun) / 1_000;
    const served = ofStatus(replies, 202).length;
    expect(served).toBeGreaterThanOrEqual(BURST);
    expect(served).toBeLessThanOrEqual(BURST + CREDIT + PER_SECOND * seconds);
    const refused = replies.filter(({ status }) => status !== 202);
    expect(refused.length).toBeGreaterThan(0);

    // They are told different times, so that they do not all come back at once.
    expect(new Set(refused.map(toldMs)).size).toBeGreaterThan(1);

    const told = await refusedOnce(flooding);
    await sleep(told);
    expect((await flooding("POST", "/events", { body: note("when told") })).status).toBe(202);
  });

  it("what was acknowledged in the flood is in the history, and nothing that was refused is", async () => {
    const type = "SESSION_UPDATED";
    const replies = await Promise.all(
      Array.from({ length: 80 }, (_, n) => calm("POST", "/events", { body: { type, data: { n } } })),
    );
    const served = ofStatus(replies, 202).map(({ json }) => json.event_id);
    expect(served.length).toBeLessThan(80);
    // A page of a hundred costs two.
    await sleep(Math.max(...replies.filter(({ status }) => status === 429).map(toldMs)) + 1_000);
    const { json } = await calm("GET", `/events?type=${type}&limit=100`);
    expect((json.events as { id: string }[]).map(({ id }) => id).sort()).toEqual(served.sort());
  });

  it("a batch counts its events, so that nobody gets around the limit with it", async () => {
    const patient = await agentOn(run, "batching");
    const events = Array.from({ length: 100 }, (_, i) => note(`${i}`));
    const send = (): Promise<Reply> => patient("POST", "/events", { body: { events } });
    expect((await send()).json.accepted).toBe(100);
    await sleep(toldMs(await send()));
    expect((await send()).json.accepted).toBe(100);
  });

  it("has so many questions open and no more; one that ends makes room, and joining one costs nothing [wait-9]", async () => {
    const asking = await agentOn(run, "asking");
    const gone = new AbortController();
    const question = { type: "CONTEXT_REQUESTED", data: {}, timeout: 60, require_subscribers: false };
    const ask = (key: string, timeout = 60): Promise<Reply> =>
      asking("POST", "/requests", {
        body: { ...question, timeout },
        headers: { "idempotency-key": key },
        signal: gone.signal,
      });
    const asked = Array.from({ length: 12 }, (_, i) => ask(`question ${i}`).catch(() => null));
    // Those that are refused are told at once; the others wait.
    const answers = await Promise.all(asked.map((one) => Promise.race([one, sleep(3_000, null)])));
    const refused = answers.filter((reply) => reply !== null);
    expect(refused).toHaveLength(12 - OPEN_WAITS);
    for (const reply of refused) {
      const ms = toldMs(reply);
      expect(ms).toBeLessThanOrEqual(60_000);
      expect(reply.json.detail).toContain(`${OPEN_WAITS} waits`);
    }
    // Nobody is there any more to hear the answers; they are open all the same.
    gone.abort();
    await sleep(100);
    const stillNone = await asking("POST", "/requests", { body: question });
    toldMs(stillNone);

    const open = answers.indexOf(null);
    const joined = await asking("POST", "/requests", {
      body: question,
      headers: { "idempotency-key": `question ${open}`, accept: "text/event-stream" },
      live: true,
    });
    expect(joined.status).toBe(200);
    const { value: accepted } = await joined.live().next();
    const eventId = accepted?.data?.event_id;
    expect((await asking("DELETE", `/requests/${eventId}`)).json.status).toBe("cancelled");
    expect((await asking("POST", "/requests", { body: { ...question, timeout: 0.05 } })).json.status).toBe("timed_out");
  });

  it("has so many subscriptions; the same name is the same one, and what is refused leaves nothing [emit-19]", async () => {
    const subscribing = await agentOn(run, "subscribing");
    const type = { event_types: ["SESSION_UPDATED"], target: { kind: "queue" } };
    const made = await Promise.all(
      ["a", "b", "c", "d", "e"].map((name) => subscribing("POST", "/subscriptions", { body: { name, ...type } })),
    );
    expect(ofStatus(made, 201)).toHaveLength(SUBSCRIPTIONS);
    for (const { status, json, headers } of made.filter((reply) => reply.status !== 201)) {
      expect({ status, code: json.code, retryable: json.retryable }).toEqual({
        status: 409,
        code: "limit_reached",
        retryable: false,
      });
      expect(headers.get("retry-after")).toBeNull();
    }
    const { json } = await subscribing("GET", "/subscriptions");
    const names = (json.subscriptions as { name: string }[]).map(({ name }) => name);
    expect(names).toHaveLength(SUBSCRIPTIONS);
    const again = await subscribing("POST", "/subscriptions", { body: { name: names[0], ...type } });
    expect(again.status).toBe(200);
  });

  it("the document and the health of the bus cost nothing", async () => {
    const asking = await agentOn(run, "reading");
    const replies = await Promise.all(Array.from({ length: 100 }, () => asking("GET", "/health")));
    expect(ofStatus(replies, 200)).toHaveLength(100);
  });
});

/** So many calls of one function are worked on at once. */
const PLACES = 128;
const MORE = 200;

/** A call whose body is not there yet: it has a place, and keeps it until it is finished. */
function beginCall(url: string, path: string, body: string, headers: Record<string, string>) {
  const length = { "content-type": "application/json", "content-length": String(Buffer.byteLength(body)) };
  const sending = request(`${url}${path}`, { method: "POST", headers: { ...length, ...headers }, agent: false });
  const status = new Promise<number>((resolve, reject) => {
    sending.once("error", reject).once("response", (answer) => {
      answer.resume();
      resolve(answer.statusCode ?? 0);
    });
  });
  sending.flushHeaders();
  return {
    finish(): Promise<number> {
      sending.end(body);
      return status;
    },
  };
}

describe("more calls than the embedded run can serve", () => {
  it("are turned away unread with 503 and a time, and what was taken on is kept [emit-17]", async () => {
    const { url } = await startDev({ config: writeConfig([]).path });
    const type = "SESSION_UPDATED";
    const body = { type, data: { text: "x".repeat(1_000) } };
    const emit = (name: string): Promise<Reply> =>
      call(url, "POST", "/events", { body, headers: { "idempotency-key": name } });
    const begun = Array.from({ length: PLACES }, (_, n) =>
      beginCall(url, "/events", JSON.stringify(body), { "idempotency-key": `begun ${n}` }),
    );
    await expect.poll(async () => (await emit("one more")).status).toBe(503);
    const names = Array.from({ length: MORE }, (_, n) => `more ${n}`);
    for (const { status, json, headers } of await Promise.all(names.map(emit))) {
      expect(status).toBe(503);
      expect(json).toMatchObject({ code: "overloaded", retryable: true, retry_after_ms: 1_000 });
      expect(headers.get("retry-after")).toBe("1");
    }
    const taken = await Promise.all(begun.map((one) => one.finish()));
    expect(new Set(taken)).toEqual(new Set([202]));

    // Whoever comes back is served, and each event is there once.
    for (let left = ["one more", ...names]; left.length > 0; ) {
      await sleep(1_000);
      const again = await Promise.all(left.map(emit));
      left = left.filter((_, i) => again[i]?.status !== 202);
    }
    const { json } = await call(url, "GET", `/events?type=${type}&limit=1000`);
    expect((json.events as unknown[]).length).toBe(PLACES + 1 + MORE);
  });
});
