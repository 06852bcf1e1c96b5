import { describe, expect, it } from "vitest";
import { readAcknowledgement, readExtension, readPoll, readReturn } from "../../../shared/deliveries/message-input.ts";
import { acknowledge, giveBack, keepHidden } from "../../../shared/deliveries/message-receipts.ts";
import { unsubscribe } from "../../../shared/subscriptions/subscribe.ts";
import { busInMemory } from "../../support/bus-in-memory.ts";
import { codeOf, failureOf } from "../../support/failures.ts";
import { ack, minutesPass, OWNER, publish, queueInput, subscribed, take, takeOne } from "../../support/run-time-bus.ts";

async function withMessage(target: object = {}) {
  const bus = busInMemory();
  const id = await subscribed(bus, queueInput({ target: { kind: "queue", ...target } }));
  const eventId = await publish(bus);
  const { receipt } = await takeOne(bus, id);
  const nack = async (delayMs = 0, reason?: string, of = receipt) =>
    (await giveBack(bus.deps, id, OWNER, [of], { delayMs, reason }))[0]?.status;
  const extend = async (visibilityMs: number, of = receipt) =>
    (await keepHidden(bus.deps, id, OWNER, [of], visibilityMs))[0]?.status;
  const delivery = async () => (await bus.store.getDeliveries(eventId))[0];
  return { bus, id, eventId, receipt, nack, extend, delivery };
}

describe("acknowledging", () => {
  it("is the end of a message: it does not come again", async () => {
    const { bus, id, receipt, delivery } = await withMessage();
    expect(await ack(bus, id, receipt)).toBe("ok");
    await bus.clock.pause(60_000);
    expect(await take(bus, id)).toEqual([]);
    expect(await delivery()).toMatchObject({ state: "DELIVERED", endedAt: "2026-06-01T12:00:00.000Z" });
  });

  it("again, because the answer was lost, is as good as the first time", async () => {
    const { bus, id, receipt } = await withMessage();
    expect([await ack(bus, id, receipt), await ack(bus, id, receipt)]).toEqual(["ok", "ok"]);
  });

  it("twice at the same moment is as good as once", async () => {
    const { bus, id, receipt } = await withMessage();
    expect(await Promise.all([ack(bus, id, receipt), ack(bus, id, receipt)])).toEqual(["ok", "ok"]);
  });

  it("while it is being extended is the end all the same: it does not come again", async () => {
    const { bus, id, receipt, extend } = await withMessage();
    const [acknowledged] = await Promise.all([ack(bus, id, receipt), extend(60_000)]);
    expect(acknowledged).toBe("ok");
    await bus.clock.pause(3_600_000);
    expect(await take(bus, id)).toEqual([]);
  });

  it("is in time as long as nobody has taken the message since", async () => {
    const { bus, id, receipt } = await withMessage();
    await bus.clock.pause(3_600_000);
    expect(await ack(bus, id, receipt)).toBe("ok");
  });

  it("is too late once the message was taken again: that receipt counts, the old one is expired [deliver-5]", async () => {
    const { bus, id, receipt } = await withMessage();
    await bus.clock.pause(30_000);
    const again = await takeOne(bus, id);
    expect(await ack(bus, id, receipt)).toBe("expired");
    expect(await ack(bus, id, again.receipt)).toBe("ok");
  });

  it("is too late once the message is dead", async () => {
    const { bus, id, receipt } = await withMessage({ max_attempts: 1 });
    await minutesPass(bus, 1);
    expect(await ack(bus, id, receipt)).toBe("expired");
  });

  it("says of each receipt what became of it, in order", async () => {
    const { bus, id, receipt } = await withMessage();
    await publish(bus);
    const second = await takeOne(bus, id);
    const receipts = ["unknown.receipt", second.receipt, receipt, second.receipt];
    const results = await acknowledge(bus.deps, id, OWNER, receipts);
    expect(results.map(({ status }) => status)).toEqual(["expired", "ok", "ok", "ok"]);
    expect(results.map((result) => result.receipt)).toEqual(receipts);
  });

  it("of another queue's message is expired, and of another agent's queue there is none", async () => {
    const { bus, id, receipt } = await withMessage();
    const other = await subscribed(bus, queueInput({ name: "other" }));
    expect(await ack(bus, other, receipt)).toBe("expired");
    expect(await codeOf(acknowledge(bus.deps, id, "other", [receipt]))).toBe("not_found");
    await unsubscribe(bus.deps, id, OWNER);
    expect(await codeOf(ack(bus, id, receipt))).toBe("not_found");
  });

  it("and giving back at the same moment does one of the two", async () => {
    const { bus, id, receipt, nack } = await withMessage();
    const outcomes = await Promise.all([ack(bus, id, receipt), nack()]);
    expect(outcomes.sort()).toEqual(["expired", "ok"]);
  });
});

