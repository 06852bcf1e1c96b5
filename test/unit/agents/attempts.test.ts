/** What a hostile agent may try, over HTTP: each with all that it can know, and none of it works. */
import { describe, expect, it } from "vitest";
import type { Agent } from "../../../shared/agents/agent.ts";
import { DEFAULT_POLICY, deployedPolicy, type Policy } from "../../../shared/agents/policy.ts";
import { answerId } from "../../../shared/answer-id.ts";
import { recordDeadLetter } from "../../../shared/deliveries/dead-letters.ts";
import type { RequestRecord } from "../../../shared/records.ts";
import { type BusInMemory, busInMemory } from "../../support/bus-in-memory.ts";
import { callInMemory, type InMemoryCall } from "../../support/call-in-memory.ts";
import { bring } from "../../support/policy-world.ts";
import { accepts, HOOK } from "../../support/scripted-webhooks.ts";
import { workDue } from "../../support/webhook-worker.ts";

const TYPE = "UPGRADE_REQUESTED";
const OF_DEPLOYED = "CONTEXT_REQUESTED";

const agentOf = (name: string, policy: Partial<Policy> = {}): Agent => ({
  id: `arn:aws:iam::123456789012:role/${name}`,
  policy: { ...DEFAULT_POLICY, ...policy },
});
const ALICE = agentOf("alice");
const MALLORY = agentOf("mallory");

const wanting = (name: string, change: object = {}): object => ({
  name,
  event_types: [TYPE],
  target: { kind: "webhook", url: HOOK },
  ...change,
});

/** A bus that knows these agents, and calls to it. */
function knowing(...agents: readonly Agent[]) {
  const bus = busInMemory();
  for (const agent of agents) bus.agents.set(agent.id, agent);
  const as = (caller: Agent) => ({
    get: (path: string, call: InMemoryCall = {}) => callInMemory(bus, "GET", path, { ...call, caller }),
    post: (path: string, body: unknown, call: InMemoryCall = {}) =>
      callInMemory(bus, "POST", path, { ...call, body, caller }),
    delete: (path: string) => callInMemory(bus, "DELETE", path, { caller }),
    patch: (path: string, body: unknown) => callInMemory(bus, "PATCH", path, { body, caller }),
  });
  return { bus, as };
}

/** A question of an agent that goes on waiting. @returns its record */
async function question(
  { bus, as }: ReturnType<typeof knowing>,
  agent: Agent,
  change: object = {},
): Promise<RequestRecord> {
  const body = { type: TYPE, data: {}, timeout: 3_600, ...change };
  const { json } = await as(agent).post("/requests", body, { lifeMs: 2_001 });
  const record = await bus.store.getRequest(json["event_id"] as string);
  if (record === null) throw new Error(JSON.stringify(json));
  return record;
}

const answerTo = ({ eventId, replyToken }: RequestRecord, as?: string, change: object = {}) =>
  [
    `/events/${eventId}/responses${as === undefined ? "" : `?as=${as}`}`,
    { response: { from: as ?? "itself" }, reply_token: replyToken, ...change },
  ] as const;

