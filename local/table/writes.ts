/** Writes: those of one key one after the other, and what comes while one is under way all at once after it. */
import type { Texts } from "./pages.ts";

export type Operation =
  | { readonly type: "put"; readonly key: string; readonly value: string }
  | { readonly type: "del"; readonly key: string };

/** A write, and the moment when it is in the operating system's hands. */
interface Waiting {
  readonly operations: readonly Operation[];
  readonly done: (error?: unknown) => void;
}

export class Writes {
  readonly #level: Pick<Texts, "batch">;
  /** The write under way of each key that has one. */
  readonly #ofKeys = new Map<string, Promise<void>>();
  #waiting: Waiting[] = [];
  #isWriting = false;

  constructor(level: Pick<Texts, "batch">) {
    this.#level = level;
  }

  /**
   * Reads, decides and writes, with no other write of this key in between. Resolves when it is written: from then on a kill of
   * the process does not lose it.
   *
   * @param decide runs in one go, at once when nothing of this key is under way; all that it gives is written, or nothing is
   */
  async exclusively<T>(
    key: string,
    decide: () => { readonly operations: readonly Operation[]; readonly result: T },
  ): Promise<T> {
    for (let before = this.#ofKeys.get(key); before !== undefined; before = this.#ofKeys.get(key))
      await before.catch(() => undefined);
    const { operations, result } = decide();
    const writing = this.#write(operations);
    this.#ofKeys.set(key, writing);
    try {
      await writing;
      return result;
    } finally {
      this.#ofKeys.delete(key);
    }
  }

  /** Resolves when nothing is under way. */
  async idle(): Promise<void> {
    while (this.#ofKeys.size > 0) await Promise.allSettled(this.#ofKeys.values());
  }

  #write(operations: readonly Operation[]): Promise<void> {
    const written = new Promise<void>((resolve, reject) => {
      const done = (error?: unknown): void => (error === undefined ? resolve() : reject(error));
      this.#waiting.push({ operations, done });
    });
    if (!this.#isWriting) void this.#writeAll();
    return written;
  }

  async #writeAll(): Promise<void> {
    this.#isWriting = true;
    while (this.#waiting.length > 0) {
      const together = this.#waiting;
      this.#waiting = [];
      const failure = await this.#batch(together.flatMap(({ operations }) => operations));
      for (const { done } of together) done(failure);
    }
    this.#isWriting = false;
  }

  /** @returns what went wrong, undefined when nothing did */
  async #batch(operations: Operation[]): Promise<unknown> {
    try {
      await this.#level.batch(operations);
      return undefined;
    } catch (error) {
      return error ?? new Error("The store could not write.");
    }
  }
}
