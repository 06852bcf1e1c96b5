import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { describe, expect, it } from "vitest";
import { AgentEventBus } from "../../../client/agent-event-bus.ts";
import { type Answer, playBus, QUICK, sendJson, sendProblem } from "./played-bus.ts";

const WEBHOOK = { kind: "webhook", url: "https://agent.example.com/hook" } as const;

async function setUp(answer: Answer) {
  const { url, calls } = await playBus(answer);
  return { bus: new AgentEventBus({ url, retry: QUICK }), calls };
}

/** A URL at which nobody listens any more. */
async function deadUrl(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return `http://127.0.0.1:${port}`;
}

const noContent: Answer = (_, reply) => void reply.writeHead(204).end();

describe("subscriptions, against a server that plays the bus", () => {
  it("are made as the bus wants it said, and a new webhook comes with its secret", async () => {
    const { bus, calls } = await setUp((_, reply, nth) => {
      if (nth === 1) return sendProblem(reply, 503, "unavailable");
      sendJson(reply, 201, { subscription_id: "s-1", secret: "whsec_x" });
    });
    const filter = { data: { target: ["billing"] } };
    const made = await bus.createSubscription({
      name: "billing",
      eventTypes: ["UPGRADE_REQUESTED"],
      target: { ...WEBHOOK, format: "cloudevents" },
      filter,
      answers: false,
    });
    expect(made).toEqual({ subscription_id: "s-1", secret: "whsec_x" });
    await bus.createSubscription({
      name: "pull",
      eventTypes: ["UPGRADE_REQUESTED"],
      target: { kind: "queue", visibility: 60, maxAttempts: 3 },
    });
    const webhook = {
      name: "billing",
      event_types: ["UPGRADE_REQUESTED"],
      target: { ...WEBHOOK, format: "cloudevents" },
      filter,
      answers: false,
    };
    const pull = {
      name: "pull",
      event_types: ["UPGRADE_REQUESTED"],
      target: { kind: "queue", visibility: 60, max_attempts: 3 },
    };
    expect(calls.map(({ method, path, body }) => [method, path, body])).toEqual([
      ["POST", "/subscriptions", webhook],
      ["POST", "/subscriptions", webhook],
      ["POST", "/subscriptions", pull],
    ]);
  });

  it("are listed over all pages, also short ones", async () => {
    const { bus, calls } = await setUp((call, reply) =>
      sendJson(
        reply,
        200,
        call.query.has("cursor")
          ? { subscriptions: [{ name: "b" }], next_cursor: null }
          : { subscriptions: [], next_cursor: "next+page" },
      ),
    );
    const names: string[] = [];
    for await (const { name } of bus.subscriptions({ pageSize: 2 })) names.push(name);
    expect(names).toEqual(["b"]);
    expect(calls.map(({ path, query }) => [path, Object.fromEntries(query)])).toEqual([
      ["/subscriptions", { limit: "2" }],
      ["/subscriptions", { limit: "2", cursor: "next+page" }],
    ]);
  });

  it("are looked at and changed, and only what is given is changed", async () => {
    const { bus, calls } = await setUp((_, reply) => sendJson(reply, 200, { subscription_id: "s/1" }));
    await expect(bus.getSubscription("s/1")).resolves.toEqual({ subscription_id: "s/1" });
    await bus.changeSubscription("s/1", { filter: null, status: "disabled" });
    await bus.changeSubscription("s/1", { eventTypes: ["SESSION_CREATED"], target: { maxAttempts: 9 }, answers: true });
    expect(calls.map(({ method, path, body }) => [method, path, body])).toEqual([
      ["GET", "/subscriptions/s%2F1", {}],
      ["PATCH", "/subscriptions/s%2F1", { filter: null, status: "disabled" }],
      [
        "PATCH",
        "/subscriptions/s%2F1",
        { event_types: ["SESSION_CREATED"], target: { max_attempts: 9 }, answers: true },
      ],
    ]);
  });

  it("are ended, also when the answer to that is lost; and one that was not there is said not to be", async () => {
    const ended = await setUp(noContent);
    await expect(ended.bus.deleteSubscription("s-1")).resolves.toBeUndefined();
    expect(ended.calls.map(({ method, path }) => [method, path])).toEqual([["DELETE", "/subscriptions/s-1"]]);

    const lost = await setUp((_, reply, nth) => {
      if (nth === 1) reply.destroy();
      else sendProblem(reply, 404, "not_found");
    });
    await expect(lost.bus.deleteSubscription("s-1")).resolves.toBeUndefined();
    expect(lost.calls).toHaveLength(2);

    const absent = await setUp((_, reply) => sendProblem(reply, 404, "not_found"));
    await expect(absent.bus.deleteSubscription("s-1")).rejects.toMatchObject({ code: "not_found" });
    expect(absent.calls).toHaveLength(1);
  });

  it("are not taken for ended because something that is not the bus says that all is well", async () => {
    for (const answer of [
      (_, reply) => sendJson(reply, 200, { page: "of a proxy" }),
      (_, reply) => void reply.writeHead(200).end(),
    ] satisfies Answer[]) {
      const { bus } = await setUp(answer);
      await expect(bus.deleteSubscription("s-1")).rejects.toMatchObject({ code: "unreachable", retryable: true });
    }
  });

  it("get another secret, once: not again where the bus may have made one", async () => {
    const rotated = { subscription_id: "s-1", secret: "whsec_y", previous_valid_until: "2026-11-21T10:00:00.000Z" };
    const busy = await setUp((_, reply, nth) =>
      nth === 1 ? sendProblem(reply, 429, "rate_limited") : sendJson(reply, 200, rotated),
    );
    await expect(busy.bus.rotateSecret("s-1")).resolves.toEqual(rotated);
    expect(busy.calls.map(({ method, path }) => [method, path])).toEqual([
      ["POST", "/subscriptions/s-1/rotate-secret"],
      ["POST", "/subscriptions/s-1/rotate-secret"],
    ]);

    for (const fail of [
      (_, reply) => sendProblem(reply, 503, "unavailable"),
      (_, reply) => void reply.destroy(),
    ] satisfies Answer[]) {
      const { bus, calls } = await setUp(fail);
      await expect(bus.rotateSecret("s-1")).rejects.toMatchObject({ outcomeUnknown: true });
      expect(calls).toHaveLength(1);
    }
  });

  it("get another secret although there was nobody to connect to at first", async () => {
    const { url } = await playBus((_, reply) => sendJson(reply, 200, { secret: "whsec_y" }));
    const nobody = await deadUrl();
    let tries = 0;
    const bus = new AgentEventBus({
      url,
      retry: QUICK,
      fetch: (to, init) => fetch(tries++ === 0 ? to.replace(url, nobody) : to, init),
    });
    await expect(bus.rotateSecret("s-1")).resolves.toEqual({ secret: "whsec_y" });
    expect(tries).toBe(2);
  });

  it("need a URL that an older deployment's map lacks, and say which", async () => {
    const bus = new AgentEventBus({ urls: { emit: "https://emit.example" } });
    await expect(bus.getSubscription("s-1")).rejects.toThrow(
      'There is no URL for "subscriptions": give urls.subscriptions or url.',
    );
  });
});

