/**
 * What an agent outside the deployment gets, over plain HTTP: it subscribes while the bus runs, with a webhook or a pull
 * queue. The same scenarios for the embedded run and for a deployment.
 */
import { randomUUID } from "node:crypto";
import { Webhook as StandardWebhook } from "standardwebhooks";
import { Webhook as SvixWebhook } from "svix";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { DeliveredEvent } from "../../shared/event.ts";
import { call, type Json, type Reply } from "../support/call.ts";
import type { Answer, ReceivedCall, ScriptedReceiver } from "../support/scripted-receiver.ts";

export interface SubscribableBus {
  readonly url: string;
  /** Receives the webhooks. */
  readonly receiver: ScriptedReceiver;
  /** The URL under which the bus reaches a path of the receiver. */
  webhookUrl(path: string): string;
}

export interface WhereToSubscribe {
  readonly name: string;
  open(): Promise<SubscribableBus>;
  /** How many subscribe to one type at once. */
  readonly crowd: number;
  /** How long something may take until it is there, in milliseconds. */
  readonly patienceMs: number;
}

interface QueueMessage {
  readonly event: DeliveredEvent & { readonly data: Json };
  readonly receipt: string;
  readonly attempt: number;
}

export function subscriptionScenarios({ name, open, crowd, patienceMs }: WhereToSubscribe): void {
  describe(`subscribing at run time, ${name}`, () => {
    let bus: SubscribableBus;
    beforeAll(async () => {
      bus = await open();
    });
    afterAll(() => bus?.receiver.close());

    const post = (path: string, body: unknown): Promise<Reply> => call(bus.url, "POST", path, { body });
    const get = (path: string, headers: Record<string, string> = {}): Promise<Reply> =>
      call(bus.url, "GET", path, { headers });
    const soon = { timeout: patienceMs, interval: 50 };

    /** A name, a conversation and a path that no other test uses. */
    const fresh = () => {
      const id = randomUUID();
      return { name: `agent-${id}`, conversation: id, path: `/${id}` };
    };
    const filterOf = (conversation: string) => ({ correlation_id: [conversation] });
    const emit = async (type: string, conversation: string, data: Json = {}): Promise<string> => {
      const reply = await post("/events", { type, data, correlation_id: conversation });
      expect(reply.status).toBe(202);
      return reply.json["event_id"] as string;
    };
    const makeQueue = async (type: string, who: ReturnType<typeof fresh>, more: Json = {}, target: Json = {}) => {
      const made = await post("/subscriptions", {
        name: who.name,
        event_types: [type],
        target: { kind: "queue", ...target },
        filter: filterOf(who.conversation),
        ...more,
      });
      expect(made.status).toBe(201);
      return made.json["subscription_id"] as string;
    };
    const makeWebhook = async (type: string, who: ReturnType<typeof fresh>, more: Json = {}, target: Json = {}) => {
      const made = await post("/subscriptions", {
        name: who.name,
        event_types: [type],
        target: { kind: "webhook", url: bus.webhookUrl(who.path), ...target },
        filter: filterOf(who.conversation),
        ...more,
      });
      expect(made.json).toMatchObject({ status: "active", secret: expect.stringMatching(/^whsec_/) });
      expect(made.status).toBe(201);
      return { id: made.json["subscription_id"] as string, secret: made.json["secret"] as string };
    };
    const poll = async (id: string, query = "wait=10"): Promise<readonly QueueMessage[]> => {
      const reply = await get(`/subscriptions/${id}/messages?${query}`);
      expect(reply.status).toBe(200);
      return reply.json["messages"] as QueueMessage[];
    };
    const deliveriesOf = async (eventId: string): Promise<readonly Json[]> =>
      (await get(`/events/${eventId}`)).json["deliveries"] as Json[];
    const received = async (path: string, atLeast = 1): Promise<readonly ReceivedCall[]> => {
      await expect.poll(() => bus.receiver.calls(path).length, soon).toBeGreaterThanOrEqual(atLeast);
      return bus.receiver.calls(path);
    };

    describe("a subscription", () => {
      it("is made once by its agent and name, whatever it is sent again with, and shows its secret once", async () => {
        const who = fresh();
        const { id } = await makeWebhook("SESSION_CREATED", who);
        const again = await post("/subscriptions", {
          name: who.name,
          event_types: ["SESSION_CREATED", "SESSION_UPDATED"],
          target: { kind: "webhook", url: bus.webhookUrl(who.path) },
        });
        expect(again.status).toBe(200);
        expect(again.json).toMatchObject({
          subscription_id: id,
          event_types: ["SESSION_CREATED", "SESSION_UPDATED"],
          status: "active",
        });
        expect(again.json).not.toHaveProperty("secret");
        expect(again.json).not.toHaveProperty("filter");
        const shown = await get(`/subscriptions/${id}`);
        expect(shown.json).toEqual(again.json);
        expect(shown.text).not.toContain("whsec_");
      });

      it("is listed page by page, changed, and ended", async () => {
        const [one, two] = [fresh(), fresh()];
        const ids = [await makeQueue("SESSION_CREATED", one), await makeQueue("SESSION_CREATED", two)];
        const listed: string[] = [];
        for (let cursor: string | null = ""; cursor !== null; ) {
          const page: Reply = await get(`/subscriptions?limit=1${cursor === "" ? "" : `&cursor=${cursor}`}`);
          expect(page.status).toBe(200);
          listed.push(...(page.json["subscriptions"] as Json[]).map((each) => each["subscription_id"] as string));
          cursor = page.json["next_cursor"] as string | null;
        }
        expect(listed).toEqual(expect.arrayContaining(ids));
        expect(new Set(listed).size).toBe(listed.length);

        const changed = await call(bus.url, "PATCH", `/subscriptions/${ids[0]}`, {
          body: { filter: null, answers: false, target: { visibility: 7 }, status: "disabled" },
        });
        expect(changed.status).toBe(200);
        expect(changed.json).toMatchObject({
          answers: false,
          status: "disabled",
          disabled_reason: "by_owner",
          target: { kind: "queue", visibility: 7, max_attempts: 5 },
        });
        expect(changed.json).not.toHaveProperty("filter");

        const ended = await call(bus.url, "DELETE", `/subscriptions/${ids[0]}`);
        expect([ended.status, ended.text]).toEqual([204, ""]);
        expect((await get(`/subscriptions/${ids[0]}`)).status).toBe(404);
        expect((await call(bus.url, "DELETE", `/subscriptions/${ids[0]}`)).json["code"]).toBe("not_found");
      });

      it("takes many changes at the same moment, one after the other", async () => {
        const id = await makeQueue("SESSION_CREATED", fresh());
        const changes = Array.from({ length: Math.min(crowd, 50) }, (_, i) =>
          call(bus.url, "PATCH", `/subscriptions/${id}`, { body: { target: { visibility: i + 1 } } }),
        );
        expect(new Set((await Promise.all(changes)).map(({ status }) => status))).toEqual(new Set([200]));
      });

      const good = { name: "n", event_types: ["SESSION_CREATED"], target: { kind: "queue" } };
      it.each<[string, Json, string, string]>([
        ["no name", { ...good, name: "" }, "invalid_request", "/name"],
        ["no event type", { ...good, event_types: [] }, "invalid_request", "/event_types"],
        [
          "an event type that does not exist",
          { ...good, event_types: ["NOPE"] },
          "unknown_event_type",
          "/event_types/0",
        ],
        ["no target", { ...good, target: undefined }, "invalid_request", "/target"],
        ["a target of no kind", { ...good, target: { kind: "pigeon" } }, "invalid_request", "/target/kind"],
        ["a webhook without a URL", { ...good, target: { kind: "webhook" } }, "invalid_request", "/target/url"],
        ["an unknown field", { ...good, filters: {} }, "invalid_request", "/filters"],
        ["a filter that is no pattern", { ...good, filter: { data: "x" } }, "invalid_request", "/filter/data"],
        [
          "an unknown operator",
          { ...good, filter: { data: { a: [{ like: "x" }] } } },
          "invalid_request",
          "/filter/data/a/0",
        ],
        [
          "a visibility out of range",
          { ...good, target: { kind: "queue", visibility: 0 } },
          "invalid_request",
          "/target/visibility",
        ],
      ])("with %s is refused, and the field is named", async (_title, body, code, pointer) => {
        const reply = await post("/subscriptions", body);
        expect([reply.status, reply.json["code"]]).toEqual([422, code]);
        expect(reply.json["errors"]).toContainEqual(expect.objectContaining({ pointer }));
      });

      it.each([
        "http://example.com/hook",
        "https://example.com:8443/hook",
        "https://10.0.0.1/hook",
        "https://169.254.169.254/latest/meta-data",
        "https://[fd00::1]/hook",
        "https://user:secret@example.com/hook",
        "https://0x7f000001/hook",
        "ftp://example.com/hook",
      ])("to %s is refused", async (url) => {
        const reply = await post("/subscriptions", { ...good, name: randomUUID(), target: { kind: "webhook", url } });
        // Only the loopback addresses can be allowed, and these are not spelt as such.
        if (url.includes("0x7f") && bus.webhookUrl("/").startsWith("http:")) return;
        expect([reply.status, reply.json["code"]]).toEqual([422, "invalid_request"]);
        expect(reply.json["errors"]).toContainEqual(expect.objectContaining({ pointer: "/target/url" }));
      });
    });

    describe("a pull queue", () => {
      it("has the next event after its agent has subscribed, and those only that fit its filter", async () => {
        const who = fresh();
        const id = await makeQueue("TRANSCRIPTION_COMPLETED", who);
        await emit("TRANSCRIPTION_COMPLETED", randomUUID());
        const eventId = await emit("TRANSCRIPTION_COMPLETED", who.conversation, { text: "hé" });
        const [message, ...others] = await poll(id);
        expect(others).toEqual([]);
        expect(message).toMatchObject({
          attempt: 1,
          event: {
            id: eventId,
            data: { text: "hé" },
            reply_to: { url: `/events/${eventId}/responses?as=${who.name}`, token: expect.any(String) },
          },
        });
        const acked = await post(`/subscriptions/${id}/ack`, { receipts: [message?.receipt] });
        expect(acked.json).toEqual({ results: [{ receipt: message?.receipt, status: "ok" }] });
        expect(await poll(id, "wait=0")).toEqual([]);
        expect(await deliveriesOf(eventId)).toMatchObject([
          { subscription_id: id, subscriber: who.name, kind: "queue", status: "delivered", attempts: 1 },
        ]);
      });

      it("gives a message again when it is given back, and when it is not acknowledged in time", async () => {
        const who = fresh();
        const id = await makeQueue("TRANSCRIPTION_COMPLETED", who);
        await emit("TRANSCRIPTION_COMPLETED", who.conversation);
        const [first] = await poll(id);
        await post(`/subscriptions/${id}/nack`, { receipts: [first?.receipt], reason: "busy" });
        const [second] = await poll(id, "wait=10&visibility=1");
        expect(second?.attempt).toBe(2);
        const [third] = await poll(id);
        expect(third?.attempt).toBe(3);
        const late = await post(`/subscriptions/${id}/ack`, { receipts: [second?.receipt] });
        expect(late.json["results"]).toMatchObject([{ status: "expired" }]);
        const extended = await post(`/subscriptions/${id}/extend`, { receipts: [third?.receipt], visibility: 600 });
        expect(extended.json["results"]).toMatchObject([{ status: "ok" }]);
        const acked = await post(`/subscriptions/${id}/ack`, { receipts: [third?.receipt] });
        expect(acked.json["results"]).toMatchObject([{ status: "ok" }]);
      });

      it("gives a message up after its last receive, lists it as dead, and gives it again when it is redriven", async () => {
        const who = fresh();
        const id = await makeQueue("TRANSCRIPTION_COMPLETED", who, {}, { max_attempts: 1 });
        const eventId = await emit("TRANSCRIPTION_COMPLETED", who.conversation);
        const [only] = await poll(id);
        await post(`/subscriptions/${id}/nack`, { receipts: [only?.receipt], reason: "cannot read it" });
        const dead = async () =>
          (await get(`/deliveries?status=dead&subscription_id=${id}`)).json["deliveries"] as Json[];
        await expect.poll(dead, soon).toMatchObject([
          {
            event_id: eventId,
            subscription_id: id,
            status: "dead",
            reason: expect.stringContaining("cannot read it"),
          },
        ]);
        const dry = await post("/deliveries/redrive", { subscription_id: id, dry_run: true });
        expect(dry.json).toMatchObject({ dry_run: true, redriven: 1, failed: 0, remaining: false });
        expect(await dead()).toHaveLength(1);
        const redriven = await post("/deliveries/redrive", { subscription_id: id });
        expect(redriven.json).toMatchObject({ dry_run: false, redriven: 1, deliveries: [{ event_id: eventId }] });
        const [again] = await poll(id);
        expect(again?.event.id).toBe(eventId);
        await post(`/subscriptions/${id}/ack`, { receipts: [again?.receipt] });
        await expect.poll(dead, soon).toEqual([]);
      });

      it("counts as somebody who can answer only while it is polled; all and missing name it", async () => {
        const who = fresh();
        const id = await makeQueue("UPGRADE_COMPLETED", who);
        const question = { type: "UPGRADE_COMPLETED", data: {}, correlation_id: who.conversation };
        const nobody = await post("/requests", { ...question, timeout: 5 });
        expect([nobody.status, nobody.json["code"]]).toEqual([424, "no_subscribers"]);
        await poll(id, "wait=0");
        const held = post("/requests", { ...question, timeout: 30, expect: { mode: "all" } });
        const [message] = await poll(id);
        const { url, token } = (message as QueueMessage).event.reply_to;
        await post(url, { response: { ok: 1 }, reply_token: token });
        expect((await held).json).toMatchObject({
          status: "answered",
          responses: [{ responder: who.name }],
          missing: [],
        });
        await post(`/subscriptions/${id}/ack`, { receipts: [message?.receipt] });
        const silent = await post("/requests", { ...question, timeout: 1, expect: { mode: "all" } });
        expect(silent.json).toMatchObject({ status: "timed_out", missing: [who.name] });
      });

      it("gives messages as CloudEvents to whoever wants that", async () => {
        const who = fresh();
        const id = await makeQueue("TRANSCRIPTION_COMPLETED", who);
        const eventId = await emit("TRANSCRIPTION_COMPLETED", who.conversation, { n: 1 });
        const reply = await get(`/subscriptions/${id}/messages?wait=10`, { accept: "application/cloudevents+json" });
        expect(reply.json["messages"]).toMatchObject([
          { event: { specversion: "1.0", id: eventId, type: "TRANSCRIPTION_COMPLETED", data: { n: 1 } } },
        ]);
      });

      it("is another agent's no more once it is deleted: what waited in it is dead", async () => {
        const who = fresh();
        const id = await makeQueue("TRANSCRIPTION_COMPLETED", who);
        const eventId = await emit("TRANSCRIPTION_COMPLETED", who.conversation);
        await expect.poll(() => deliveriesOf(eventId), soon).toMatchObject([{ status: "pending" }]);
        await call(bus.url, "DELETE", `/subscriptions/${id}`);
        expect((await get(`/subscriptions/${id}/messages`)).status).toBe(404);
        await expect
          .poll(() => deliveriesOf(eventId), soon)
          .toMatchObject([{ status: "dead", reason: "subscription_deleted" }]);
      });
    });

    describe("a webhook", () => {
      it("is signed so that the official libraries verify it, with both secrets while one is replaced", async () => {
        const who = fresh();
        const { id, secret } = await makeWebhook("MESSAGE_PROCESSED", who);
        const eventId = await emit("MESSAGE_PROCESSED", who.conversation, { text: "hé 𝄞" });
        const [first] = await received(who.path);
        const verified = new StandardWebhook(secret).verify(first?.text ?? "", first?.headers ?? {});
        expect(verified).toMatchObject({
          id: eventId,
          data: { text: "hé 𝄞" },
          reply_to: { token: expect.any(String) },
        });
        expect(new SvixWebhook(secret).verify(first?.text ?? "", first?.headers ?? {})).toEqual(verified);

        const rotated = await post(`/subscriptions/${id}/rotate-secret`, undefined);
        expect(rotated.status).toBe(200);
        expect(rotated.json).toMatchObject({ subscription_id: id, previous_valid_until: expect.any(String) });
        await emit("MESSAGE_PROCESSED", who.conversation);
        const second = (await received(who.path, 2))[1];
        for (const valid of [secret, rotated.json["secret"] as string])
          expect(() => new StandardWebhook(valid).verify(second?.text ?? "", second?.headers ?? {})).not.toThrow();
      });

      it("answers the one who asks with what its endpoint returns", async () => {
        const who = fresh();
        await makeWebhook("CONTEXT_REQUESTED", who);
        bus.receiver.answer(who.path, ({ json }) => ({
          status: 200,
          body: { response: { of: json["id"] as string } },
        }));
        const outcome = await post("/requests", {
          type: "CONTEXT_REQUESTED",
          data: {},
          correlation_id: who.conversation,
          timeout: 30,
          expect: { mode: "all" },
        });
        expect(outcome.json).toMatchObject({
          status: "answered",
          response: { of: outcome.json["event_id"] },
          responses: [{ responder: who.name }],
          missing: [],
        });
        await expect
          .poll(() => deliveriesOf(outcome.json["event_id"] as string), soon)
          .toMatchObject([{ status: "delivered", log: [{ outcome: expect.stringContaining("accepted") }] }]);
      });

      it("is tried again after a failure under the same id, no sooner than Retry-After says", async () => {
        const [failing, limited] = [fresh(), fresh()];
        const failOnce = (first: Answer) => (_: ReceivedCall, nth: number) => (nth === 1 ? first : { status: 200 });
        bus.receiver.answer(failing.path, failOnce({ status: 503 }));
        bus.receiver.answer(limited.path, failOnce({ status: 429, headers: { "retry-after": "7" } }));
        await makeWebhook("MESSAGE_PROCESSED", failing);
        const { id } = await makeWebhook("MESSAGE_PROCESSED", limited);
        await emit("MESSAGE_PROCESSED", failing.conversation);
        const limitedId = await emit("MESSAGE_PROCESSED", limited.conversation);
        await received(limited.path);
        await expect
          .poll(async () => (await get(`/subscriptions/${id}`)).json, soon)
          .toMatchObject({ failing_since: expect.any(String), last_failure: { reason: "HTTP 429" } });
        for (const [path, leastMs] of [
          [failing.path, 4_500],
          [limited.path, 6_500],
        ] as const) {
          const [first, second] = await received(path, 2);
          expect(second?.headers["webhook-id"]).toBe(first?.headers["webhook-id"]);
          expect((second?.atMs ?? 0) - (first?.atMs ?? 0)).toBeGreaterThan(leastMs);
        }
        await expect
          .poll(() => deliveriesOf(limitedId), soon)
          .toMatchObject([
            { status: "delivered", attempts: 2, log: [{ outcome: "HTTP 429" }, { outcome: "HTTP 200" }] },
          ]);
        await expect
          .poll(async () => (await get(`/subscriptions/${id}`)).json, soon)
          .not.toHaveProperty("failing_since");
      });

      it("does not follow a redirect, and waits for no endpoint that is down or slow while others get theirs", async () => {
        const [redirecting, slow, quick] = [fresh(), fresh(), fresh()];
        bus.receiver.answer(redirecting.path, () => ({
          status: 302,
          headers: { location: bus.webhookUrl(quick.path) },
        }));
        bus.receiver.answer(slow.path, () => ({ status: 200, afterMs: 5_000 }));
        const conversation = quick.conversation;
        for (const who of [redirecting, slow, quick]) await makeWebhook("MESSAGE_PROCESSED", { ...who, conversation });
        const eventId = await emit("MESSAGE_PROCESSED", conversation);
        await received(quick.path);
        await expect
          .poll(
            async () =>
              (await deliveriesOf(eventId)).map(({ status, log }) => [status, (log as Json[])[0]?.["outcome"]]),
            soon,
          )
          .toEqual(
            expect.arrayContaining([
              ["delivered", "HTTP 204"],
              ["pending", "HTTP 302: redirects are not followed"],
            ]),
          );
        expect(bus.receiver.calls(quick.path)).toHaveLength(1);
      });

      it("is disabled by a 410, which its owner can see; what was on its way is dead and can be redriven later", async () => {
        const who = fresh();
        bus.receiver.answer(who.path, (_, nth) => ({ status: nth === 1 ? 410 : 200 }));
        const { id } = await makeWebhook("MESSAGE_PROCESSED", who);
        const eventId = await emit("MESSAGE_PROCESSED", who.conversation);
        await expect
          .poll(async () => (await get(`/subscriptions/${id}`)).json, soon)
          .toMatchObject({ status: "disabled", disabled_reason: "gone", last_failure: { reason: "HTTP 410" } });
        await expect.poll(() => deliveriesOf(eventId), soon).toMatchObject([{ status: "dead" }]);
        const stuck = await post("/deliveries/redrive", { event_id: eventId });
        expect(stuck.json).toMatchObject({ redriven: 0, failed: 1, deliveries: [{ problem: expect.any(String) }] });
        await call(bus.url, "PATCH", `/subscriptions/${id}`, { body: { status: "active" } });
        expect((await post("/deliveries/redrive", { event_id: eventId })).json).toMatchObject({ redriven: 1 });
        await expect.poll(() => deliveriesOf(eventId), soon).toMatchObject([{ status: "delivered" }]);
      });

      it("comes as a CloudEvent in either mode if that is what it was made for", async () => {
        const [structured, binary] = [fresh(), fresh()];
        const conversation = binary.conversation;
        await makeWebhook("MESSAGE_PROCESSED", { ...structured, conversation }, {}, { format: "cloudevents" });
        const { secret } = await makeWebhook(
          "MESSAGE_PROCESSED",
          { ...binary, conversation },
          {},
          { format: "cloudevents-binary" },
        );
        const eventId = await emit("MESSAGE_PROCESSED", conversation, { n: 1 });
        const [whole] = await received(structured.path);
        expect(whole?.headers["content-type"]).toContain("application/cloudevents+json");
        expect(whole?.json).toMatchObject({
          specversion: "1.0",
          id: eventId,
          type: "MESSAGE_PROCESSED",
          data: { n: 1 },
        });
        const [parts] = await received(binary.path);
        expect(parts?.headers).toMatchObject({
          "ce-specversion": "1.0",
          "ce-id": eventId,
          "ce-type": "MESSAGE_PROCESSED",
        });
        expect(parts?.json).toEqual({ n: 1 });
        expect(() => new StandardWebhook(secret).verify(parts?.text ?? "", parts?.headers ?? {})).not.toThrow();
      });
    });

    describe("explain", () => {
      it("says of every subscriber of the type why it did or did not get the event", async () => {
        const [got, other, paused, later] = [fresh(), fresh(), fresh(), fresh()];
        const type = "FOLDER_STRUCTURE_DETERMINED";
        const filter = { data: { target: ["billing", { prefix: "invoice-" }] } };
        await makeQueue(type, got);
        await makeQueue(type, other, { filter });
        const pausedId = await makeQueue(type, { ...paused, conversation: got.conversation });
        await call(bus.url, "PATCH", `/subscriptions/${pausedId}`, { body: { status: "disabled" } });
        const eventId = await emit(type, got.conversation, { target: "crm" });
        await expect.poll(() => deliveriesOf(eventId), soon).toHaveLength(1);
        await makeQueue(type, { ...later, conversation: got.conversation });
        const { json } = await get(`/events/${eventId}/explain`);
        const byName = new Map((json["subscribers"] as Json[]).map((one) => [one["subscriber"], one]));
        expect(byName.get(got.name)).toMatchObject({ verdict: "pending", delivery: { attempts: 0 } });
        expect(byName.get(other.name)).toMatchObject({
          verdict: "filtered_out",
          mismatch: { field: "/data/target", found: ["crm"] },
          detail: expect.stringContaining("billing"),
        });
        expect(byName.get(paused.name)).toMatchObject({ verdict: "disabled" });
        expect(byName.get(later.name)).toMatchObject({ verdict: "later" });
        expect((await get(`/events/${randomUUID()}/explain`)).status).toBe(404);
      });
    });

    it(`brings an event once to each of ${crowd} subscribers of its type [emit-19]`, async () => {
      const who = fresh();
      const type = "LANGUAGE_NORMALIZED";
      const subscribe = (i: number) =>
        post("/subscriptions", {
          name: `${who.name}-${i}`,
          event_types: [type],
          target: i % 10 === 0 ? { kind: "webhook", url: bus.webhookUrl(`${who.path}/${i}`) } : { kind: "queue" },
          filter: filterOf(who.conversation),
        });
      const ids: string[] = [];
      for (let i = 0; i < crowd; i += 10) {
        const made = await Promise.all(Array.from({ length: Math.min(10, crowd - i) }, (_, n) => subscribe(i + n)));
        ids.push(...made.map(({ json }) => json["subscription_id"] as string));
      }
      const eventId = await emit(type, who.conversation);
      await expect.poll(async () => (await deliveriesOf(eventId)).length, soon).toBe(crowd);
      const deliveries = await deliveriesOf(eventId);
      expect(new Set(deliveries.map((one) => one["subscription_id"]))).toEqual(new Set(ids));
      for (let i = 0; i < crowd; i += 10) await received(`${who.path}/${i}`);
      for (let i = 1; i < crowd; i += Math.ceil(crowd / 10)) {
        if (i % 10 === 0) continue;
        expect((await poll(ids[i] as string)).map(({ event }) => event.id)).toEqual([eventId]);
        expect(await poll(ids[i] as string, "wait=0")).toEqual([]);
      }
      for (let i = 0; i < crowd; i += 10) expect(bus.receiver.calls(`${who.path}/${i}`)).toHaveLength(1);
    });
  });
}
