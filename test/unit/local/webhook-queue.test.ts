import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { LocalWebhookQueue } from "../../../local/webhook-queue.ts";
import type { WebhookTask } from "../../../shared/ports.ts";
import type { TaskOutcome } from "../../../shared/webhooks/deliver.ts";
import { silentLogger } from "../../support/silent-logger.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const DONE: TaskOutcome = { kind: "done" };
const task = (subscriptionId: string, eventId: string | number): WebhookTask => ({
  owner: "me",
  subscriptionId,
  eventId: String(eventId),
});
const tasks = (subscriptionId: string, count: number) =>
  Array.from({ length: count }, (_, i) => task(subscriptionId, i));
const passTime = (ms: number) => vi.advanceTimersByTimeAsync(ms);

function queueWith(deliver: (task: WebhookTask) => Promise<TaskOutcome>) {
  const made: string[] = [];
  const queue = new LocalWebhookQueue({
    log: silentLogger,
    deliver: (one) => {
      made.push(`${one.subscriptionId}/${one.eventId}`);
      return deliver(one);
    },
  });
  return { queue, made };
}

const after = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describe("webhooks in the embedded run", () => {
  test("that an earlier run left are called, also when the store cannot say at once which they are", async () => {
    const { queue, made } = queueWith(async () => DONE);
    let looks = 0;
    const resumed = queue.resume(async () => {
      if (++looks < 3) throw new Error("the store is not up yet");
      return [task("a", 1)];
    });
    await passTime(5_000);
    await resumed;
    expect(made).toEqual(["a/1"]);
  });

  test("are called at once, and again when it is time to", async () => {
    let calls = 0;
    const { queue, made } = queueWith(async () => (++calls === 1 ? { kind: "again", afterMs: 5_000 } : DONE));
    await queue.send([task("a", 1)]);
    await passTime(4_999);
    expect(made).toEqual(["a/1"]);
    await passTime(1);
    expect(made).toEqual(["a/1", "a/1"]);
    await passTime(60_000);
    expect(made).toHaveLength(2);
  });

  test("of a slow endpoint take four calls at a time, then one, and hold up nobody else", async () => {
    const { queue, made } = queueWith(async ({ subscriptionId }) => {
      if (subscriptionId === "slow") await after(15_000);
      return DONE;
    });
    await queue.send([...tasks("slow", 200), ...tasks("quick", 20)]);
    await passTime(0);
    expect(made.filter((one) => one.startsWith("slow"))).toHaveLength(4);
    expect(made.filter((one) => one.startsWith("quick"))).toHaveLength(20);
    await passTime(15_000);
    expect(made.filter((one) => one.startsWith("slow"))).toHaveLength(5);
    await passTime(15_000 * 200);
    expect(new Set(made).size).toBe(220);
  });

  test("take turns when all calls are taken", async () => {
    const { queue, made } = queueWith(async () => {
      await after(100);
      return DONE;
    });
    const many = Array.from({ length: 200 }, (_, i) => tasks(`s-${i}`, 5)).flat();
    await queue.send(many);
    expect(made).toHaveLength(500);
    expect(new Set(made.map((one) => one.split("/")[0])).size).toBe(200);
    await passTime(10_000);
    expect(new Set(made).size).toBe(1_000);
    expect(made).toHaveLength(1_000);
  });

  test("of hundreds of slow endpoints leave half of the calls to the others, once they are known to be slow", async () => {
    const { queue, made } = queueWith(async ({ subscriptionId }) => {
      if (subscriptionId.startsWith("slow")) await after(15_000);
      return DONE;
    });
    const slow = Array.from({ length: 400 }, (_, i) => tasks(`slow-${i}`, 10)).flat();
    await queue.send(slow);
    await passTime(15_000 * 4);
    await queue.send(tasks("quick", 20));
    await passTime(0);
    expect(made.filter((one) => one.startsWith("quick"))).toHaveLength(20);
  });

  test("are called once, however often they are sent for while they wait", async () => {
    const { queue, made } = queueWith(async () => {
      await after(100);
      return DONE;
    });
    await queue.send(tasks("a", 10));
    await queue.send(tasks("a", 10).slice(4));
    await passTime(10_000);
    expect(made).toHaveLength(10);
  });

  test("are not called twice at the same time when they are sent for while a call is under way", async () => {
    let underWay = 0;
    let most = 0;
    const { queue, made } = queueWith(async () => {
      most = Math.max(most, ++underWay);
      await after(1_000);
      underWay--;
      return DONE;
    });
    await queue.send([task("a", 1)]);
    await passTime(500);
    await queue.send([task("a", 1)]);
    await passTime(10_000);
    expect([made, most]).toEqual([["a/1", "a/1"], 1]);
  });

  test("come again when the bus itself failed", async () => {
    let calls = 0;
    const { queue, made } = queueWith(async () => {
      if (++calls < 3) throw new Error("the store is down");
      return DONE;
    });
    await queue.send([task("a", 1)]);
    await passTime(2_000);
    expect(made).toHaveLength(3);
  });

  test("are not begun any more at the end, which waits a while for those under way", async () => {
    const { queue, made } = queueWith(async () => {
      await after(300);
      return { kind: "again", afterMs: 10 };
    });
    await queue.send(tasks("a", 8));
    const closed = queue.close(1_000);
    await passTime(5_000);
    await closed;
    expect(made).toHaveLength(4);
  });
});
