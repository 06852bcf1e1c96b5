/** The thread of a subscriber's handler, seen from the bus. */
import { createInterface } from "node:readline";
import { Worker } from "node:worker_threads";
import type { CallMessage, ThreadMessage } from "./handler-serve.ts";

/** What a call of a subscriber's handler came to. */
export type CallOutcome =
  | { readonly kind: "returned"; readonly result: unknown }
  | { readonly kind: "failed"; readonly reason: string };

export interface HandlerThreadOptions {
  readonly name: string;
  /** The bundled module that serves the handler. */
  readonly path: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** How long one call may take, in milliseconds. */
  readonly callMs: number;
  /** Gets what the handler writes to its console, a line at a time. */
  readonly log: (line: string) => void;
}

/**
 * One thread that runs one version of one handler, several calls at once. It is used up by a crash, which fails the
 * calls under way, and by a call that takes too long: what hangs may hold anything.
 */
export class HandlerThread {
  readonly #options: HandlerThreadOptions;
  readonly #worker: Worker;
  readonly #calls = new Map<number, (outcome: CallOutcome) => void>();
  #lastCall = 0;
  #state: "open" | "retired" | "ended" = "open";

  constructor(options: HandlerThreadOptions) {
    this.#options = options;
    this.#worker = this.#start();
  }

  /** Whether it takes calls. */
  get usable(): boolean {
    return this.#state === "open";
  }

  /** Calls the handler. Never throws. */
  call(input: unknown): Promise<CallOutcome> {
    const { callMs } = this.#options;
    const call = ++this.#lastCall;
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#settle(call, { kind: "failed", reason: `took longer than ${callMs / 1000} s` });
        this.retire();
      }, callMs);
      this.#calls.set(call, (outcome) => {
        clearTimeout(timer);
        resolve(outcome);
      });
      this.#worker.postMessage({ call, input, endsAt: Date.now() + callMs } satisfies CallMessage);
    });
  }

  /** Takes no more calls, and ends once those under way are finished. */
  retire(): void {
    if (this.#state === "open") this.#state = "retired";
    if (this.#calls.size === 0) void this.terminate();
  }

  /** Ends now; calls under way fail. */
  async terminate(): Promise<void> {
    await this.#worker.terminate();
  }

  #start(): Worker {
    const { name, path, env, log } = this.#options;
    const worker = new Worker(path, { name, env, execArgv: ["--enable-source-maps"], stdout: true, stderr: true });
    for (const stream of [worker.stdout, worker.stderr])
      createInterface({ input: stream }).on("line", (line) => log(`[${name}] ${line}`));

    let end = "its thread was ended";
    worker.on("message", (message: ThreadMessage) => {
      if (message.kind === "returned") this.#settle(message.call, { kind: "returned", result: message.result });
      else {
        log(`[${name}] ${message.stack}`);
        this.#settle(message.call, { kind: "failed", reason: message.message });
      }
    });
    worker.on("error", (error: Error) => {
      end = `it crashed: ${error.message}`;
      log(`[${name}] ${error.stack ?? error.message}`);
    });
    worker.on("exit", (code) => {
      if (this.#state === "open" && code !== 0 && end === "its thread was ended") end = `it exited with code ${code}`;
      this.#state = "ended";
      for (const call of [...this.#calls.keys()]) this.#settle(call, { kind: "failed", reason: end });
    });
    return worker;
  }

  #settle(call: number, outcome: CallOutcome): void {
    const resolve = this.#calls.get(call);
    this.#calls.delete(call);
    resolve?.(outcome);
    if (this.#state === "retired" && this.#calls.size === 0) void this.terminate();
  }
}
