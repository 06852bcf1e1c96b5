/** The bus under test: a process that is killed and started again, on the same port and the same data. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { projectPath } from "../../../local/project.ts";
import type { FaultProxy } from "../proxy/fault-proxy.ts";
import { HAND_OVERS_FILE } from "./agents/hand-over.ts";
import type { FromBus, ToBus } from "./bus-messages.ts";

export interface BusUnderTest {
  readonly url: string;
  readonly dataDir: string;
  /** Where the store itself is, past the proxy. */
  readonly storeEndpoint: string;
  /** The file that deployed subscribers write to. */
  readonly handOversFile: string;
  /** How often it was killed; how often its store was ended. */
  readonly kills: number;
  readonly storeRestarts: number;
  /** By how much its wall clock is ahead. */
  readonly offsetMs: number;
  /** Kill -9, and start again. Resolves when it serves again. */
  killAndRestart(): Promise<void>;
  /** The store breaks off its calls, is away for a moment, and comes back. */
  endStore(): void;
  /** Moves the bus's wall clock, also for the processes after this one. */
  moveClock(offsetMs: number): void;
  /** Ends it for good, and forgets its data. */
  close(): Promise<void>;
}

export interface BusOptions {
  readonly proxy: FaultProxy;
  readonly reconcileEveryMs: number;
  /** Gets what the bus prints. */
  readonly print?: (line: string) => void;
}

/** As often as it takes: under faults a start may fail. */
const MAX_STARTS = 10;

/** @throws Error when it does not come up */
export async function startBus({ proxy, reconcileEveryMs, print = () => {} }: BusOptions): Promise<BusUnderTest> {
  const dataDir = mkdtempSync(join(tmpdir(), "agent-event-bus-chaos-"));
  const handOversFile = join(dataDir, "hand-overs.jsonl");
  let port = 0;
  let url = "";
  let storeEndpoint = "";
  let offsetMs = 0;
  let kills = 0;
  let storeRestarts = 0;
  let child: ChildProcess | null = null;

  const tell = (message: ToBus): void => {
    if (child?.connected === true) child.send(message, () => {});
  };

  async function startOnce(): Promise<boolean> {
    const args = [String(port), dataDir, proxy.url, String(reconcileEveryMs)];
    const started = fork(projectPath("test/faults/chaos/bus-process.ts"), args, {
      execArgv: ["--import", "tsx"],
      env: { ...process.env, [HAND_OVERS_FILE]: handOversFile, VITEST: undefined },
      stdio: ["ignore", "pipe", "pipe", "ipc"],
    });
    child = started;
    for (const stream of [started.stdout, started.stderr])
      if (stream !== null) createInterface({ input: stream }).on("line", print);
    tell({ kind: "move-clock", offsetMs });
    const exited = once(started, "exit").then(() => false);
    const ready = new Promise<boolean>((resolve) => {
      started.on("message", (message: FromBus) => {
        if (message.kind === "store") {
          storeEndpoint = message.endpoint;
          proxy.setTarget("dynamodb", storeEndpoint);
          tell({ kind: "go-on" });
        } else {
          url = message.url;
          port = Number(new URL(url).port);
          resolve(true);
        }
      });
    });
    return Promise.race([ready, exited]);
  }

  async function start(): Promise<void> {
    for (let tries = 1; !(await startOnce()); tries++)
      if (tries === MAX_STARTS) throw new Error("The bus does not come up.");
  }

  async function kill(): Promise<void> {
    const killed = child;
    if (killed === null || killed.exitCode !== null || killed.signalCode !== null) return;
    const exited = once(killed, "exit");
    killed.kill("SIGKILL");
    await exited;
  }

  await start();
  return {
    dataDir,
    handOversFile,
    get url() {
      return url;
    },
    get storeEndpoint() {
      return storeEndpoint;
    },
    get kills() {
      return kills;
    },
    get storeRestarts() {
      return storeRestarts;
    },
    get offsetMs() {
      return offsetMs;
    },
    async killAndRestart() {
      kills++;
      await kill();
      await start();
    },
    endStore() {
      storeRestarts++;
      tell({ kind: "end-store" });
    },
    moveClock(next) {
      offsetMs = next;
      tell({ kind: "move-clock", offsetMs });
    },
    async close() {
      await kill();
      rmSync(dataDir, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}
