/** Processes that a benchmark starts: ready when they say so, and ended by whoever started them. */
import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { connect, createServer } from "node:net";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";

/** Far more than anything here takes to start or to end. */
const PATIENCE_MS = 20_000;

export interface StartedProcess {
  readonly child: ChildProcess;
  /** Asks it to end, and sees to it. */
  close(): Promise<void>;
}

export interface Command {
  readonly path: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

/** Starts a program that prints a line when it is ready. @returns what the pattern found, too */
export async function startUntilLine(
  command: Command,
  pattern: RegExp,
): Promise<StartedProcess & { readonly line: RegExpExecArray }> {
  const started = start(command, { stdio: ["ignore", "pipe", "pipe"] });
  const printed: string[] = [];
  const line = await ready(
    started,
    new Promise<RegExpExecArray>((resolve) => {
      for (const stream of [started.child.stdout, started.child.stderr])
        createInterface({ input: stream as NodeJS.ReadableStream }).on("line", (text) => {
          if (printed.length < 50) printed.push(text);
          const found = pattern.exec(text);
          if (found !== null) resolve(found);
        });
    }),
    () => printed.join("\n"),
  );
  return { ...started, line };
}

/** Starts a program that is ready when it takes connections. */
export async function startUntilPort(command: Command, port: number): Promise<StartedProcess> {
  const started = start(command, { stdio: "ignore" });
  await ready(started, untilConnected(port, started.child), () => "");
  return started;
}

/** A port that nobody uses at the moment. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

function start({ path, args, env = {}, cwd }: Command, options: SpawnOptions): StartedProcess {
  const child = spawn(path, args, {
    ...options,
    env: { ...process.env, ...env },
    ...(cwd === undefined ? {} : { cwd }),
  });
  const ended = new Promise<void>((resolve) => {
    child.once("exit", () => resolve());
    child.once("error", () => resolve());
  });
  return {
    child,
    async close() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill("SIGTERM");
      const forced = setTimeout(() => child.kill("SIGKILL"), PATIENCE_MS / 4);
      await ended;
      clearTimeout(forced);
    },
  };
}

/** @throws Error when it ends, or takes too long, before it is ready */
async function ready<T>(started: StartedProcess, whenReady: Promise<T>, printed: () => string): Promise<T> {
  const { child } = started;
  let timer: NodeJS.Timeout | undefined;
  const failed = new Promise<never>((_, reject) => {
    const fail = (why: string): void => reject(new Error(`${child.spawnfile} ${why}. ${printed()}`.trim()));
    child.once("error", (error) => fail(`could not be started: ${error.message}`));
    child.once("exit", (code, signal) => fail(`ended (${code ?? signal}) before it was ready`));
    timer = setTimeout(() => fail(`was not ready in ${PATIENCE_MS / 1_000} s`), PATIENCE_MS);
  });
  try {
    return await Promise.race([whenReady, failed]);
  } catch (error) {
    await started.close();
    throw error;
  } finally {
    clearTimeout(timer);
    // What it does from here on is seen where it is used.
    failed.catch(() => undefined);
  }
}

async function untilConnected(port: number, child: ChildProcess): Promise<void> {
  while (child.exitCode === null) {
    const socket = connect(port, "127.0.0.1");
    const isOpen = await Promise.race([
      once(socket, "connect").then(() => true),
      once(socket, "error").then(() => false),
    ]).catch(() => false);
    socket.destroy();
    if (isOpen) return;
    await sleep(20);
  }
}
