/** Agent keys on the deployed functions, held to their roles. The emulator tells no identity: who is unsigned administers. */
import { beforeAll, describe, expect, test } from "vitest";
import { AgentAdministration } from "../../client/agent-administration.ts";
import { type CallOptions, call, type Reply } from "../support/call.ts";
import { eventually } from "../support/embedded.ts";
import { emulatorAvailable, useDeployment } from "../support/emulator.ts";

const TYPE = "UPGRADE_REQUESTED";
const EVENT = { type: TYPE, data: { target: "billing" } };

describe.skipIf(!(await emulatorAvailable()))("a deployment that takes agent keys", () => {
  let url = "";
  let administration: AgentAdministration;
  beforeAll(async () => {
    ({ url } = await useDeployment({ auth: "keys" }));
    administration = new AgentAdministration({ url });
  }, 240_000);

  const withKey = (key: string, method: string, path: string, options: CallOptions = {}): Promise<Reply> =>
    call(url, method, path, { ...options, headers: { authorization: `Bearer ${key}` } });

  test("lets in whoever has one, at every function, and nobody else, whatever is wrong", async () => {
    const { key } = await administration.register("everywhere");
    const calls: readonly [string, string, unknown?][] = [
      ["POST", "/events", EVENT],
      ["POST", "/requests", { ...EVENT, timeout: 0.1, require_subscribers: false }],
      ["GET", "/events"],
      ["GET", "/subscriptions"],
      ["GET", "/deliveries"],
      ["GET", "/event-types"],
    ];
    const refused = new Set<string>();
    for (const [method, path, body] of calls) {
      expect((await withKey(key, method, path, { body })).status, path).toBeLessThan(300);
      for (const headers of [
        {},
        { authorization: `Bearer ${key}x` },
        { authorization: `Bearer ${key.slice(0, -43)}${"A".repeat(43)}` },
      ]) {
        const { status, text } = await call(url, method, path, { body, headers });
        expect(status, path).toBe(401);
        refused.add(text);
      }
    }
    expect([...refused]).toHaveLength(1);
    expect((await call(url, "GET", "/health")).status).toBe(200);
  });

  test("takes messages and answers from agents with keys, by what their policies allow", async () => {
    const asker = await administration.register("asker");
    const answerer = await administration.register("answerer", { emit: [], subscribe: [TYPE], answer: [TYPE] });
    expect((await withKey(answerer.key, "POST", "/events", { body: EVENT })).status).toBe(403);
    const subscription = { name: "night-shift", event_types: [TYPE], target: { kind: "queue" } };
    const { json } = await withKey(answerer.key, "POST", "/subscriptions", { body: subscription });
    const messages = `/subscriptions/${json["subscription_id"]}/messages`;
    await withKey(asker.key, "POST", "/events", { body: EVENT });
    const event = await eventually(async () => {
      const taken = await withKey(answerer.key, "GET", `${messages}?wait=5`);
      const [message] = taken.json["messages"] as {
        event: { id: string; source: string; reply_to: { url: string; token: string } };
      }[];
      if (message === undefined) throw new Error("Nothing has come yet.");
      return message.event;
    });
    expect(event.source).toBe("agent:asker");
    const answer = { body: { response: { approved: true }, reply_token: event.reply_to.token } };
    expect((await withKey(asker.key, "POST", event.reply_to.url, answer)).status).toBe(403);
    expect((await withKey(answerer.key, "POST", event.reply_to.url, answer)).json["verdict"]).toBe("accepted");
    // Another's queue is not there.
    expect((await withKey(asker.key, "GET", messages)).status).toBe(404);
  });

  test("forgets a key at once: replaced, revoked, its agent shut out or deleted", async () => {
    const { key, key_id } = await administration.register("comes-and-goes");
    const status = async (one: string) => (await withKey(one, "GET", "/event-types")).status;
    const { key: second } = await administration.rotateKey("comes-and-goes");
    expect([await status(key), await status(second)]).toEqual([200, 200]);
    await administration.revokeKey("comes-and-goes", key_id);
    expect([await status(key), await status(second)]).toEqual([401, 200]);
    await administration.change("comes-and-goes", { disabled: true });
    expect(await status(second)).toBe(401);
    await administration.change("comes-and-goes", { disabled: false });
    expect(await status(second)).toBe(200);
    const subscription = { name: "q", event_types: [TYPE], target: { kind: "queue" } };
    expect((await withKey(second, "POST", "/subscriptions", { body: subscription })).status).toBe(201);
    await administration.delete("comes-and-goes");
    expect(await status(second)).toBe(401);
    const names: string[] = [];
    for await (const { name } of administration.agents()) names.push(name);
    expect(names).toEqual(expect.arrayContaining(["answerer", "asker"]));
    expect(names).not.toContain("comes-and-goes");
  });

  test("takes no key for administration", async () => {
    const { key } = await administration.register("would-be", { administer: true });
    const refused = await fetch(`${url}/agents`, { headers: { authorization: `Bearer ${key}` } });
    // By the platform itself: this function has no URL but the one for signed calls.
    expect(refused.status).toBe(403);
    expect(await refused.json()).not.toHaveProperty("code");
  });
});