describe("whoever has a question's token", () => {
  it("cannot answer in another's name, and so cannot end a question that waits for all", async () => {
    const world = knowing(ALICE, MALLORY);
    const { bus, as } = world;
    await as(ALICE).post("/subscriptions", wanting("billing"));
    await as(MALLORY).post("/subscriptions", wanting("mallory"));
    const asked = await question(world, ALICE, { expect: { mode: "all" } });
    expect(asked.expected).toEqual(["billing", "mallory"]);
    const forged = await as(MALLORY).post(...answerTo(asked, "billing"));
    expect(forged).toMatchObject({ status: 403, json: { code: "forbidden", errors: [{ pointer: "/as" }] } });
    expect((await as(MALLORY).post(...answerTo(asked, "mallory"))).status).toBe(200);
    expect(await bus.store.getRequest(asked.eventId)).toMatchObject({ state: "PENDING", answeredBy: ["mallory"] });
    expect((await as(ALICE).post(...answerTo(asked, "billing"))).status).toBe(200);
    expect(await bus.store.getRequest(asked.eventId)).toMatchObject({ state: "ANSWERED" });
  });

  it("that subscribes under the same name speaks for itself alone: all waits for both", async () => {
    const world = knowing(ALICE, MALLORY);
    const { bus, as } = world;
    await as(ALICE).post("/subscriptions", wanting("billing"));
    await as(MALLORY).post("/subscriptions", wanting("billing"));
    const asked = await question(world, ALICE, { expect: { mode: "all" } });
    expect(asked.expected).toEqual(["billing"]);
    await as(MALLORY).post(...answerTo(asked, "billing"));
    const between = await as(ALICE).get(`/events/${asked.eventId}`);
    expect(between.json["request"]).toMatchObject({ status: "pending", missing: ["billing"] });
    await as(MALLORY).post(...answerTo(asked, "billing"));
    expect(await bus.store.getRequest(asked.eventId)).toMatchObject({ state: "PENDING" });
    await as(ALICE).post(...answerTo(asked, "billing"));
    expect(await bus.store.getRequest(asked.eventId)).toMatchObject({ state: "ANSWERED" });
  });

  it("that takes the name only after the question was asked answers nobody's part", async () => {
    const world = knowing(ALICE, MALLORY);
    const { bus, as } = world;
    await as(ALICE).post("/subscriptions", wanting("billing"));
    const asked = await question(world, ALICE, { expect: { mode: "all" } });
    await as(MALLORY).post("/subscriptions", wanting("billing"));
    expect((await as(MALLORY).post(...answerTo(asked, "billing"))).status).toBe(200);
    expect(await bus.store.getRequest(asked.eventId)).toMatchObject({ state: "PENDING", answeredBy: [] });
  });

  it("cannot speak for a deployed subscriber, whose own role can", async () => {
    const clerk: Agent = { ...agentOf("clerk", deployedPolicy([OF_DEPLOYED])), subscriber: "alice" };
    const world = knowing(ALICE, MALLORY, clerk);
    const { bus, as } = world;
    const asked = await question(world, ALICE, { type: OF_DEPLOYED, expect: { mode: "all" } });
    for (const who of [ALICE, MALLORY]) expect((await as(who).post(...answerTo(asked, "alice"))).status).toBe(403);
    expect((await as(clerk).post(...answerTo(asked, "bob"))).status).toBe(403);
    expect((await as(clerk).post(...answerTo(asked, "alice"))).status).toBe(200);
    expect(await bus.store.getRequest(asked.eventId)).toMatchObject({ answeredBy: ["alice"] });
  });

  it("cannot speak for another's queue, although somebody polls it just now", async () => {
    const { bus, as } = knowing(ALICE, MALLORY);
    const made = await as(ALICE).post("/subscriptions", wanting("night-shift", { target: { kind: "queue" } }));
    await as(ALICE).get(`/subscriptions/${made.json["subscription_id"]}/messages`);
    expect(await bus.store.getListeners(TYPE, bus.clock.nowMs)).toHaveLength(1);
    // Nobody waits for an answer, so nobody is expected to give one.
    const { json } = await as(MALLORY).post("/events", { type: TYPE, data: {} });
    const token = bus.publisher.published.at(-1)?.reply_to.token;
    const path = `/events/${json["event_id"]}/responses?as=night-shift`;
    const body = { response: {}, reply_token: token };
    expect((await as(MALLORY).post(path, body)).status).toBe(403);
    expect((await as(ALICE).post(path, body)).status).toBe(200);
    expect(await bus.store.getResponses(json["event_id"] as string)).toHaveLength(1);
  });

  it("cannot keep another's answer out by using up its id, which can be guessed", async () => {
    const world = knowing(ALICE, MALLORY);
    const { bus, as } = world;
    await as(ALICE).post("/subscriptions", wanting("billing"));
    await as(MALLORY).post("/subscriptions", wanting("mallory"));
    const asked = await question(world, ALICE, { expect: { mode: "all" } });
    const response_id = answerId("billing", asked.eventId);
    await as(MALLORY).post(...answerTo(asked, "mallory", { response_id }));
    const answered = await as(ALICE).post(...answerTo(asked, "billing", { response_id }));
    expect(answered).toMatchObject({ status: 200, json: { verdict: "accepted" } });
    const again = await as(ALICE).post(...answerTo(asked, "billing", { response_id }));
    expect(again.json).toMatchObject({ verdict: "replayed", response_id: answered.json["response_id"] });
    expect(await bus.store.getResponses(asked.eventId)).toHaveLength(2);
    expect(await bus.store.getRequest(asked.eventId)).toMatchObject({ state: "ANSWERED" });
  });

  it("cannot answer without the right to, whether it calls or is called", async () => {
    const mute = agentOf("mute", { answer: ["ORDER_*"] });
    const world = knowing(ALICE, mute);
    const { bus, as } = world;
    await as(mute).post("/subscriptions", wanting("mute"));
    // Nor is it expected to.
    const refused = await as(ALICE).post("/requests", { type: TYPE, data: {}, timeout: 1 });
    expect(refused).toMatchObject({ status: 424 });
    const asked = await question(world, ALICE, { require_subscribers: false });
    for (const name of [undefined, "mute"])
      expect(await as(mute).post(...answerTo(asked, name))).toMatchObject({
        status: 403,
        json: { errors: [{ pointer: "/event_id" }] },
      });
    bus.webhooks.script(HOOK, accepts({ response: { forced: true } }));
    await bring(bus, asked.eventId);
    await workDue(bus);
    expect(await bus.store.getResponses(asked.eventId)).toEqual([]);
    const [delivery] = await bus.store.getDeliveries(asked.eventId);
    expect(delivery?.log[0]?.outcome).toMatch(/its answer was refused/);
  });
});