describe("giving back", () => {
  it("makes a message come again at once, and the receipt expire", async () => {
    const { bus, id, receipt, nack } = await withMessage();
    expect(await nack()).toBe("ok");
    expect(await takeOne(bus, id)).toMatchObject({ attempt: 2 });
    expect(await ack(bus, id, receipt)).toBe("expired");
  });

  it("makes it come again after a delay, and keeps the reason", async () => {
    const { bus, id, nack, delivery } = await withMessage();
    await nack(90_000, "the database is down");
    expect((await delivery())?.log).toEqual([
      { at: "2026-06-01T12:00:00.000Z", outcome: "given back: the database is down" },
    ]);
    await bus.clock.pause(89_999);
    expect(await take(bus, id)).toEqual([]);
    await bus.clock.pause(1);
    await takeOne(bus, id);
    expect((await delivery())?.log).toHaveLength(1);
  });

  it("at the last receive makes it dead at once, with the reason", async () => {
    const { bus, id, nack, delivery } = await withMessage({ max_attempts: 1 });
    expect(await nack(0, "poison")).toBe("ok");
    expect(await delivery()).toMatchObject({
      state: "DEAD",
      reason: "given back: poison, at receive 1, the last",
      log: [{ outcome: "given back: poison" }],
    });
    expect(await nack(0, "poison")).toBe("expired");
    expect(await take(bus, id)).toEqual([]);
  });

  it("of what is done is expired, and changes nothing", async () => {
    const { bus, id, receipt, nack, delivery } = await withMessage();
    await ack(bus, id, receipt);
    expect(await nack()).toBe("expired");
    expect(await delivery()).toMatchObject({ state: "DELIVERED" });
  });
});

describe("extending", () => {
  it("keeps a message hidden for so long from now, and its receipt good", async () => {
    const { bus, id, receipt, extend } = await withMessage();
    await bus.clock.pause(20_000);
    expect(await extend(60_000)).toBe("ok");
    await bus.clock.pause(59_000);
    expect(await take(bus, id)).toEqual([]);
    expect(await extend(60_000)).toBe("ok");
    await bus.clock.pause(59_000);
    expect(await ack(bus, id, receipt)).toBe("ok");
  });

  it("can also shorten: what is to be free at once is", async () => {
    const { bus, id, extend } = await withMessage();
    await extend(1_000);
    await bus.clock.pause(1_000);
    expect(await take(bus, id)).toHaveLength(1);
  });

  it("of the last receive keeps it from being dead for so long", async () => {
    const { bus, extend, delivery } = await withMessage({ max_attempts: 1 });
    await extend(300_000);
    await minutesPass(bus, 4);
    expect(await delivery()).toMatchObject({ state: "PENDING" });
    await minutesPass(bus, 2);
    expect(await delivery()).toMatchObject({ state: "DEAD" });
  });

  it("is too late once the message was taken again, or is done", async () => {
    const { bus, id, extend, receipt } = await withMessage();
    await bus.clock.pause(30_000);
    const again = await takeOne(bus, id);
    expect(await extend(60_000)).toBe("expired");
    await ack(bus, id, again.receipt);
    expect(await extend(60_000, again.receipt)).toBe("expired");
    expect(receipt).not.toBe(again.receipt);
  });
});

describe("what is sent to a queue", () => {
  it.each([
    ["wait", { wait: "21" }, "/wait"],
    ["wait", { wait: "-1" }, "/wait"],
    ["wait", { wait: "soon" }, "/wait"],
    ["max", { max: "0" }, "/max"],
    ["max", { max: "11" }, "/max"],
    ["visibility", { visibility: "0" }, "/visibility"],
    ["visibility", { visibility: "43201" }, "/visibility"],
    ["a field that nobody knows", { limit: "5" }, "/limit"],
  ])("by a poll with a wrong %s is told so at that field", async (_, query, pointer) => {
    const failure = await failureOf((async () => readPoll(query as unknown as Record<string, string>))());
    expect([...new Set(failure.errors.map((error) => error.pointer))]).toEqual([pointer]);
  });

  it("by a poll has the defaults of the contract, and takes fractions of a second for the wait", () => {
    expect(readPoll({})).toEqual({ waitMs: 0, max: 10, visibilitySeconds: undefined });
    expect(readPoll({ wait: "2.5", max: "1", visibility: "43200" })).toEqual({
      waitMs: 2_500,
      max: 1,
      visibilitySeconds: 43_200,
    });
  });

  it.each([
    ["no receipts", readAcknowledgement, {}, "/receipts"],
    ["an empty list of receipts", readAcknowledgement, { receipts: [] }, "/receipts"],
    ["101 receipts", readAcknowledgement, { receipts: Array(101).fill("a.b") }, "/receipts"],
    ["what is no receipt", readAcknowledgement, { receipts: ["a.b", "nonsense"] }, "/receipts/1"],
    ["a number for a receipt", readAcknowledgement, { receipts: [1] }, "/receipts/0"],
    ["a list", readAcknowledgement, [], ""],
    ["a negative delay", readReturn, { receipts: ["a.b"], delay: -1 }, "/delay"],
    ["a delay of over 12 h", readReturn, { receipts: ["a.b"], delay: 43_201 }, "/delay"],
    ["a reason of 501 characters", readReturn, { receipts: ["a.b"], reason: "x".repeat(501) }, "/reason"],
    ["no visibility to extend to", readExtension, { receipts: ["a.b"] }, "/visibility"],
    ["half a second to extend to", readExtension, { receipts: ["a.b"], visibility: 0.5 }, "/visibility"],
    ["over 12 h to extend to", readExtension, { receipts: ["a.b"], visibility: 43_201 }, "/visibility"],
  ])("with %s is told so at that field", async (_, read, body, pointer) => {
    const failure = await failureOf((async () => read(body))());
    expect(failure.code).toBe("invalid_request");
    expect([...new Set(failure.errors.map((error) => error.pointer))]).toEqual([pointer]);
  });

  it("when it gives back has no delay and no reason unless it says so", () => {
    expect(readReturn({ receipts: ["a.b"] })).toEqual({ receipts: ["a.b"], delayMs: 0, reason: undefined });
    expect(readReturn({ receipts: ["a.b"], delay: 5, reason: "busy" })).toMatchObject({
      delayMs: 5_000,
      reason: "busy",
    });
    expect(readExtension({ receipts: ["a.b"], visibility: 60 })).toMatchObject({ visibilityMs: 60_000 });
  });
});
