/** What the functions answer is what the OpenAPI document says: every operation, on a bus in memory. */
import { describe, expect, it } from "vitest";
import { DEFAULT_POLICY } from "../../shared/agents/policy.ts";
import { recordDeadLetter } from "../../shared/deliveries/dead-letters.ts";
import { dispatchEvent } from "../../shared/deliveries/dispatch.ts";
import { openApiDocument } from "../../shared/openapi/document.ts";
import { matchRoute, ROUTES } from "../../shared/routes.ts";
import { after, type BusInMemory, busInMemory, TEST_BUS } from "../support/bus-in-memory.ts";
import { callInMemory, type InMemoryCall } from "../support/call-in-memory.ts";
import { conformance, validatorOf } from "../support/conformance.ts";
import { type OpenApi, placeIn } from "../support/openapi-places.ts";
import { accepts, fails, HOOK } from "../support/scripted-webhooks.ts";
import { workDue, workOff } from "../support/webhook-worker.ts";

const TYPE = "UPGRADE_REQUESTED";
const EVENT = { type: TYPE, data: { target: "billing" } };
const QUESTION = { type: "CONTEXT_REQUESTED", data: {}, timeout: 30 };
const EVENT_STREAM = { accept: "text/event-stream" };

const document = openApiDocument({ catalogue: busInMemory().deps.catalogue }) as OpenApi;
const { check } = conformance(document);

const faultsAt = validatorOf(document);

/** What is wrong with what was posted to an endpoint. */
const faultsOfDelivery = (mediaType: string, body: unknown): string[] =>
  faultsAt(placeIn(document, ["webhooks", "delivery", "post", "requestBody", "content", mediaType, "schema"]), body);

/** What has been answered so far: operation and status. */
const seen = new Set<string>();

/** Calls, and expects the call and its answer to be as documented. */
async function call(bus: BusInMemory, method: string, path: string, more: InMemoryCall & { readonly expect: number }) {
  const made = await callInMemory(bus, method, path, more);
  expect([made.status, check(made)], `${method} ${path}: ${made.text}`).toEqual([more.expect, []]);
  const route = matchRoute(method, path.split("?")[0] ?? "");
  if (route.kind === "matched") seen.add(`${route.operation} ${made.status}`);
  return made;
}

const post = (bus: BusInMemory, path: string, body: unknown, status: number, headers: Record<string, string> = {}) =>
  call(bus, "POST", path, { body, headers, expect: status });
const get = (bus: BusInMemory, path: string, headers: Record<string, string> = {}, status = 200) =>
  call(bus, "GET", path, { headers, expect: status });

/** Publishes an event, and brings it to the run-time subscriptions that want it. */
async function publish(bus: BusInMemory, event: object = EVENT): Promise<string> {
  const { json } = await post(bus, "/events", event, 202);
  for (const one of bus.publisher.published.slice(-1)) await dispatchEvent(bus.deps, one);
  return json["event_id"] as string;
}

/** The way to answer what was published last. */
function replyTo({ publisher }: BusInMemory): { url: string; token: string } {
  const last = publisher.published.at(-1);
  if (last === undefined) throw new Error("Nothing was published.");
  return last.reply_to;
}

const answer = (bus: BusInMemory, more: object = {}, status = 200) => {
  const { url, token } = replyTo(bus);
  return post(bus, url, { response: { a: 1 }, reply_token: token, ...more }, status);
};

async function subscribe(bus: BusInMemory, input: object): Promise<string> {
  const { json } = await post(bus, "/subscriptions", { event_types: [TYPE], ...input }, 201);
  return `/subscriptions/${json["subscription_id"]}`;
}

const aQueue = (bus: BusInMemory, target: object = {}): Promise<string> =>
  subscribe(bus, { name: "night-shift", target: { kind: "queue", ...target } });

