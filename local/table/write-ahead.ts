/**
 * LevelDB behind a log: a write is appended to a file, at once and in one call of the operating system, and goes into LevelDB
 * some milliseconds later, together with what came after it. LevelDB by itself writes in a thread of its own, and a question
 * with its answer would wait for five such hand-overs, each longer than all else that is done for the write.
 *
 * What is not in LevelDB yet stands in memory, and is read from there. A kill of the process loses nothing: the next run takes
 * the log up. What is in the log is done again then, in its order, whether LevelDB had it or not.
 */
import { appendFileSync, closeSync, ftruncateSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Level } from "level";
import type { Entries, Range, Texts } from "./pages.ts";
import type { Operation } from "./writes.ts";

/** What a second write changes once more within this time is written into LevelDB once. */
const FLUSH_AFTER_MS = 20;
/** The wait after LevelDB could not write. */
const RETRY_MS = 1_000;
/** The log begins anew once it is longer: a write waits then until LevelDB has all that stands in it, and in memory. */
const MAX_LOG_BYTES = 4 * 1024 * 1024;

/** Texts are JSON and keys hexadecimal, so neither holds a line break or a tab. A batch counts once it has its end. */
const BEGIN = "*";
const END = ".";
/** Behind what may be half a line, so that it is none that counts. */
const TORN = " torn\n";

export class WriteAhead implements Texts {
  readonly #level: Level<string, string>;
  readonly #log: number;
  /** What LevelDB has not got yet; null: it goes. */
  readonly #waiting: Map<string, string | null>;
  #logBytes = 0;
  /** A line may have been written by half: the next must not be taken for the rest of it. */
  #isTorn = false;
  #timer: NodeJS.Timeout | undefined;
  #flushing: Promise<void> | null = null;
  /** Why LevelDB could not write the last time. */
  #failure: unknown = null;

  /** Opens a folder, and takes up what a kill has left in its log. @throws Error when it cannot be used */
  static async open(folder: string): Promise<WriteAhead> {
    const level = new Level<string, string>(folder, { keyEncoding: "utf8", valueEncoding: "utf8" });
    await level.open();
    const path = join(folder, "writes.log");
    const store = new WriteAhead(level, openSync(path, "a"), logged(readFileSync(path, "utf8")));
    await store.flush();
    store.#emptyLog();
    return store;
  }

  private constructor(level: Level<string, string>, log: number, waiting: Map<string, string | null>) {
    this.#level = level;
    this.#log = log;
    this.#waiting = waiting;
  }

  getSync(key: string): string | undefined {
    const waiting = this.#waiting.get(key);
    return waiting === undefined ? this.#level.getSync(key) : (waiting ?? undefined);
  }

  /**
   * All of it, or nothing. Once it resolves, a kill of the process does not lose it. To be called once it has ended only: what
   * comes meanwhile is the caller's to collect. @throws Error when it cannot be written
   */
  async batch(operations: readonly Operation[]): Promise<void> {
    if (this.#logBytes > MAX_LOG_BYTES) {
      await this.flush();
      this.#emptyLog();
    }
    if (this.#failure !== null) throw this.#failure;
    const text = linesOf(operations);
    try {
      appendFileSync(this.#log, this.#isTorn ? `${TORN}${text}` : text);
      this.#isTorn = false;
    } catch (error) {
      this.#isTorn = true;
      throw error;
    }
    for (const operation of operations)
      this.#waiting.set(operation.key, operation.type === "put" ? operation.value : null);
    this.#logBytes += text.length;
    this.#timer ??= setTimeout(() => void this.flush().catch(() => undefined), FLUSH_AFTER_MS);
  }

  /** What stands in a range when it is first read; every write before that is in it. */
  values(range: Range & { readonly highWaterMarkBytes: number }): Entries {
    const open = async () => {
      if (this.#isTouched(range)) await this.flush();
      return this.#level.values(range);
    };
    let opened: ReturnType<typeof open> | null = null;
    return {
      async nextv(size) {
        opened ??= open();
        return (await opened).nextv(size);
      },
      async close() {
        await (await opened)?.close();
      },
    };
  }

  /** Resolves when LevelDB has all that was written so far. @throws Error when it cannot write */
  async flush(): Promise<void> {
    // What is being flushed may not have all of it.
    if (this.#flushing !== null) await this.#flushing.catch(() => undefined);
    this.#flushing ??= this.#flushAll().finally(() => {
      this.#flushing = null;
    });
    await this.#flushing;
  }

  /** @throws Error when LevelDB cannot write; the folder is free all the same, and the next run takes the log up */
  async close(): Promise<void> {
    try {
      await this.flush();
      this.#emptyLog();
    } finally {
      clearTimeout(this.#timer);
      closeSync(this.#log);
      await this.#level.close();
    }
  }

  async #flushAll(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const taken = [...this.#waiting];
    if (taken.length === 0) return;
    try {
      await this.#level.batch(
        taken.map(([key, value]) => (value === null ? { type: "del", key } : { type: "put", key, value })),
      );
      this.#failure = null;
    } catch (error) {
      this.#failure = error;
      this.#timer ??= setTimeout(() => void this.flush().catch(() => undefined), RETRY_MS);
      throw error;
    }
    // What was written again meanwhile waits on.
    for (const [key, value] of taken) if (this.#waiting.get(key) === value) this.#waiting.delete(key);
  }

  #emptyLog(): void {
    ftruncateSync(this.#log, 0);
    this.#logBytes = 0;
  }

  #isTouched({ gte = "", gt = "", lt }: Range): boolean {
    for (const key of this.#waiting.keys()) if (key >= gte && key > gt && key < lt) return true;
    return false;
  }
}

function linesOf(operations: readonly Operation[]): string {
  const lines = operations.map((one) => (one.type === "put" ? `=${one.key}\t${one.value}` : `-${one.key}`));
  return `${[BEGIN, ...lines, END].join("\n")}\n`;
}

/** What a log leaves in the end. A batch without its end was never acknowledged, and is left out. */
function logged(text: string): Map<string, string | null> {
  const left = new Map<string, string | null>();
  let batch: [string, string | null][] = [];
  // What stands behind the last line break is half a line.
  for (const line of text.split("\n").slice(0, -1)) {
    if (line === BEGIN) batch = [];
    else if (line === END) for (const [key, value] of batch.splice(0)) left.set(key, value);
    else if (line.startsWith("-")) batch.push([line.slice(1), null]);
    else if (line.startsWith("=")) {
      const tab = line.indexOf("\t");
      batch.push([line.slice(1, tab), line.slice(tab + 1)]);
    }
  }
  return left;
}
