/** The processes that are measured against each other, started and ended together. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Omission } from "../contract.ts";
import { startEmbeddedRun } from "../measure/embedded-run.ts";
import { freePort, type StartedProcess, startUntilPort } from "../measure/started-process.ts";
import { findProgram, type WantedProgram } from "../measure/system-package.ts";
import type { Places, Round, Took } from "./places.ts";

const NATS: WantedProgram = { name: "nats-server", packages: ["nats-server"] };
const REDIS: WantedProgram = { name: "redis-server", packages: ["redis-server", "redis-tools"] };

export interface Peers {
  readonly places: Places;
  readonly omissions: readonly Omission[];
  /** Has the asking process carry out a round. @throws Error when a question was not answered */
  ask(round: Round): Promise<Took>;
  close(): Promise<void>;
}

/** @throws Error when the bus, or one of the two sides, cannot be started */
export async function startPeers(workDir: string): Promise<Peers> {
  const started: { close(): Promise<void> }[] = [];
  const close = async (): Promise<void> => {
    for (const each of started.splice(0).reverse()) await each.close();
  };
  try {
    const folder = await mkdtemp(join(workDir, "p5-"));
    started.push({ close: () => rm(folder, { recursive: true, force: true, maxRetries: 3 }) });
    const bus = await startEmbeddedRun(join(folder, "bus"), join(import.meta.dirname, "bus.config.ts"));
    started.push(bus);
    const nats = await startServer(NATS, workDir, (port) => ["-a", "127.0.0.1", "-p", String(port)]);
    if (nats.kind === "started") started.push(nats.process);
    const redis = await startServer(REDIS, workDir, (port) => [
      ...["--bind", "127.0.0.1", "--port", String(port), "--dir", folder],
      ...["--save", "", "--appendonly", "no"],
    ]);
    if (redis.kind === "started") started.push(redis.process);
    const storeDir = join(folder, "store");
    await mkdir(storeDir);
    const places: Places = { busUrl: bus.url, natsPort: portOf(nats), redisPort: portOf(redis), storeDir };
    started.push(await startSide("answerer.ts", places));
    const asker = await startSide("asker.ts", places);
    started.push(asker);
    return {
      places,
      omissions: [...omissionOf("NATS on loopback", nats), ...omissionOf("Redis pub/sub", redis)],
      ask: (round) => askOf(asker.child, round),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

type Server =
  | { readonly kind: "started"; readonly process: StartedProcess; readonly port: number }
  | { readonly kind: "missing"; readonly why: string };

async function startServer(
  wanted: WantedProgram,
  workDir: string,
  argsFor: (port: number) => string[],
): Promise<Server> {
  const program = await findProgram(wanted, workDir);
  if (program.kind === "missing") return program;
  const port = await freePort();
  try {
    const command = { path: program.path, args: argsFor(port), env: program.env };
    return { kind: "started", process: await startUntilPort(command, port), port };
  } catch (error) {
    return { kind: "missing", why: (error as Error).message };
  }
}

const portOf = (server: Server): number | null => (server.kind === "started" ? server.port : null);

const omissionOf = (what: string, server: Server): Omission[] =>
  server.kind === "started" ? [] : [{ what, why: server.why }];

async function startSide(file: string, places: Places): Promise<StartedProcess> {
  const child = fork(join(import.meta.dirname, file), [JSON.stringify(places)], {
    execArgv: ["--import", "tsx"],
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  const ended = once(child, "exit");
  await Promise.race([
    once(child, "message"),
    ended.then(() => {
      throw new Error(`${file} ended before it was ready`);
    }),
  ]);
  return {
    child,
    async close() {
      if (child.connected) child.disconnect();
      await ended;
    },
  };
}

async function askOf(asker: ChildProcess, round: Round): Promise<Took> {
  const answer = once(asker, "message");
  asker.send(round);
  const [took] = (await answer) as [Took | { readonly error: string }];
  if ("error" in took) throw new Error(took.error);
  return took;
}