describe("another's conversation", () => {
  it("is not joined by a cause that the agent may not know of: not in its place, nor its deadline, nor its trace", async () => {
    const blind = agentOf("blind", { subscribe: [] });
    const { bus, as } = knowing(ALICE, blind);
    const traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    const first = await as(ALICE).post("/events", { type: TYPE, data: {} }, { headers: { traceparent } });
    const { event_id: causation_id } = first.json;
    const send = async (cause: unknown) => {
      const { json } = await as(blind).post("/events", { type: TYPE, data: {}, causation_id: cause });
      const {
        correlation_id,
        hops,
        traceparent: trace,
      } = (await bus.store.getEvent(json["event_id"] as string))?.event ?? {};
      return { isItsOwn: correlation_id === json["event_id"], hops, trace };
    };
    expect(await send(causation_id)).toEqual(await send("0190f000-0000-7000-8000-00000000dead"));
    expect(await send(causation_id)).toEqual({ isItsOwn: true, hops: 1, trace: undefined });
  });

  it("is joined by what was delivered, although its types may not be subscribed to any more", async () => {
    const { bus, as } = knowing(ALICE, MALLORY);
    await as(MALLORY).post("/subscriptions", wanting("queue", { target: { kind: "queue" } }));
    const { json } = await as(ALICE).post("/events", { type: TYPE, data: {} });
    await bring(bus, json["event_id"] as string);
    const later = agentOf("mallory", { subscribe: [] });
    const carriedOn = { type: TYPE, data: {}, causation_id: json["event_id"], correlation_id: json["event_id"] };
    expect(await as(later).post("/events", carriedOn)).toMatchObject({
      status: 202,
      json: { correlation_id: json["event_id"] },
    });
  });

  it("is not told from one that nobody has: the refusals are the same", async () => {
    const { as } = knowing(ALICE, MALLORY);
    const { json } = await as(ALICE).post("/events", { type: TYPE, data: {} });
    const join = (correlation_id: unknown) => as(MALLORY).post("/events", { type: TYPE, data: {}, correlation_id });
    const [theirs, nobodys] = [await join(json["event_id"]), await join("0190f000-0000-7000-8000-00000000dead")];
    expect(theirs.status).toBe(403);
    expect(theirs.text).toBe(nobodys.text);
    // What no event has as its id is a name, and free.
    expect((await join("7b8d1f0e-2c55-4c1b-9a3c-0d6c6c0f9a10")).status).toBe(202);
  });
});

