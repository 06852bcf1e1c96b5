/** The process that answers: over the bus's live stream, over NATS, over Redis. */
import { connect } from "nats";
import { createClient } from "redis";
import { AgentEventBus } from "../../client/agent-event-bus.ts";
import { replyTo } from "./message.ts";
import type { Places } from "./places.ts";

const places = JSON.parse(process.argv[2] ?? "{}") as Places;

await answerOnBus(places.busUrl);
if (places.natsPort !== null) await answerOnNats(places.natsPort);
if (places.redisPort !== null) await answerOnRedis(places.redisPort);
process.send?.("ready");
process.once("disconnect", () => process.exit(0));

async function answerOnBus(url: string): Promise<void> {
  const bus = new AgentEventBus<{ BENCH_LIVE: object }>({ url });
  await bus.subscribe("BENCH_LIVE", (event) => replyTo(event.data), { concurrency: 64 });
}

async function answerOnNats(port: number): Promise<void> {
  const nats = await connect({ servers: `127.0.0.1:${port}` });
  nats.subscribe("bench.ask", {
    callback: (_error, message) => void message.respond(JSON.stringify(replyTo(message.json()))),
  });
  await nats.flush();
}

/** Redis has channels only: each question names the one on which its answer is expected. */
async function answerOnRedis(port: number): Promise<void> {
  const publisher = await createClient({ socket: { host: "127.0.0.1", port } }).connect();
  const subscriber = await publisher.duplicate().connect();
  await subscriber.subscribe("bench.ask", (text) => {
    const { id, replyOn, question } = JSON.parse(text) as { id: number; replyOn: string; question: unknown };
    void publisher.publish(replyOn, JSON.stringify({ id, answer: replyTo(question) }));
  });
}
