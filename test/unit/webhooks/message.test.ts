import { createHmac } from "node:crypto";
import { describe, expect, it } from "vitest";
import { openAgent } from "../../../shared/agents/agent.ts";
import type { DeliveredEvent } from "../../../shared/event.ts";
import { rotateSecret, subscribe } from "../../../shared/subscriptions/subscribe.ts";
import type { WebhookCall } from "../../../shared/webhooks/port.ts";
import { type BusInMemory, busInMemory } from "../../support/bus-in-memory.ts";
import { ask, OWNER, publish, subscribed, TYPE, webhookInput } from "../../support/run-time-bus.ts";
import { accepts, fails, HOOK } from "../../support/scripted-webhooks.ts";
import { workDue, workOff } from "../../support/webhook-worker.ts";

/** Which of the secrets a call is signed with, as a receiver would find out. */
function signers({ headers, body }: WebhookCall, secrets: readonly string[]): number[] {
  const given = (headers["webhook-signature"] ?? "").split(" ");
  const signed = `${headers["webhook-id"]}.${headers["webhook-timestamp"]}.${body}`;
  return secrets.flatMap((secret, i) => {
    const key = Buffer.from(secret.slice("whsec_".length), "base64");
    return given.includes(`v1,${createHmac("sha256", key).update(signed).digest("base64")}`) ? [i] : [];
  });
}

async function hook(bus: BusInMemory, change: object = {}): Promise<{ id: string; secret: string }> {
  const { subscription } = await subscribe(bus.deps, webhookInput(change), openAgent(OWNER));
  return { id: subscription.subscription_id, secret: subscription.secret ?? "" };
}

describe("what is posted to a webhook", () => {
  it("is the event with where and how to answer it, in the name of the subscription", async () => {
    const bus = busInMemory();
    await subscribed(bus, webhookInput({ name: "my hook" }));
    const request = await ask(bus, { data: { target: "billing" } });
    await workDue(bus);
    const record = await bus.store.getEvent(request.eventId);
    const expected: DeliveredEvent = {
      ...(record?.event as DeliveredEvent),
      reply_to: {
        url: `/events/${request.eventId}/responses?as=my%20hook`,
        token: request.replyToken,
        deadline: request.deadline,
      },
    };
    expect(bus.webhooks.bodies).toEqual([expected]);
    expect(bus.webhooks.calls[0]?.headers["content-type"]).toBe("application/json");
  });

  it("is a CloudEvent in structured mode when that is wanted", async () => {
    const bus = busInMemory();
    const format = "cloudevents";
    await subscribed(bus, webhookInput({ target: { kind: "webhook", url: HOOK, format } }));
    const request = await ask(bus, { data: { target: "billing" } });
    await workDue(bus);
    expect(bus.webhooks.calls[0]?.headers["content-type"]).toMatch(/^application\/cloudevents\+json/);
    expect(bus.webhooks.bodies).toMatchObject([
      {
        specversion: "1.0",
        id: request.eventId,
        type: TYPE,
        data: { target: "billing" },
        replyurl: `/events/${request.eventId}/responses?as=hook`,
        replytoken: request.replyToken,
        replydeadline: request.deadline,
      },
    ]);
  });

  it("is a CloudEvent in binary mode when that is wanted: the data alone, the rest in headers", async () => {
    const bus = busInMemory();
    const format = "cloudevents-binary";
    await subscribed(bus, webhookInput({ target: { kind: "webhook", url: HOOK, format } }));
    const eventId = await publish(bus, { target: "billing" });
    await workDue(bus);
    const [call] = bus.webhooks.calls;
    expect(bus.webhooks.bodies).toEqual([{ target: "billing" }]);
    const headers = Object.fromEntries(Object.entries(call?.headers ?? {}).map(([k, v]) => [k.toLowerCase(), v]));
    expect(headers).toMatchObject({ "ce-specversion": "1.0", "ce-id": eventId, "ce-type": TYPE });
    expect(headers).toHaveProperty("webhook-signature");
  });
});

describe("the headers of a webhook", () => {
  it("have the same id whenever it is sent again, and the time of each attempt [deliver-9]", async () => {
    const bus = busInMemory();
    const { secret } = await hook(bus);
    bus.webhooks.script(HOOK, fails(503), accepts());
    await publish(bus);
    await workOff(bus);
    const [first, second] = bus.webhooks.calls;
    expect(second?.headers["webhook-id"]).toBe(first?.headers["webhook-id"]);
    expect(first?.headers["webhook-timestamp"]).toBe(String(Date.parse("2026-06-01T12:00:00Z") / 1_000));
    expect(second?.headers["webhook-timestamp"]).toBe(String(Date.parse("2026-06-01T12:00:05Z") / 1_000));
    for (const call of bus.webhooks.calls) expect(signers(call, [secret])).toEqual([0]);
  });

  it("have an id of their own for each event and each subscription", async () => {
    const bus = busInMemory();
    await hook(bus, { name: "first" });
    await hook(bus, { name: "second" });
    await publish(bus);
    await publish(bus);
    await workDue(bus);
    expect(new Set(bus.webhooks.calls.map(({ headers }) => headers["webhook-id"])).size).toBe(4);
  });

  it("are signed with each subscription's own secret", async () => {
    const bus = busInMemory();
    const first = await hook(bus, { name: "first" });
    const url = "https://second.example.com/";
    const second = await hook(bus, { name: "second", target: { kind: "webhook", url } });
    await publish(bus);
    await workDue(bus);
    for (const call of bus.webhooks.calls)
      expect(signers(call, [first.secret, second.secret])).toEqual([call.url === url ? 1 : 0]);
  });

  it("carry the signatures of both secrets for 24 h after a rotation, then of the new one alone [deliver-16]", async () => {
    const bus = busInMemory();
    const { id, secret } = await hook(bus);
    const rotated = await rotateSecret(bus.deps, id, OWNER);
    const secrets = [secret, rotated.secret];
    const signersNow = async () => {
      await publish(bus);
      await workDue(bus);
      return signers(bus.webhooks.calls.at(-1) as WebhookCall, secrets);
    };
    expect(await signersNow()).toEqual([0, 1]);
    await bus.clock.pause(24 * 3_600_000 - 1);
    expect(await signersNow()).toEqual([0, 1]);
    await bus.clock.pause(1);
    expect(await signersNow()).toEqual([1]);
  });

  it("of an event that was on its way carry the new secret's signature too [deliver-16]", async () => {
    const bus = busInMemory();
    const { id, secret } = await hook(bus);
    bus.webhooks.script(HOOK, fails(503), accepts());
    await publish(bus);
    await workDue(bus);
    const rotated = await rotateSecret(bus.deps, id, OWNER);
    await workOff(bus);
    expect(bus.webhooks.calls.map((call) => signers(call, [secret, rotated.secret]))).toEqual([[0], [0, 1]]);
  });

  it("carry as many signatures as secrets that are valid, the newest first", async () => {
    const bus = busInMemory();
    const { id, secret } = await hook(bus);
    const secrets = [secret];
    for (let i = 0; i < 3; i++) secrets.push((await rotateSecret(bus.deps, id, OWNER)).secret);
    await publish(bus);
    await workDue(bus);
    const [call] = bus.webhooks.calls;
    if (call === undefined) throw new Error("It was not called.");
    expect(signers(call, secrets)).toEqual([0, 1, 2, 3]);
    const [newest = ""] = (call.headers["webhook-signature"] ?? "").split(" ");
    expect(signers({ ...call, headers: { ...call.headers, "webhook-signature": newest } }, secrets)).toEqual([3]);
  });
});