describe("history", () => {
  const blind = agentOf("blind", { read: [] });

  it("shows to whom a question was only delivered neither what others answered nor how they got it", async () => {
    const world = knowing(ALICE, MALLORY, blind);
    const { bus, as } = world;
    await as(MALLORY).post("/subscriptions", wanting("mallory", { target: { kind: "queue" } }));
    await as(blind).post("/subscriptions", wanting("blind", { target: { kind: "queue" } }));
    const asked = await question(world, ALICE, { require_subscribers: false, expect: { mode: "count", count: 3 } });
    await bring(bus, asked.eventId);
    await as(MALLORY).post(...answerTo(asked, "mallory"));
    await as(blind).post(...answerTo(asked, "blind"));
    for (const path of [`/events/${asked.eventId}`, `/events/${asked.eventId}/explain`]) {
      const own = (await as(blind).get(path)).json;
      expect(own["responses"]).toMatchObject([{ responder: "blind" }]);
      expect(JSON.stringify(own["deliveries"] ?? own["subscribers"])).not.toContain("mallory");
      // Whose question it is sees all, whatever it may read.
      const all = (await as(ALICE).get(path)).json;
      expect(all["responses"]).toHaveLength(2);
      expect(all["deliveries"] ?? all["subscribers"]).toHaveLength(2);
    }
  });

  it("shows an event that was delivered to somebody to nobody else", async () => {
    const bob = agentOf("bob");
    const it = knowing(ALICE, bob, MALLORY);
    await it.as(bob).post("/subscriptions", wanting("bob"));
    const { json } = await it.as(ALICE).post("/events", { type: TYPE, data: {} });
    const path = `/events/${json["event_id"]}`;
    await bring(it.bus, json["event_id"] as string);
    expect(await it.as(bob).get(path)).toMatchObject({ status: 200 });
    for (const what of [path, `${path}/explain`])
      expect(await it.as(MALLORY).get(what)).toMatchObject({ status: 404, json: { code: "not_found" } });
  });

  it("does not tell by a cursor that there is more in another's conversation", async () => {
    const { as } = knowing(ALICE, MALLORY);
    const { json } = await as(ALICE).post("/events", { type: TYPE, data: {} });
    const inIt = { type: TYPE, data: {}, causation_id: json["event_id"] };
    for (let i = 0; i < 3; i++) await as(ALICE).post("/events", inIt);
    const own = await as(MALLORY).post("/events", inIt);
    for (const order of ["asc", "desc"]) {
      const query = `order=${order}&limit=1&correlation_id=${json["event_id"]}`;
      const page = await as(MALLORY).get(`/events?${query}`);
      expect(page.json).toMatchObject({ events: [{ id: own.json["event_id"] }], next_cursor: null });
    }
  });

  it("finds what an agent may see behind a great deal that it may not, in pages that end in time", async () => {
    const { as } = knowing(ALICE, MALLORY);
    const own = await as(MALLORY).post("/events", { type: TYPE, data: {} });
    for (let i = 0; i < 12; i++)
      await as(ALICE).post("/events", { events: Array.from({ length: 100 }, () => ({ type: TYPE, data: {} })) });
    const pages: number[] = [];
    for (let cursor: string | null = ""; cursor !== null; ) {
      const query: string = cursor === "" ? "" : `&cursor=${cursor}`;
      const { json } = await as(MALLORY).get(`/events?limit=20${query}`);
      pages.push((json["events"] as unknown[]).length);
      if (json["next_cursor"] === null) expect(json["events"]).toMatchObject([{ id: own.json["event_id"] }]);
      cursor = json["next_cursor"] as string | null;
    }
    expect(pages.slice(0, -1).every((length) => length === 0)).toBe(true);
    expect(pages).toHaveLength(3);
  });
});