describe("as documented", () => {
  it("events are published, alone, in batches and as CloudEvents, or refused", async () => {
    const bus = busInMemory();
    const full = { ...EVENT, agent_type: "router", correlation_id: "c-1", causation_id: "unknown" };
    const key = { "idempotency-key": "k-1", traceparent: `00-${"1".repeat(32)}-${"2".repeat(16)}-01` };
    await post(bus, "/events", full, 202, key);
    await post(bus, "/events", full, 202, key);
    await post(bus, "/events", EVENT, 409, key);
    await post(bus, "/events", { events: [EVENT, full] }, 202);
    await post(bus, "/events", { events: [EVENT, { type: "NOPE" }, 5] }, 202);
    const cloudEvent = {
      specversion: "1.0",
      id: "1",
      source: "/a",
      ...EVENT,
      subject: "not kept",
      correlationid: "c-2",
    };
    await post(bus, "/events", cloudEvent, 202, { "content-type": "application/cloudevents+json" });
    await post(bus, "/events", [cloudEvent], 202, { "content-type": "application/cloudevents-batch+json" });
    await post(bus, "/events", [], 202, { "content-type": "application/cloudevents-batch+json" });
    await post(bus, "/events", EVENT.data, 202, {
      "content-type": "application/json",
      "ce-specversion": "1.0",
      "ce-id": "2",
      "ce-source": "/a",
      "ce-type": TYPE,
    });
    await post(bus, "/events", "{", 400);
    await post(bus, "/events", { ...EVENT, data: { text: "x".repeat(200_000) } }, 413);
    for (const fault of [{ type: "NOPE", data: {} }, { type: TYPE }, [], { events: [] }])
      await post(bus, "/events", fault, 422);
    bus.publisher.failure = "throttled";
    await post(bus, "/events", EVENT, 202);
  });

  it("questions are asked, held, streamed, joined again, cancelled, or refused", async () => {
    const bus = busInMemory({ ...TEST_BUS, limits: { holdSeconds: 2 } });
    const key = { "idempotency-key": "k-1" };
    const pending = await post(bus, "/requests", QUESTION, 202, key);
    const resume = pending.json["resume"] as string;
    await get(bus, resume, {}, 202);
    await answer(bus, { status: "progress" });
    const streaming = get(bus, `${resume}?wait=1.5`, EVENT_STREAM);
    await after(bus.clock, 100, () => answer(bus));
    expect((await streaming).text).toContain("event: done");
    await get(bus, `${resume}?wait=20`);
    await post(bus, "/requests", QUESTION, 200, key);
    await post(bus, "/requests", { ...QUESTION, data: { other: 1 } }, 409, key);
    await get(bus, `${resume}?wait=x`, {}, 422);
    await call(bus, "GET", resume, { caller: "another", expect: 404 });

    await post(bus, "/requests", { ...QUESTION, expect: { mode: "count", count: 2 }, timeout: 1 }, 200);
    const all = await post(bus, "/requests", { ...QUESTION, expect: { mode: "all" } }, 200, EVENT_STREAM);
    expect(all.text).toContain("event: accepted");
    const open = await post(
      bus,
      "/requests",
      { ...QUESTION, expect: { mode: "first" }, require_subscribers: false },
      202,
    );
    await call(bus, "DELETE", open.json["resume"] as string, { expect: 200 });
    await call(bus, "DELETE", "/requests/unknown", { expect: 404 });
    await post(bus, "/requests", { ...QUESTION, type: TYPE }, 424);
    await post(bus, "/requests", { ...QUESTION, timeout: 0 }, 422);
    await post(bus, "/requests", "nothing", 400);
    await post(bus, "/requests", { ...QUESTION, data: { text: "x".repeat(200_000) } }, 413);
  });

  it("answers are accepted, superseded, late, repeated, or refused", async () => {
    const bus = busInMemory();
    const held = post(bus, "/requests", { ...QUESTION, timeout: 5 }, 200);
    await after(bus.clock, 100, () => answer(bus, { response_id: "r-1" }));
    await held;
    await answer(bus, { response_id: "r-1" });
    await answer(bus, { response_id: "r-1", response: { other: 1 } }, 409);
    await answer(bus, { status: "rejected" });
    await answer(bus, { reply_token: "forged" }, 403);
    await answer(bus, { response: 5 }, 422);
    await answer(bus, { response: { text: "x".repeat(200_000) } }, 413);
    const { url, token } = replyTo(bus);
    await post(bus, `${url}?as=alice`, { response: {}, reply_token: token }, 200);
    await post(bus, url, "", 400);
    await post(bus, "/events/unknown/responses", { response: {}, reply_token: "t" }, 404);

    await post(bus, "/requests", { ...QUESTION, timeout: 1 }, 200);
    await answer(bus, {}, 202);
    for (let i = 0; i < 99; i++) await callInMemory(bus, "POST", replyTo(bus).url, { body: lateAnswer(bus) });
    await answer(bus, {}, 429);
  });

  it("history is looked through, shown and explained", async () => {
    const bus = busInMemory();
    await aQueue(bus);
    await subscribe(bus, { name: "else", target: { kind: "webhook", url: HOOK }, filter: { data: { target: ["x"] } } });
    const id = await publish(bus, { ...EVENT, agent_type: "router" });
    await answer(bus);
    await publish(bus);
    const page = await get(bus, `/events?type=${TYPE}&agent_type=router&from=2020-01-01T00:00:00Z&limit=1&order=asc`);
    expect(page.json["events"]).toHaveLength(1);
    const first = await get(bus, "/events?limit=1");
    await get(bus, `/events?limit=1&cursor=${first.json["next_cursor"]}`);
    const batch = await get(bus, "/events?limit=1", { accept: "application/cloudevents-batch+json" });
    expect(batch.headers.get("link")).toContain("cursor=");
    await get(bus, `/events/${id}`);
    await get(bus, `/events/${id}`, { accept: "application/cloudevents+json" });
    const explained = (await get(bus, `/events/${id}/explain`)).json["subscribers"] as { verdict: string }[];
    expect(explained.map(({ verdict }) => verdict)).toEqual(["filtered_out", "pending"]);
    await post(bus, "/requests", { ...QUESTION, timeout: 1 }, 200);
    const asked = bus.publisher.published.at(-1)?.id;
    await get(bus, `/events/${asked}`);
    await get(bus, `/events/${asked}/explain`);
    await get(bus, "/events?limit=0", {}, 422);
    await get(bus, "/events?type=NOPE", {}, 422);
    await get(bus, "/events/unknown", {}, 404);
    await get(bus, "/events/unknown/explain", {}, 404);
  });

  it("events are streamed as they come, where that is possible", async () => {
    const bus = busInMemory();
    const stream = get(bus, `/events/stream?type=${TYPE}&as=me`);
    await after(bus.clock, 100, () => publish(bus));
    expect((await stream).text).toContain(`"type":"${TYPE}"`);
    await call(bus, "GET", "/events/stream", { canStream: false, expect: 503 });
    await get(bus, "/events/stream?after=forged", {}, 422);
    await get(bus, "/events/stream?type=NOPE", {}, 422);
  });

  it("it is told what there is", async () => {
    const bus = busInMemory();
    await get(bus, "/event-types");
    await get(bus, "/health");
    await get(bus, "/openapi.json");
    await get(bus, "/asyncapi.json");
    await get(bus, "/nothing", {}, 404);
    await call(bus, "PUT", "/events", { body: EVENT, expect: 404 });
  });

  it("agents subscribe, change and end subscriptions, or are refused", async () => {
    const bus = busInMemory();
    const webhook = { name: "hook", event_types: [TYPE], target: { kind: "webhook", url: HOOK } };
    const { json, headers } = await post(bus, "/subscriptions", webhook, 201);
    expect(json["secret"]).toContain("whsec_");
    const path = headers.get("location") as string;
    await post(bus, "/subscriptions", { ...webhook, filter: { data: { target: ["x"] } }, answers: false }, 200);
    await aQueue(bus, { visibility: 60, max_attempts: 3 });
    await get(bus, path);
    const page = await get(bus, "/subscriptions?limit=1");
    await get(bus, `/subscriptions?cursor=${page.json["next_cursor"]}`);
    await get(bus, "/subscriptions?cursor=forged", {}, 422);
    const patch = (body: unknown, status: number, at = path) => call(bus, "PATCH", at, { body, expect: status });
    await patch({ status: "disabled" }, 200);
    await patch({ filter: null, target: { format: "cloudevents" }, answers: true, status: "active" }, 200);
    await patch({ kind: "queue" }, 422);
    await patch("{", 400);
    await patch({}, 404, "/subscriptions/unknown");
    await post(bus, `${path}/rotate-secret`, undefined, 200);
    for (let i = 0; i < 2; i++) await post(bus, `${path}/rotate-secret`, undefined, 200);
    await post(bus, `${path}/rotate-secret`, undefined, 429);
    await call(bus, "DELETE", path, { expect: 204 });
    await get(bus, path, {}, 404);
    await call(bus, "DELETE", path, { expect: 404 });
    bus.webhooks.refuse("http://10.0.0.1/", "it must be https");
    await post(bus, "/subscriptions", { ...webhook, target: { kind: "webhook", url: "http://10.0.0.1/" } }, 422);
    await post(bus, "/subscriptions", { ...webhook, event_types: ["NOPE"] }, 422);
    await post(bus, "/subscriptions", "[", 400);
  });

  it("messages are taken, acknowledged, given back, kept hidden, and redriven when they are dead", async () => {
    const bus = busInMemory();
    const path = await aQueue(bus, { max_attempts: 2 });
    const take = async (query = "", headers = {}): Promise<string> => {
      const { json } = await get(bus, `${path}/messages${query}`, headers);
      return (json["messages"] as { receipt: string }[])[0]?.receipt ?? "";
    };
    await publish(bus);
    const receipt = await take("?max=1&visibility=20&wait=1.5");
    await post(bus, `${path}/extend`, { receipts: [receipt], visibility: 60 }, 200);
    await post(bus, `${path}/nack`, { receipts: [receipt], delay: 0, reason: "busy" }, 200);
    await bus.clock.pause(1);
    const again = await take("", { accept: "application/cloudevents+json" });
    await post(bus, `${path}/nack`, { receipts: [again] }, 200);
    await post(bus, `${path}/ack`, { receipts: [again, "gone.gone"] }, 200);
    await get(bus, `${path}/messages?max=0`, {}, 422);
    await get(bus, "/subscriptions/unknown/messages", {}, 404);
    await post(bus, `${path}/ack`, { receipts: [] }, 422);
    await post(bus, `${path}/ack`, "", 400);
    await post(bus, "/subscriptions/unknown/ack", { receipts: ["a.b"] }, 404);

    const dead = await get(bus, "/deliveries?status=dead&limit=10");
    expect(dead.json["deliveries"]).toMatchObject([{ status: "dead", event_type: TYPE }]);
    await get(bus, "/deliveries?status=alive", {}, 422);
    await post(bus, "/deliveries/redrive", { dry_run: true }, 200);
    await post(bus, "/deliveries/redrive", { limit: 5 }, 200);
    await post(bus, "/deliveries/redrive", { limit: 0 }, 422);
    await post(bus, `${path}/ack`, { receipts: [await take()] }, 200);
    const id = bus.publisher.published.at(-1)?.id;
    expect((await get(bus, `/events/${id}`)).json["deliveries"]).toMatchObject([{ status: "delivered" }]);
  });

  it("deliveries by webhook fail, end dead, disable their subscription, and are sent again as far as that is possible", async () => {
    const bus = busInMemory();
    const path = await subscribe(bus, { name: "hook", target: { kind: "webhook", url: HOOK } });
    bus.webhooks.script(HOOK, fails(503), accepts({ response: { approved: true } }), fails(410));
    const id = await publish(bus);
    await workDue(bus);
    expect((await get(bus, `/events/${id}`)).json["deliveries"]).toMatchObject([{ status: "pending", attempts: 1 }]);
    expect((await get(bus, path)).json).toMatchObject({ status: "active", last_failure: { reason: "HTTP 503" } });
    await workOff(bus);
    expect((await get(bus, `/events/${id}`)).json["deliveries"]).toMatchObject([{ status: "delivered" }]);
    const dead = await publish(bus);
    await workOff(bus);
    expect(bus.webhooks.bodies.length).toBeGreaterThan(2);
    for (const body of bus.webhooks.bodies) expect(faultsOfDelivery("application/json", body)).toEqual([]);
    expect((await get(bus, path)).json).toMatchObject({ status: "disabled", disabled_reason: "gone" });
    await get(bus, `/events/${dead}/explain`);
    const stuck = await post(bus, "/deliveries/redrive", { event_id: dead }, 200);
    expect(stuck.json).toMatchObject({ failed: 1, deliveries: [{ problem: expect.any(String) }] });
  });

  it("CloudEvents are posted to endpoints that want them", async () => {
    const bus = busInMemory();
    await subscribe(bus, { name: "hook", target: { kind: "webhook", url: HOOK, format: "cloudevents" } });
    await publish(bus);
    await workDue(bus);
    expect(bus.webhooks.bodies).toHaveLength(1);
    expect(faultsOfDelivery("application/cloudevents+json", bus.webhooks.bodies[0])).toEqual([]);
    expect(Object.keys(bus.webhooks.calls[0]?.headers ?? {})).toEqual(
      expect.arrayContaining(["webhook-id", "webhook-timestamp", "webhook-signature"]),
    );
  });

  it("what a deployed subscriber could not take is listed as dead, and handed to it again", async () => {
    const bus = busInMemory();
    const id = await publish(bus, { type: "CONTEXT_REQUESTED", data: {} });
    const event = { id, type: "CONTEXT_REQUESTED" };
    await recordDeadLetter(bus.deps, { subscriber: "alice", event, reason: "it threw", attempts: 3 });
    await get(bus, "/deliveries?subscription_id=deployed:alice");
    await post(bus, "/deliveries/redrive", { subscription_id: "deployed:alice" }, 200);
    const explained = (await get(bus, `/events/${id}/explain`)).json["subscribers"] as object[];
    expect(explained).toContainEqual(expect.objectContaining({ subscriber: "alice", verdict: "redriven" }));
  });

  it("agents are let in with keys, listed, changed and shut out; keys are replaced and revoked", async () => {
    const bus = busInMemory();
    const path = "/agents/billing";
    const input = { name: "billing", policy: { emit: ["UPGRADE_*"], conversations: "any", administer: false } };
    const { json, headers } = await post(bus, "/agents", input, 201);
    expect([headers.get("location"), headers.get("cache-control")]).toEqual([path, "no-store"]);
    await post(bus, "/agents", input, 409);
    await post(bus, "/agents", { name: "planner" }, 201);
    for (const fault of [[], {}, { name: "A" }, { name: "a", policy: { emit: ["NOPE"] } }])
      await post(bus, "/agents", fault, 422);
    await post(bus, "/agents", "{", 400);
    const page = (await get(bus, "/agents?limit=1")).json;
    await get(bus, `/agents?cursor=${page["next_cursor"]}`);
    await get(bus, "/agents?cursor=forged", {}, 422);
    await get(bus, path);
    await call(bus, "PATCH", path, { body: { disabled: true, policy: { read: [] } }, expect: 200 });
    await call(bus, "PATCH", path, { body: { disabled: 1 }, expect: 422 });
    await post(bus, `${path}/keys`, { overlap_seconds: 0 }, 201);
    for (let i = 0; i < 3; i++) await call(bus, "POST", `${path}/keys`, { expect: 201 });
    await post(bus, `${path}/keys`, {}, 429);
    await post(bus, `${path}/keys`, { overlap_seconds: -1 }, 422);
    const { keys } = (await get(bus, path)).json as { keys: { key_id: string }[] };
    await call(bus, "DELETE", `${path}/keys/${keys[0]?.key_id}`, { expect: 204 });
    await call(bus, "DELETE", `${path}/keys/${json["key_id"]}`, { expect: 404 });
    await call(bus, "DELETE", path, { expect: 204 });
    await call(bus, "GET", path, { expect: 404 });
    await call(bus, "PATCH", path, { body: {}, expect: 404 });
    await call(bus, "DELETE", "/agents/nobody", { expect: 404 });
  });

  it("only administrators get to agents, and nobody else learns which there are", async () => {
    const bus = busInMemory();
    await post(bus, "/agents", { name: "billing" }, 201);
    const caller = { id: "agent:billing", policy: DEFAULT_POLICY };
    const told = new Set<string>();
    for (const name of ["billing", "nobody"])
      for (const [method, path, body] of [
        ["POST", "/agents", { name }],
        ["GET", "/agents", undefined],
        ["GET", `/agents/${name}`, undefined],
        ["PATCH", `/agents/${name}`, { policy: { administer: true } }],
        ["DELETE", `/agents/${name}`, undefined],
        ["POST", `/agents/${name}/keys`, {}],
        ["DELETE", `/agents/${name}/keys/k`, undefined],
      ] as const) {
        const { text } = await call(bus, method, path, { body, caller, expect: 403 });
        told.add(text);
      }
    expect([...told]).toHaveLength(1);
    expect((await get(bus, "/agents")).json).toMatchObject({ agents: [{ name: "billing", policy: DEFAULT_POLICY }] });
  });

  it("what fails without being foreseen is told so", async () => {
    const bus = busInMemory();
    bus.store.getEvent = () => Promise.reject(new Error("the store is gone"));
    await get(bus, "/events/some-id", {}, 500);
  });

  it("every operation has answered with every status of success that it has", () => {
    const documented = ROUTES.flatMap(({ operation, method, path }) =>
      Object.keys(placeIn(document, ["paths", path, method.toLowerCase(), "responses"]).value as object)
        .filter((status) => Number(status) < 400)
        .map((status) => `${operation} ${status}`),
    );
    expect(documented.filter((one) => !seen.has(one))).toEqual([]);
  });
});

const lateAnswer = (bus: BusInMemory): object => ({ response: {}, reply_token: replyTo(bus).token });
