/** What the model supposes of each operation, beside what the bus really asks of AWS. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { COUNTED_BUS, COUNTED_TYPE, type CountedBus, startCountedBus } from "../../../bench/counted/bus.ts";
import {
  answerLast,
  ask,
  askAndAnswer,
  counted,
  dataOf,
  emitMany,
  emitOne,
} from "../../../bench/counted/operations.ts";
import { callWebhooks, dispatchAll, pollAndAcknowledge, subscribeUpTo } from "../../../bench/counted/subscribers.ts";
import { type Counts, sumOf, times } from "../../../bench/counted/tally.ts";
import * as footprints from "../../../bench/model/footprints.ts";
import type { Shape, Subscriber } from "../../../bench/model/items.ts";
import { TOLD_TOGETHER } from "../../../bench/model/usage.ts";
import { readsUntilAnswer, readsWithin } from "../../../bench/model/wait-reads.ts";
import { type Agent, openAgent } from "../../../shared/agents/agent.ts";

/** As many events of a conversation as are all counted. */
const WEIGHT = 1;

let bus: CountedBus;

beforeAll(async () => {
  bus = await startCountedBus({ ...COUNTED_BUS, limits: { eventsPerConversation: 1_000 * WEIGHT } });
  // Who subscribes is read once.
  await askAndAnswer(bus, { dataBytes: 200, timeoutSeconds: 30, answeredAfterMs: 50 });
});
afterAll(() => bus.close());

/** Calls, units and entries of which there are some. */
function comparable({ calls, writeUnits, readUnits, entries }: Counts): object {
  const some = (numbers: object): object =>
    Object.fromEntries(Object.entries(numbers).filter(([, count]) => count !== 0));
  return { calls: some(calls), writeUnits: some(writeUnits), readUnits, entries: some(entries) };
}

/** An agent that has not called before has nothing to pay for yet. */
let agents = 0;
const freshAgent = (): Agent => openAgent(`agent-${String(++agents).padStart(3, "0")}`);

const shapeOf = (agent: Agent, dataBytes: number, more: Partial<Shape> = {}): Shape => ({
  type: COUNTED_TYPE,
  agent: agent.id,
  dataBytes,
  ...more,
});

describe("the model supposes the calls, the write units of each index and the read units that the bus really takes", () => {
  test.each([[200], [3_000], [4_500], [20_000]])("for an event with %i bytes of data", async (dataBytes) => {
    const agent = freshAgent();
    const real = await counted(bus, () => emitOne(bus, { agent, dataBytes }));
    expect(comparable(real)).toEqual(comparable(footprints.emit(shapeOf(agent, dataBytes), WEIGHT)));
  });

  test("for an event about an agent type, in a conversation that it joins", async () => {
    const agent = freshAgent();
    const sent = { agent, dataBytes: 200, agentType: "ORION", correlationId: "conversation-1" };
    await emitOne(bus, sent);
    const real = await counted(bus, () => emitOne(bus, sent));
    const shape = shapeOf(agent, 200, { agentType: sent.agentType, conversation: sent.correlationId });
    expect(comparable(real)).toEqual(comparable(footprints.emit(shape, WEIGHT)));
  });

  test("for a batch of 100 events, beside what its agent pays for it", async () => {
    const agent = freshAgent();
    const real = await counted(bus, () => emitMany(bus, { agent, dataBytes: 200 }, 100));
    const shape = shapeOf(agent, 200);
    const model = sumOf([footprints.emitBatch(shape, WEIGHT, 100), footprints.payment(agent.id, 100)]);
    expect(comparable(real)).toEqual(comparable(model));
  });

  test("for 21 events of an agent, of which one pays for all", async () => {
    const agent = freshAgent();
    const emitAll = async (): Promise<void> => {
      for (let i = 0; i < 21; i++) await emitOne(bus, { agent, dataBytes: 200 });
    };
    const real = await counted(bus, emitAll);
    const one = sumOf([footprints.emit(shapeOf(agent, 200), WEIGHT), footprints.payment(agent.id, 1)]);
    expect(comparable(real)).toEqual(comparable(times(21, one)));
  });

  test.each([[50], [500], [2_000], [20_000]])(
    "for a question that is answered after %i ms",
    async (answeredAfterMs) => {
      const agent = freshAgent();
      const asked = { agent, dataBytes: 200, timeoutSeconds: 30, answeredAfterMs };
      const real = await counted(bus, () => askAndAnswer(bus, asked));
      const shape = shapeOf(agent, 200);
      const { reads } = readsUntilAnswer(answeredAfterMs);
      const model = sumOf([
        footprints.ask(shape, WEIGHT, { reads, openWaits: 0, end: "answered" }),
        footprints.answer(shape),
      ]);
      expect(comparable(real)).toEqual(comparable(model));
    },
  );

  test("for as many questions as the bus learns from before it tells others what it has learned", async () => {
    const own = await startCountedBus(COUNTED_BUS, { learns: true });
    try {
      const real = await counted(own, async () => {
        for (let i = 0; i < TOLD_TOGETHER; i++)
          await askAndAnswer(own, { agent: freshAgent(), dataBytes: 200, timeoutSeconds: 30, answeredAfterMs: 500 });
      });
      const shape = shapeOf(freshAgent(), 200);
      // How often each reads goes by what was learned from those before it.
      const wait = { reads: 0, openWaits: 0, end: "answered" } as const;
      const one = sumOf([
        footprints.ask(shape, WEIGHT, wait),
        footprints.answer(shape),
        footprints.learning(shape, TOLD_TOGETHER),
      ]);
      const model = times(TOLD_TOGETHER, one);
      expect(real.writeUnits).toEqual(model.writeUnits);
      expect(real.calls["dynamodb UpdateItem"]).toBe(model.calls["dynamodb UpdateItem"]);
    } finally {
      await own.close();
    }
  });

  test("for a question that nobody answers in 5 s", async () => {
    const agent = freshAgent();
    const asked = { agent, dataBytes: 200, timeoutSeconds: 5, answeredAfterMs: null };
    const real = await counted(bus, () => askAndAnswer(bus, asked));
    const wait = { reads: readsWithin(5_000), openWaits: 0, end: "timed out" } as const;
    expect(comparable(real)).toEqual(comparable(footprints.ask(shapeOf(agent, 200), WEIGHT, wait)));
  });

  test.each([[200], [5_000]])("for an answer of %i bytes", async (dataBytes) => {
    const agent = freshAgent();
    // Held until it may be held no longer; then nobody reads meanwhile.
    await ask(bus, { agent, dataBytes, timeoutSeconds: 3_600 });
    const real = await counted(bus, () => answerLast(bus, { agent, dataBytes }));
    expect(comparable(real)).toEqual(comparable(footprints.answer(shapeOf(agent, dataBytes))));
  });

  test("for a question of an agent that has 60 open already, that is handed over at once and taken up again", async () => {
    const own = await startCountedBus({ ...COUNTED_BUS, limits: { holdSeconds: 0.001 } });
    try {
      const agent = freshAgent();
      const asked = { dataBytes: 200, timeoutSeconds: 86_400 };
      for (let i = 0; i < 60; i++) await ask(own, { ...asked, agent });
      const real = await counted(own, () => ask(own, { ...asked, agent }));
      const wait = { reads: 1, openWaits: 60, end: "handed over" } as const;
      expect(comparable(real)).toEqual(comparable(footprints.ask(shapeOf(agent, 200), WEIGHT, wait)));

      const { id } = own.services.published.at(-1) ?? {};
      const resumed = await counted(own, () => own.call("GET", `/requests/${id}`, { agent }));
      expect(comparable(resumed)).toEqual(comparable(footprints.resume(shapeOf(agent, 200))));
    } finally {
      await own.close();
    }
  });

  test("for pages of 50 events", async () => {
    const own = await startCountedBus();
    try {
      const agent = freshAgent();
      // By their keys the events lie in the shards as they always do.
      for (let batch = 0; batch < 3; batch++)
        await own.call("POST", "/events", {
          agent,
          headers: { "idempotency-key": `batch ${batch}` },
          body: { events: Array.from({ length: 100 }, () => ({ type: COUNTED_TYPE, data: dataOf(200) })) },
        });
      const read = (query: string): Promise<Record<string, unknown>> =>
        own.call("GET", `/events?limit=50${query}`, { agent: freshAgent() });
      // The key that cursors are signed with is made once.
      await read("");
      const first = await counted(own, () => read(""));
      const ofType = await counted(own, () => read(`&type=${COUNTED_TYPE}`));
      const model = comparable(footprints.page(shapeOf(agent, 200), 50));
      expect([comparable(first), comparable(ofType)]).toEqual([model, model]);
    } finally {
      await own.close();
    }
  });
});

