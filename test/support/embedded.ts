/** The embedded run as its users meet it: a process of its own, spoken to over HTTP. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { PROJECT_ROOT } from "../../local/project.ts";

/** Far more than it takes; a test that waits so long has found a fault. */
const PATIENCE_MS = 20_000;

/** For reading what a process that has ended had printed. */
const DRAIN_MS = 2_000;

export interface StartOptions {
  /** The folder of the project; this one's when not given. */
  readonly root?: string;
  /** Absolute path of a `bus.config.ts`; the project's own when not given. */
  readonly config?: string;
  /** A fresh temporary folder when not given; remove it with `removeFolders`. */
  readonly dataDir?: string;
  /** A free one when not given. */
  readonly port?: number;
  /** More options of the command. */
  readonly args?: readonly string[];
}

/** A process with what it has printed. */
export interface Run {
  readonly child: ChildProcess;
  /** Lines of standard output and error, in the order in which they came. */
  readonly lines: readonly string[];
  /** How many lines there are: where to look on from. */
  mark(): number;
  /** Resolves with the first line from `from` on that fits, printed already or still to come. */
  waitForLine(pattern: RegExp, from?: number): Promise<string>;
  /** The exit code, or the name of the signal that ended it. */
  readonly exited: Promise<number | string>;
}

export interface DevRun extends Run {
  readonly url: string;
  readonly dataDir: string;
  /** Asks it to end, and resolves with its exit code. */
  stop(signal?: "SIGINT" | "SIGTERM"): Promise<number | string>;
  /** kill -9. */
  kill(): Promise<void>;
}

const folders: string[] = [];
const running = new Map<ChildProcess, Promise<unknown>>();

/** A temporary folder; `cleanUp` removes it. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "agent-event-bus-test-"));
  folders.push(folder);
  return folder;
}

/** Ends what still runs and removes temporary folders: for `afterEach`, and `afterAll` where runs are shared. */
export async function cleanUp(): Promise<void> {
  for (const [child, exited] of running) {
    child.kill("SIGKILL");
    await exited;
  }
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
}

/** Starts a script of the project in `root` with Node, without npm between it and its signals. */
export function runScript(
  script: string,
  args: readonly string[],
  { input = "", env = {}, root = PROJECT_ROOT }: { input?: string; env?: Record<string, string>; root?: string } = {},
): Run {
  const child = spawn(process.execPath, ["--import", "tsx", join(root, script), ...args], {
    cwd: root,
    env: { ...process.env, ...env },
  });
  child.stdin.end(input);

  const lines: string[] = [];
  const listeners = new Set<() => void>();
  const tell = (): void => {
    for (const listener of [...listeners]) listener();
  };
  for (const stream of [child.stdout, child.stderr])
    createInterface({ input: stream }).on("line", (line) => {
      lines.push(line);
      tell();
    });
  const closed = once(child, "close");
  const exited = once(child, "exit").then(async ([code, signal]) => {
    // By "close" everything that was printed has been read. It may never come after a kill: a watching esbuild that lost
    // its host between a ping and its answer lives on, and holds the pipes.
    await Promise.race([closed, sleep(DRAIN_MS)]);
    child.stdout.destroy();
    child.stderr.destroy();
    running.delete(child);
    return (code ?? signal) as number | string;
  });
  running.set(child, exited);

  return {
    child,
    lines,
    mark: () => lines.length,
    exited,
    waitForLine: (pattern, from = 0) =>
      new Promise((resolve, reject) => {
        const end = (settle: () => void): void => {
          clearTimeout(timer);
          listeners.delete(look);
          settle();
        };
        const look = (): void => {
          const line = lines.slice(from).find((candidate) => pattern.test(candidate));
          if (line !== undefined) end(() => resolve(line));
        };
        const failWith = (why: string): void =>
          end(() => reject(new Error(`${why} before a line like ${pattern}; it printed:\n${lines.join("\n")}`)));
        const timer = setTimeout(() => failWith(`${PATIENCE_MS / 1000} s passed`), PATIENCE_MS);
        listeners.add(look);
        void exited.then((outcome) => failWith(`the process ended (${outcome})`));
        look();
      }),
  };
}

/** Starts `npm run dev`'s script and waits until it is ready. @throws Error with what it printed when it does not get there */
export async function startDev({
  root = PROJECT_ROOT,
  config,
  dataDir = temporaryFolder(),
  port = 0,
  args: more = [],
}: StartOptions = {}): Promise<DevRun> {
  const configArgs = config === undefined ? [] : ["--config", config];
  const args = ["--port", String(port), "--data-dir", dataDir, ...configArgs, ...more];
  const run = runScript("local/dev.ts", args, { root });
  const ready = await run.waitForLine(/^listening on http:/);
  return {
    ...run,
    url: ready.slice("listening on ".length),
    dataDir,
    stop(signal = "SIGINT") {
      run.child.kill(signal);
      return run.exited;
    },
    async kill() {
      run.child.kill("SIGKILL");
      await run.exited;
    },
  };
}

/** Asks again until a look succeeds. @throws the last failure, when patience is over */
export async function eventually<T>(look: () => Promise<T> | T): Promise<T> {
  const until = Date.now() + PATIENCE_MS;
  for (;;) {
    try {
      return await look();
    } catch (error) {
      if (Date.now() > until) throw error;
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  }
}

/** One HTTP call with JSON both ways. */
export async function call<Body = Record<string, unknown>>(
  url: string,
  body?: unknown,
  init: RequestInit = {},
): Promise<{ status: number; body: Body; headers: Headers }> {
  const response = await fetch(url, {
    ...init,
    ...(body === undefined
      ? {}
      : {
          method: "POST",
          body: JSON.stringify(body),
          headers: { "content-type": "application/json", ...init.headers },
        }),
  });
  return { status: response.status, body: (await response.json()) as Body, headers: response.headers };
}
