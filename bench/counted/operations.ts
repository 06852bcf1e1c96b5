/** Operations of the bus, each carried out and counted: everything that it asks of AWS from the call to what is done after it. */
import { type Agent, openAgent } from "../../shared/agents/agent.ts";
import { type CallOptions, COUNTED_TYPE, type CountedBus } from "./bus.ts";
import type { Counts } from "./tally.ts";

/** `data` whose JSON has so many bytes. @throws Error when that is too few for any */
export function dataOf(bytes: number): { text: string } {
  const around = JSON.stringify({ text: "" }).length;
  if (bytes < around) throw new Error(`data has ${around} bytes at least.`);
  return { text: "x".repeat(bytes - around) };
}

/** What it takes to do something. */
export async function counted({ services: { tally } }: CountedBus, work: () => Promise<unknown>): Promise<Counts> {
  tally.take();
  await work();
  return tally.take();
}

export interface Sent {
  readonly dataBytes: number;
  readonly agentType?: string;
  readonly correlationId?: string;
  readonly agent?: Agent;
}

const callOf = (sent: Sent, body: object): CallOptions => ({
  body,
  ...(sent.agent === undefined ? {} : { agent: sent.agent }),
});

const bodyOf = ({ dataBytes, agentType, correlationId }: Sent): Record<string, unknown> => ({
  type: COUNTED_TYPE,
  data: dataOf(dataBytes),
  ...(agentType === undefined ? {} : { agent_type: agentType }),
  ...(correlationId === undefined ? {} : { correlation_id: correlationId }),
});

export const emitOne = (bus: CountedBus, sent: Sent): Promise<unknown> =>
  bus.call("POST", "/events", callOf(sent, bodyOf(sent)));

export async function emitMany(bus: CountedBus, sent: Sent, count: number): Promise<void> {
  const events = Array.from({ length: count }, () => bodyOf(sent));
  const { rejected } = await bus.call("POST", "/events", callOf(sent, { events }));
  if (rejected !== 0) throw new Error(`${rejected} events of ${count} were refused.`);
}

export interface Asked extends Sent {
  readonly timeoutSeconds: number;
  /** When the answer comes, in milliseconds; null: never. */
  readonly answeredAfterMs: number | null;
}

/** Asks, waits for the answer, and is told it; somebody answers meanwhile, and that is counted too. */
export async function askAndAnswer(bus: CountedBus, asked: Asked): Promise<void> {
  if (asked.answeredAfterMs !== null) bus.time.in(asked.answeredAfterMs, () => answerLast(bus, asked));
  const { status } = await ask(bus, asked);
  const wanted = asked.answeredAfterMs === null ? "timed_out" : "answered";
  if (status !== wanted) throw new Error(`The request is ${status}, not ${wanted}.`);
}

/** Asks and waits; without an answer until the call may be held no longer, or the time is up. */
export const ask = (bus: CountedBus, asked: Omit<Asked, "answeredAfterMs">): Promise<Record<string, unknown>> =>
  bus.call(
    "POST",
    "/requests",
    callOf(asked, { ...bodyOf(asked), timeout: asked.timeoutSeconds, require_subscribers: false }),
  );

/** Answers what was published last. */
export async function answerLast({ services, call }: CountedBus, sent: Sent): Promise<void> {
  const event = services.published.at(-1);
  if (event === undefined) throw new Error("Nothing was published.");
  const body = { response: dataOf(sent.dataBytes), reply_token: event.reply_to.token };
  await call("POST", `/events/${event.id}/responses`, callOf(sent, body));
}

/** Of an event with little data. */
const SMALL: Sent = { dataBytes: 200 };
/** Its data has an item of its own. */
const LARGE: Sent = { dataBytes: 20_000 };
const PAGE = 50;

/**
 * What the operations of the bus take, by what they do; on a bus of their own, without subscribers, that counts all events of
 * a conversation. Each is called by an agent of its own, that has nothing to pay for yet.
 */
export async function countOperations(bus: CountedBus): Promise<Readonly<Record<string, Counts>>> {
  const operations: Record<string, Counts> = {};
  const count = async (what: string, work: (agent: Agent) => Promise<unknown>): Promise<void> => {
    operations[what] = await counted(bus, () => work(openAgent(what)));
  };
  // Who subscribes is read once.
  await askAndAnswer(bus, { ...SMALL, timeoutSeconds: 50, answeredAfterMs: 50 });

  await count("emit, 200 bytes", (agent) => emitOne(bus, { ...SMALL, agent }));
  await count("emit, 20 KB", (agent) => emitOne(bus, { ...LARGE, agent }));
  await count("emit into a conversation", (agent) => emitOne(bus, { ...SMALL, agent, correlationId: "counted" }));
  await count("emit 100 in a batch", (agent) => emitMany(bus, { ...SMALL, agent }, 100));
  for (const answeredAfterMs of [50, 500, 2_000, 20_000])
    await count(`ask, and be answered after ${answeredAfterMs} ms`, (agent) =>
      askAndAnswer(bus, { ...SMALL, agent, timeoutSeconds: 50, answeredAfterMs }),
    );
  await count("ask, and be told after 20 s that nobody has answered", (agent) =>
    askAndAnswer(bus, { ...SMALL, agent, timeoutSeconds: 20, answeredAfterMs: null }),
  );
  // Held for as long as it may be; then nobody reads meanwhile.
  await ask(bus, { ...SMALL, timeoutSeconds: 3_600 });
  await count("answer a question", (agent) => answerLast(bus, { ...SMALL, agent }));
  const event = bus.services.published.at(-1)?.id;
  await count("look an event up", (agent) => bus.call("GET", `/events/${event}`, { agent }));
  // The key that cursors are signed with is made once.
  await bus.call("GET", "/events?limit=1");
  await count(`a page of ${PAGE} events of a type`, (agent) =>
    bus.call("GET", `/events?type=${COUNTED_TYPE}&limit=${PAGE}`, { agent }),
  );
  await count(`a page of ${PAGE} events of all`, (agent) => bus.call("GET", `/events?limit=${PAGE}`, { agent }));
  return operations;
}
