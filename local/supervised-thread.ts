/** A thread that serves on a port, and is started again on the same one whenever it ends by itself. */
import { setTimeout as sleep } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import type { Logger } from "../shared/ports.ts";

export interface SupervisedThreadOptions {
  /** What log records call it. */
  readonly name: string;
  /** The module. It gets `port` in `workerData` (0 the first time), posts `{ port }` when it serves, ends on a message. */
  readonly file: string;
  readonly workerData: Readonly<Record<string, unknown>>;
  readonly log: Logger;
  /** The wait after the first restart that failed; it doubles from there, up to 50 times as long. */
  readonly retryMs?: number;
}

export interface SupervisedThread {
  readonly port: number;
  /** Ends it; resolves when it is gone. Also while it is down, or on its way up. */
  close(): Promise<void>;
}

interface ServingThread {
  readonly worker: Worker;
  readonly port: number;
  /** Why it ended. */
  readonly exited: Promise<Error>;
}

const LONGEST_RETRY = 50;

/** Starts it. @throws Error when it ends before it serves */
export async function superviseThread(options: SupervisedThreadOptions): Promise<SupervisedThread> {
  const { name, log, retryMs = 100 } = options;
  const closing = new AbortController();
  let thread = await startThread(options, 0);
  const { port } = thread;

  async function restart(): Promise<ServingThread | null> {
    for (let failures = 0; !closing.signal.aborted; failures++)
      try {
        return await startThread(options, port);
      } catch (error) {
        log.error(`${name} could not be started again`, { error: (error as Error).message });
        const waitMs = retryMs * Math.min(2 ** failures, LONGEST_RETRY);
        await sleep(waitMs, undefined, { signal: closing.signal }).catch(() => undefined);
      }
    return null;
  }

  async function supervise(): Promise<void> {
    for (;;) {
      const reason = await thread.exited;
      if (closing.signal.aborted) return;
      log.error(`${name} fell over`, { error: reason.message });
      const next = await restart();
      if (next === null) return;
      thread = next;
      if (closing.signal.aborted) thread.worker.postMessage("close");
      else log.info(`${name} was started again`);
    }
  }
  const supervised = supervise();

  return {
    port,
    async close() {
      closing.abort();
      thread.worker.postMessage("close");
      await supervised;
    },
  };
}

async function startThread({ file, workerData }: SupervisedThreadOptions, port: number): Promise<ServingThread> {
  const worker = new Worker(file, { workerData: { ...workerData, port }, execArgv: [] });
  const exited = new Promise<Error>((resolve) => {
    let reason: Error | undefined;
    worker.once("error", (error: Error) => {
      reason = error;
    });
    // Not at the error: the thread holds its files until it is gone.
    worker.once("exit", (code) => resolve(reason ?? new Error(`it exited with code ${code}`)));
  });
  const served = new Promise<{ port: number }>((resolve) => worker.once("message", resolve));
  const first = await Promise.race([served, exited]);
  if (first instanceof Error) throw first;
  return { worker, port: first.port, exited };
}
