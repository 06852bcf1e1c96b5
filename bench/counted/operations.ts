/** Operations of the bus, each carried out and counted: everything that it asks of AWS from the call to what is done after it. */
import type { Agent } from "../../shared/agents/agent.ts";
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

/** What the operations of the bus take, by what they do; on a bus of their own, without subscribers. */
export async function countOperations(bus: CountedBus): Promise<Readonly<Record<string, Counts>>> {
  const conversation = "counted-conversation";
  const count = (work: () => Promise<unknown>): Promise<Counts> => counted(bus, work);
  const operations: Record<string, Counts> = {
    "emit, 200 bytes": await count(() => emitOne(bus, SMALL)),
    "emit, 20 KB": await count(() => emitOne(bus, LARGE)),
    "emit into a conversation": await count(() => emitOne(bus, { ...SMALL, correlationId: conversation })),
    "emit 100 in a batch": await count(() => emitMany(bus, SMALL, 100)),
  };
  for (const answeredAfterMs of [50, 500, 2_000, 20_000])
    operations[`ask, answered after ${answeredAfterMs} ms`] = await count(() =>
      askAndAnswer(bus, { ...SMALL, timeoutSeconds: 50, answeredAfterMs }),
    );
  operations["ask, timed out after 20 s"] = await count(() =>
    askAndAnswer(bus, { ...SMALL, timeoutSeconds: 20, answeredAfterMs: null }),
  );
  // Held for as long as it may be; then nobody reads meanwhile.
  await ask(bus, { ...SMALL, timeoutSeconds: 3_600 });
  operations["answer a question"] = await count(() => answerLast(bus, SMALL));
  const event = bus.services.published.at(-1)?.id;
  operations["look an event up"] = await count(() => bus.call("GET", `/events/${event}`));
  // The key that cursors are signed with is made once.
  await bus.call("GET", "/events?limit=1");
  operations[`a page of ${PAGE} events of a type`] = await count(() =>
    bus.call("GET", `/events?type=${COUNTED_TYPE}&limit=${PAGE}`),
  );
  operations[`a page of ${PAGE} events of all`] = await count(() => bus.call("GET", `/events?limit=${PAGE}`));
  return operations;
}
