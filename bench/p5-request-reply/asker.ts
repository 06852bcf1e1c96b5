/** The process that asks: a round of questions at a time, as it is told. */
import { performance } from "node:perf_hooks";
import { connect } from "nats";
import { createClient } from "redis";
import { AgentEventBus } from "../../client/agent-event-bus.ts";
import { openStore } from "../../local/store.ts";
import { TABLE_NAME } from "../../local/table.ts";
import { QUESTION } from "./message.ts";
import type { Places, Round, Subject, Took } from "./places.ts";

/** Asks once; resolves when the answer is there. */
type Ask = () => Promise<void>;

const WAIT_SECONDS = 30;

const places = JSON.parse(process.argv[2] ?? "{}") as Places;
const asks: Partial<Record<Subject, Ask>> = {
  ...askBus(places.busUrl),
  put: await putInto(places.storeDir),
  ...(places.natsPort === null ? {} : { nats: await askNats(places.natsPort) }),
  ...(places.redisPort === null ? {} : { redis: await askRedis(places.redisPort) }),
};

process.on("message", async (round: Round) => {
  const ask = asks[round.subject];
  process.send?.(ask === undefined ? { error: `${round.subject} is not there` } : await carryOut(ask, round));
});
process.once("disconnect", () => process.exit(0));
process.send?.("ready");

async function carryOut(ask: Ask, { questions, atOnce }: Round): Promise<Took | { error: string }> {
  const latenciesMs: number[] = [];
  let left = questions;
  const one = async (): Promise<void> => {
    while (left-- > 0) {
      const begun = performance.now();
      await ask();
      latenciesMs.push(performance.now() - begun);
    }
  };
  const begun = performance.now();
  try {
    await Promise.all(Array.from({ length: atOnce }, one));
  } catch (error) {
    return { error: String(error) };
  }
  return { latenciesMs, elapsedMs: performance.now() - begun };
}

/** With the client that agents use, on the fetch of Node. */
function askBus(url: string): Record<"live" | "direct" | "health", Ask> {
  const bus = new AgentEventBus<{ BENCH_LIVE: object; BENCH_DIRECT: object }>({ url });
  const ask = async (type: "BENCH_LIVE" | "BENCH_DIRECT"): Promise<void> => {
    const { status } = await bus.emitAndWait(type, QUESTION, { timeout: WAIT_SECONDS });
    if (status !== "answered") throw new Error(`a question of type ${type} was ${status}`);
  };
  return {
    live: () => ask("BENCH_LIVE"),
    direct: () => ask("BENCH_DIRECT"),
    async health() {
      await (await fetch(`${url}/health`)).text();
    },
  };
}

/** A single write of what the embedded run keeps its history in, in the asking process itself. */
async function putInto(dataDir: string): Promise<Ask> {
  const store = await openStore(dataDir);
  let last = 0;
  return async () => {
    const Item = { pk: { S: `BENCH#${++last}` }, sk: { S: "META" }, data: { S: JSON.stringify(QUESTION) } };
    await store.calls.putItem({ TableName: TABLE_NAME, Item });
  };
}

async function askNats(port: number): Promise<Ask> {
  const nats = await connect({ servers: `127.0.0.1:${port}` });
  return async () => {
    const answer = await nats.request("bench.ask", JSON.stringify(QUESTION), { timeout: WAIT_SECONDS * 1_000 });
    answer.json();
  };
}

async function askRedis(port: number): Promise<Ask> {
  const publisher = await createClient({ socket: { host: "127.0.0.1", port } }).connect();
  const subscriber = await publisher.duplicate().connect();
  const replyOn = `bench.reply.${process.pid}`;
  const waiting = new Map<number, () => void>();
  await subscriber.subscribe(replyOn, (text) => {
    const { id } = JSON.parse(text) as { id: number };
    waiting.get(id)?.();
    waiting.delete(id);
  });
  let last = 0;
  return async () => {
    const id = ++last;
    const answered = new Promise<void>((resolve) => waiting.set(id, resolve));
    await publisher.publish("bench.ask", JSON.stringify({ id, replyOn, question: QUESTION }));
    await answered;
  };
}
