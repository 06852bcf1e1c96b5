/** The thread of a subscriber's handler, seen from the bus. */
import { createInterface } from "node:readline";
import { Worker } from "node:worker_threads";
import type { CallMessage, ThreadMessage } from "./handler-serve.ts";

/** What a call of a subscriber's handler came to. */
export type CallOutcome =
  | { readonly kind: "returned"; readonly result: unknown }
  | { readonly kind: "failed"; readonly reason: string };

/** How long a module may take to load, as on Lambda. */
const LOAD_MS = 10_000;

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
  /** Settles once it takes calls (null), or with why it never will. Never rejects. */
  readonly loaded: Promise<string | null>;
  /** Settles once the thread is gone, and all that it held. */
  readonly exited: Promise<void>;
  readonly #options: HandlerThreadOptions;
  readonly #worker: Worker;
  readonly #calls = new Map<number, (outcome: CallOutcome) => void>();
  #lastCall = 0;
  #state: "open" | "retired" | "ended" = "open";
  #endReason: string | null = null;

  constructor(options: HandlerThreadOptions) {
    this.#options = options;
    const { name, path, env, log } = options;
    this.#worker = new Worker(path, { name, env, execArgv: ["--enable-source-maps"], stdout: true, stderr: true });
    for (const stream of [this.#worker.stdout, this.#worker.stderr])
      createInterface({ input: stream }).on("line", (line) => log(`[${name}] ${line}`));
    const ended = this.#listen();
    this.exited = ended.then(() => undefined);
    const ready = new Promise<null>((resolve) => {
      this.#worker.on("message", ({ kind }: ThreadMessage) => kind === "ready" && resolve(null));
    });
    this.loaded = this.#withinLoadTime(Promise.race([ready, ended]));
  }

  /** Whether it takes calls. */
  get usable(): boolean {
    return this.#state === "open";
  }

  /** Calls the handler. Never throws. */
  async call(input: unknown): Promise<CallOutcome> {
    const { callMs } = this.#options;
    const call = ++this.#lastCall;
    const outcome = new Promise<CallOutcome>((resolve) => this.#calls.set(call, resolve));
    // The time that the module takes to load is not the call's. When it never loads, the end of the thread settles it.
    await this.loaded;
    const timer = setTimeout(() => {
      this.#settle(call, { kind: "failed", reason: `took longer than ${callMs / 1000} s` });
      this.retire();
    }, callMs);
    this.#worker.postMessage({ call, input, endsAt: Date.now() + callMs } satisfies CallMessage);
    return outcome.finally(() => clearTimeout(timer));
  }

  /** Takes no more calls, and ends once those under way are finished. */
  retire(): void {
    if (this.#state === "open") this.#state = "retired";
    if (this.#calls.size === 0) void this.terminate();
  }

  /** Ends now; calls under way fail. */
  async terminate(reason = "its thread was ended"): Promise<void> {
    this.#state = "ended";
    this.#endReason ??= reason;
    await this.#worker.terminate();
  }

  /** Takes what the thread says. Resolves when it has ended, with the reason. */
  #listen(): Promise<string> {
    const { name, log } = this.#options;
    this.#worker.on("message", (message: ThreadMessage) => {
      if (message.kind === "returned") this.#settle(message.call, { kind: "returned", result: message.result });
      else if (message.kind === "threw") {
        log(`[${name}] ${message.stack}`);
        this.#settle(message.call, { kind: "failed", reason: message.message });
      }
    });
    this.#worker.on("error", (error: Error) => {
      this.#endReason = `it crashed: ${error.message}`;
      log(`[${name}] ${error.stack ?? error.message}`);
    });
    return new Promise((resolve) => {
      this.#worker.on("exit", (code) => {
        const reason = this.#endReason ?? `it exited with code ${code}`;
        this.#state = "ended";
        for (const call of [...this.#calls.keys()]) this.#settle(call, { kind: "failed", reason });
        resolve(reason);
      });
    });
  }

  async #withinLoadTime(outcome: Promise<string | null>): Promise<string | null> {
    const timer = setTimeout(() => void this.terminate(`it did not load within ${LOAD_MS / 1000} s`), LOAD_MS);
    return outcome.finally(() => clearTimeout(timer));
  }

  #settle(call: number, outcome: CallOutcome): void {
    const resolve = this.#calls.get(call);
    this.#calls.delete(call);
    resolve?.(outcome);
    if (this.#state === "retired" && this.#calls.size === 0) void this.terminate();
  }
}