describe("a cursor", () => {
  it("of another agent is refused: of a list, a stream, the dead and the subscriptions", async () => {
    const { as } = knowing(ALICE, MALLORY);
    for (let i = 0; i < 3; i++) await as(ALICE).post("/events", { type: TYPE, data: {} });
    for (const name of ["a", "b"]) await as(ALICE).post("/subscriptions", wanting(name));
    for (const path of ["/events?limit=1", "/subscriptions?limit=1"]) {
      const cursor = (await as(ALICE).get(path)).json["next_cursor"] as string;
      expect((await as(ALICE).get(`${path}&cursor=${cursor}`)).status).toBe(200);
      expect((await as(MALLORY).get(`${path}&cursor=${cursor}`)).status).toBe(422);
    }
    const stream = await as(ALICE).get("/events/stream", { lifeMs: 2_100 });
    const after = /id: (\S+)/.exec(stream.text)?.[1];
    expect((await as(MALLORY).get(`/events/stream?after=${after}`)).status).toBe(422);
  });

  it("from when its agent was an administrator shows no dead letters any more", async () => {
    const admin = agentOf("ops", { administer: true });
    const { bus, as } = knowing(admin);
    for (const id of ["1", "2", "3"]) {
      const event = { id, type: OF_DEPLOYED };
      await recordDeadLetter(bus.deps, { subscriber: "alice", event, reason: "it threw", attempts: 1 });
    }
    const page = await as(admin).get("/deliveries?limit=1");
    expect(page.json["deliveries"]).toHaveLength(1);
    const cursor = page.json["next_cursor"] as string;
    const later = await as(agentOf("ops")).get(`/deliveries?limit=1&cursor=${cursor}`);
    expect(later.json).toEqual({ deliveries: [], next_cursor: null });
    expect((await as(agentOf("ops")).post("/deliveries/redrive", { cursor })).json).toMatchObject({ redriven: 0 });
  });
});

describe("a stream of all types", () => {
  it("gives those that its agent may subscribe to, and counts as somebody who can answer those that it may", async () => {
    const world = knowing(ALICE);
    const { bus, as } = world;
    const some = agentOf("some", { subscribe: ["UPGRADE_*"], answer: [TYPE] });
    bus.agents.set(some.id, some);
    const streaming = as(some).get("/events/stream?as=some", { lifeMs: 12_000 });
    await bus.clock.pause(1_000);
    const expectedOf = async (type: string): Promise<readonly string[]> =>
      (await question(world, ALICE, { type, require_subscribers: false })).expected;
    expect(await expectedOf(TYPE)).toEqual(["some"]);
    expect(await expectedOf("UPGRADE_COMPLETED")).toEqual([]);
    expect(await expectedOf("MESSAGE_RECEIVED")).toEqual([]);
    const types = [...(await streaming).text.matchAll(/"type":"(\w+)"/g)].map(([, type]) => type);
    expect(types).toEqual([TYPE, "UPGRADE_COMPLETED"]);
  });

  it("is refused to who may subscribe to nothing", async () => {
    const none = agentOf("none", { subscribe: ["NOTHING_*"] });
    const { as } = knowing(none);
    expect((await as(none).get("/events/stream")).status).toBe(403);
  });
});

describe("a policy that changes", () => {
  async function subscribedOnce() {
    const world = knowing(ALICE, MALLORY);
    const { bus, as } = world;
    await as(MALLORY).post("/subscriptions", wanting("hook"));
    const { json } = await as(MALLORY).post("/subscriptions", wanting("queue", { target: { kind: "queue" } }));
    const publish = async (): Promise<string> =>
      (await as(ALICE).post("/events", { type: TYPE, data: {} })).json["event_id"] as string;
    const shutOut = (): void => void bus.agents.set(MALLORY.id, agentOf("mallory", { subscribe: [] }));
    return { ...world, queue: json["subscription_id"] as string, publish, shutOut };
  }

  it("stops deliveries of what may not be subscribed to any more, and explain says so", async () => {
    const { bus, as, publish, shutOut } = await subscribedOnce();
    shutOut();
    const eventId = await publish();
    await bring(bus, eventId);
    expect(await bus.store.getDeliveries(eventId)).toEqual([]);
    // Nor is anybody told that an answer may come.
    expect((await as(ALICE).post("/requests", { type: TYPE, data: {}, timeout: 1 })).status).toBe(424);
    const { json } = await as(ALICE).get(`/events/${eventId}/explain`);
    expect(json["subscribers"]).toMatchObject([
      { subscriber: "hook", verdict: "not_allowed" },
      { subscriber: "queue", verdict: "not_allowed" },
    ]);
  });

  it("ends what is on its way: a webhook is not called, a message is not given out, both are dead with the reason", async () => {
    const { bus, as, queue, publish, shutOut } = await subscribedOnce();
    const eventId = await publish();
    await bring(bus, eventId);
    shutOut();
    await workDue(bus);
    const { json } = await as(agentOf("mallory", { subscribe: [] })).get(`/subscriptions/${queue}/messages`);
    expect(json["messages"]).toEqual([]);
    expect(bus.webhooks.calls).toEqual([]);
    const reasons = (await bus.store.getDeliveries(eventId)).map(({ state, reason }) => `${state}: ${reason}`);
    expect(reasons).toEqual(Array(2).fill("DEAD: its agent may not subscribe to this type any more"));
  });

  it("lets its agent pause a subscription, leave out what it may not have, and not take it up again", async () => {
    const { as, queue } = await subscribedOnce();
    const less = agentOf("mallory", { subscribe: ["MESSAGE_*"] });
    const path = `/subscriptions/${queue}`;
    expect((await as(less).patch(path, { answers: false })).status).toBe(403);
    expect((await as(less).patch(path, { status: "disabled" })).status).toBe(200);
    expect((await as(less).patch(path, { status: "active" })).status).toBe(403);
    expect((await as(less).patch(path, { status: "active", event_types: ["MESSAGE_RECEIVED"] })).status).toBe(200);
  });
});