describe("deliveries, against a server that plays the bus", () => {
  it("that are dead are listed over all pages, of all subscriptions or of one", async () => {
    const { bus, calls } = await setUp((call, reply) =>
      sendJson(reply, 200, {
        deliveries: [{ event_id: call.query.get("cursor") ?? "e-1" }],
        next_cursor: call.query.has("cursor") ? null : "e-2",
      }),
    );
    const ids: string[] = [];
    for await (const { event_id } of bus.deadDeliveries({ subscriptionId: "deployed:audit" })) ids.push(event_id);
    expect(ids).toEqual(["e-1", "e-2"]);
    await bus.deadDeliveries({ limit: 1 }).next();
    expect(calls.map(({ path, query }) => [path, Object.fromEntries(query)])).toEqual([
      ["/deliveries", { status: "dead", subscription_id: "deployed:audit", limit: "100" }],
      ["/deliveries", { status: "dead", subscription_id: "deployed:audit", limit: "100", cursor: "e-2" }],
      ["/deliveries", { status: "dead", limit: "1" }],
    ]);
  });

  it("are sent again, all or those that are named, or only looked at", async () => {
    const redriven = { dry_run: false, deliveries: [], redriven: 3, failed: 0, remaining: false };
    const { bus, calls } = await setUp((_, reply, nth) =>
      nth === 1 ? void reply.destroy() : sendJson(reply, 200, redriven),
    );
    await expect(bus.redrive()).resolves.toEqual(redriven);
    await bus.redrive({ subscriptionId: "s-1", eventId: "e-1", dryRun: true, limit: 5 });
    expect(calls.map(({ method, path, body }) => [method, path, body])).toEqual([
      ["POST", "/deliveries/redrive", {}],
      ["POST", "/deliveries/redrive", {}],
      ["POST", "/deliveries/redrive", { subscription_id: "s-1", event_id: "e-1", dry_run: true, limit: 5 }],
    ]);
  });

  it("are explained", async () => {
    const explanation = { event_id: "e-1", type: "X", subscribers: [], request: null, responses: [] };
    const { bus, calls } = await setUp((_, reply) => sendJson(reply, 200, explanation));
    await expect(bus.explain("e-1")).resolves.toEqual(explanation);
    expect(calls.map(({ method, path }) => [method, path])).toEqual([["GET", "/events/e-1/explain"]]);
  });
});
