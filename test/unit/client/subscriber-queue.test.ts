import { describe, expect, it } from "vitest";
import { AgentEventBusError, RejectedError } from "../../../client/errors.ts";
import { direct, inMs, message, queued, setUp } from "./called-subscriber.ts";
import { delivered, later } from "./played-bus.ts";

const nobody = (retryable: boolean) =>
  new AgentEventBusError("no_subscribers", "nobody listens", { status: 424, retryable });
const comesAgain = { batchItemFailures: [{ itemIdentifier: "m-e-1" }] };
const isDone = { batchItemFailures: [] };

describe("subscriber() called by a queue, against a server that plays the bus", () => {
  it("reports exactly what failed, and works on a batch at once", async () => {
    const gate = later();
    let running = 0;
    const { handler, answers } = await setUp(async (event) => {
      if (++running === 3) gate.resolve();
      await gate.promise;
      if (event.id === "e-2") throw new Error("not now");
      return { id: event.id };
    });
    const result = await handler(
      queued(message(delivered("e-1")), message(delivered("e-2")), message(delivered("e-3"))),
    );
    expect(result).toEqual({ batchItemFailures: [{ itemIdentifier: "m-e-2" }] });
    expect(
      answers()
        .map((one) => one.path)
        .sort(),
    ).toEqual(["/events/e-1/responses", "/events/e-3/responses"]);
  });

  it("says nothing of an error before the last receive, and tells it as rejected with the last", async () => {
    const { handler, answers } = await setUp(
      () => {
        throw new Error("broken");
      },
      { maxReceives: 3 },
    );
    const failures = { batchItemFailures: [{ itemIdentifier: "m-e-1" }] };
    expect(await handler(queued(message(delivered("e-1"), 1)))).toEqual(failures);
    expect(await handler(queued(message(delivered("e-1"), 2)))).toEqual(failures);
    expect(answers()).toEqual([]);
    expect(await handler(queued(message(delivered("e-1"), 3)))).toEqual(failures);
    expect(answers()).toMatchObject([
      { status: "rejected", response: { error: { name: "Error", message: "broken" } } },
    ]);
  });

  it("is done with a RejectedError at the first receive", async () => {
    const { handler, answers } = await setUp(() => Promise.reject(new RejectedError("not mine")), { maxReceives: 3 });
    expect(await handler(queued(message(delivered("e-1"))))).toEqual({ batchItemFailures: [] });
    expect(answers()).toMatchObject([{ status: "rejected" }]);
  });

  it("tells who waits at once what the bus refused the callback for good, and is done with it", async () => {
    const { handler, answers, lines } = await setUp(() => Promise.reject(nobody(false)));
    expect(await handler(queued(message(delivered("e-1", { deadline: inMs(60_000) }))))).toEqual(isDone);
    expect(answers()).toMatchObject([
      { status: "rejected", response: { error: { name: "AgentEventBusError", message: "nobody listens" } } },
    ]);
    expect(lines).toMatchObject([{ level: "error", message: "the callback failed" }]);
  });

  it("lets it come again where the bus may still take it, where nobody waits, and where it may not answer", async () => {
    const deadline = inMs(60_000);
    const busy = await setUp(() => Promise.reject(nobody(true)));
    expect(await busy.handler(queued(message(delivered("e-1", { deadline }))))).toEqual(comesAgain);
    const refused = await setUp(() => Promise.reject(nobody(false)));
    expect(await refused.handler(queued(message(delivered("e-1"))))).toEqual(comesAgain);
    const observer = await setUp(() => Promise.reject(nobody(false)), { answers: false });
    expect(await observer.handler(queued(message(delivered("e-1", { deadline }))))).toEqual(comesAgain);
    expect([...busy.answers(), ...refused.answers(), ...observer.answers()]).toEqual([]);
  });

  it("tells an error at once when the message cannot come again before the deadline, and only then", async () => {
    const { handler, answers } = await setUp(() => Promise.reject(new Error("broken")), { retrySeconds: 360 });
    expect(await handler(queued(message(delivered("e-1", { deadline: inMs(600_000) }))))).toEqual(comesAgain);
    expect(await handler(queued(message(delivered("e-1"))))).toEqual(comesAgain);
    expect(answers()).toEqual([]);
    expect(await handler(queued(message(delivered("e-1", { deadline: inMs(300_000) }))))).toEqual(isDone);
    expect(answers()).toMatchObject([{ status: "rejected", response: { error: { message: "broken" } } }]);
  });

  it("does not guess when a message comes again", async () => {
    const { handler, answers } = await setUp(() => Promise.reject(new Error("broken")));
    expect(await handler(queued(message(delivered("e-1", { deadline: inMs(5_000) }))))).toEqual(comesAgain);
    expect(answers()).toEqual([]);
  });

  it("tells who waits that the bus refused the answer", async () => {
    const { handler, answers } = await setUp(
      () => ({ much: "text" }),
      {},
      (call) => (call.body.status === "ok" ? [413, { code: "payload_too_large" }] : undefined),
    );
    expect(await handler(queued(message(delivered("e-1", { deadline: inMs(60_000) }))))).toEqual(isDone);
    expect(answers().map(({ status }) => status)).toEqual(["ok", "rejected"]);
  });

  it("reports a message whose answer could not be sent", async () => {
    const { handler } = await setUp(
      () => ({}),
      {},
      (call) => (call.path.includes("e-2") ? [503, { code: "unavailable" }] : undefined),
    );
    expect(await handler(queued(message(delivered("e-1")), message(delivered("e-2"))))).toEqual({
      batchItemFailures: [{ itemIdentifier: "m-e-2" }],
    });
  });

  it("drops what is past its deadline as done", async () => {
    const { handler } = await setUp(() => ({}));
    expect(await handler(queued(message(delivered("e-1", { deadline: inMs(-1000) }))))).toEqual({
      batchItemFailures: [],
    });
  });

  it("reports messages that cannot be read, with one line each and none of their contents, and handles the others", async () => {
    const { handler, lines, answers } = await setUp(() => ({}));
    const result = await handler(
      queued(
        { id: "m-1", body: "secret{" },
        { id: "m-2", body: '{"detail":{"id":7,"note":"secret"}}' },
        { id: "m-3", body: "null" },
        message(delivered("e-1")),
      ),
    );
    expect(result).toEqual({
      batchItemFailures: [{ itemIdentifier: "m-1" }, { itemIdentifier: "m-2" }, { itemIdentifier: "m-3" }],
    });
    expect(lines.map((line) => line.fields.message_id)).toEqual(["m-1", "m-2", "m-3"]);
    expect(JSON.stringify(lines)).not.toContain("secret");
    expect(answers()).toHaveLength(1);
  });

  it("gives the callback which attempt it is", async () => {
    const attempts: number[] = [];
    const { handler } = await setUp((_, context) => void attempts.push(context.attempt));
    await handler(queued(message(delivered("e-1"), 4)));
    await handler(direct(delivered("e-1")));
    expect(attempts).toEqual([4, 1]);
  });

  it("fails a callback that outlives the function alone, before the function's time is up", async () => {
    const { handler, lines } = await setUp(
      (event) => (event.id === "e-1" ? new Promise(() => undefined) : { ok: true }),
      { maxReceives: 5 },
    );
    const result = await handler(queued(message(delivered("e-1")), message(delivered("e-2"))), {
      getRemainingTimeInMillis: () => 1_050,
    });
    expect(result).toEqual({ batchItemFailures: [{ itemIdentifier: "m-e-1" }] });
    expect(lines).toMatchObject([
      { level: "error", fields: { event_id: "e-1", error: expect.stringContaining("time is up") } },
    ]);
  });
});