describe.each([["queue"], ["webhook"]] as const)("the model supposes what is really asked for a %s", (kind) => {
  test.each([[1], [7], [25]])("of %i, from dispatch to the end", async (count) => {
    const own = await startCountedBus();
    try {
      const subscriptions = await subscribeUpTo(own, kind, [], count);
      const agent = freshAgent();
      const shape = shapeOf(agent, 200);
      const subscribers = subscriptions.map(({ owner, name }): Subscriber => ({ owner, name, kind }));
      await emitOne(own, { agent, dataBytes: 200 });
      await dispatchAll(own);
      if (kind === "queue") await pollAndAcknowledge(own, subscriptions);
      else await callWebhooks(own);

      await emitOne(own, { agent, dataBytes: 200 });
      const dispatched = await counted(own, () => dispatchAll(own));
      expect(comparable(dispatched)).toEqual(comparable(footprints.dispatch(shape, subscribers)));

      const real = await counted(own, () =>
        kind === "queue" ? pollAndAcknowledge(own, subscriptions) : callWebhooks(own),
      );
      const each = (subscriber: Subscriber): Counts =>
        kind === "queue"
          ? sumOf([footprints.poll(shape, subscriber, 1), footprints.acknowledge(shape, subscriber, 1)])
          : footprints.attempt(shape, subscriber);
      expect(comparable(real)).toEqual(comparable(sumOf(subscribers.map(each))));
    } finally {
      await own.close();
    }
  });
});

test("the model supposes what is really asked for a batch of five events, and for a poll that gives all", async () => {
  const own = await startCountedBus();
  try {
    const [subscription, ...others] = await subscribeUpTo(own, "queue", [], 1);
    if (subscription === undefined || others.length > 0) throw new Error("There is one subscription.");
    const agent = freshAgent();
    for (let i = 0; i < 5; i++) await emitOne(own, { agent, dataBytes: 200 });
    const dispatched = await counted(own, () => dispatchAll(own));
    const real = await counted(own, () => pollAndAcknowledge(own, [subscription]));
    const shape = shapeOf(agent, 200);
    const subscriber: Subscriber = { owner: subscription.owner, name: subscription.name, kind: "queue" };
    const batch = times(5, footprints.dispatch(shape, [subscriber], 1 / 5));
    // And who has subscribed since the last time.
    expect(dispatched.calls).toEqual({ ...batch.calls, "dynamodb Query": 1 });
    expect(dispatched.writeUnits).toEqual(batch.writeUnits);
    const model = sumOf([footprints.poll(shape, subscriber, 5), footprints.acknowledge(shape, subscriber, 5)]);
    expect(comparable(real)).toEqual(comparable(model));
  } finally {
    await own.close();
  }
});
