import { cpSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { call, cleanUp, startDev, temporaryFolder } from "../support/embedded.ts";

afterEach(cleanUp);

const TYPE = "MESSAGE_PROCESSED";

interface Messages {
  readonly messages: readonly { readonly event: { readonly id: string }; readonly receipt: string }[];
}

describe("a copy of the data folder", () => {
  test("is a backup: a run on it goes on from where the copy was made, whatever the first has done since", async () => {
    const first = await startDev();
    const queueInput = { name: "reader", event_types: [TYPE], target: { kind: "queue" } };
    const made = await call(`${first.url}/subscriptions`, queueInput);
    const messagesOf = (url: string) => `${url}/subscriptions/${made.body["subscription_id"]}/messages?wait=5`;
    const keyed = { headers: { "idempotency-key": "before the backup" } };
    const event = { type: TYPE, data: { n: 1 } };
    const emitted = await call(`${first.url}/events`, event, keyed);
    const asked = await call(`${first.url}/requests`, {
      type: TYPE,
      data: {},
      timeout: 0.05,
      require_subscribers: false,
    });
    expect(await first.stop()).toBe(0);
    const backup = join(temporaryFolder(), "backup");
    cpSync(first.dataDir, backup, { recursive: true });

    const second = await startDev({ dataDir: first.dataDir });
    const taken = await call<Messages>(messagesOf(second.url));
    const receipts = taken.body.messages.map(({ receipt }) => receipt);
    await call(`${second.url}/subscriptions/${made.body["subscription_id"]}/ack`, { receipts });
    const later = await call(`${second.url}/events`, { type: TYPE, data: { n: 2 } });
    await second.kill();

    const restored = await startDev({ dataDir: backup });
    expect((await call(`${restored.url}/events/${later.body["event_id"]}`)).status).toBe(404);
    expect((await call(`${restored.url}/requests/${asked.body["event_id"]}`)).body).toMatchObject({
      status: "timed_out",
    });
    const again = await call<Messages>(messagesOf(restored.url));
    expect(again.body.messages.map(({ event: { id } }) => id)).toContain(emitted.body["event_id"]);
    const repeated = await call(`${restored.url}/events`, event, keyed);
    expect(repeated.body).toMatchObject({ event_id: emitted.body["event_id"], replayed: true });
  });
});