describe("a refusal", () => {
  it("leaves one line for whoever runs the bus, with the agent, the operation and the type, and no payload", async () => {
    const { bus, as } = knowing(MALLORY);
    const lines: unknown[] = [];
    const log = {
      ...bus.deps.log,
      warn: (message: string, fields?: object) => void lines.push({ message, ...fields }),
    };
    Object.assign(bus.deps, { log });
    await as(agentOf("mallory", { emit: [] })).post("/events", { type: TYPE, data: { secret: "s3cret" } });
    const refused = lines.filter((line) => (line as { message: string }).message === "refused by policy");
    expect(refused).toEqual([expect.objectContaining({ agent: MALLORY.id, operation: "emit", event_type: TYPE })]);
    expect(JSON.stringify(lines)).not.toContain("s3cret");
  });

  it("of a repetition that was acknowledged before is none: what was said once is acknowledged again", async () => {
    const { as } = knowing(ALICE);
    const headers = { "idempotency-key": "k" };
    const first = await as(ALICE).post("/events", { type: TYPE, data: {} }, { headers });
    const again = await as(agentOf("alice", { emit: [] })).post("/events", { type: TYPE, data: {} }, { headers });
    expect(again.json).toEqual({ ...first.json, replayed: true });
    const other = await as(agentOf("alice", { emit: [] })).post(
      "/events",
      { type: TYPE, data: { more: 1 } },
      { headers },
    );
    expect(other.status).toBe(403);
  });
});

describe("records of older code", () => {
  const without = async ({ store }: BusInMemory, request: RequestRecord): Promise<RequestRecord> => {
    const { speakers: _, eventType: __, ...older } = request;
    const eventId = "0190f000-0000-7000-8000-000000000001";
    const event = await store.getEvent(request.eventId);
    if (event !== null) await store.putEvent({ ...event, event: { ...event.event, id: eventId } });
    await store.createRequest({ ...older, eventId });
    return { ...older, eventId };
  };

  it("do not say whose a name is: it goes by who has it now, and its answer counts for the name", async () => {
    const world = knowing(ALICE, MALLORY);
    const { bus, as } = world;
    await as(ALICE).post("/subscriptions", wanting("billing"));
    const asked = await without(bus, await question(world, ALICE, { expect: { mode: "all" } }));
    expect((await as(MALLORY).post(...answerTo(asked, "billing"))).status).toBe(403);
    expect((await as(ALICE).post(...answerTo(asked, "billing"))).status).toBe(200);
    expect(await bus.store.getRequest(asked.eventId)).toMatchObject({ state: "ANSWERED" });
  });

  it("of streams do not either: their names count as before while they last", async () => {
    const world = knowing(ALICE, MALLORY);
    const { bus, as } = world;
    const leasedUntil = bus.clock.nowMs + 30_000;
    await bus.store.putListener({ eventType: "*", name: "old", streamId: "1", kind: "stream", leasedUntil });
    const asked = await question(world, ALICE, { expect: { mode: "all" } });
    expect(asked.expected).toEqual(["old"]);
    expect((await as(MALLORY).post(...answerTo(asked, "old"))).status).toBe(200);
    expect(await bus.store.getRequest(asked.eventId)).toMatchObject({ state: "ANSWERED" });
  });
});
