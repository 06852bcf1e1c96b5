/**
 * Records deliveries to deployed subscribers that are dead, where they are listed and can be redriven (I7): again and
 * again until the store has them. What a crash keeps from being recorded, the journal tells again at the next start.
 */
import type { DeadLetter } from "../shared/deliveries/dead-letters.ts";
import type { Logger } from "../shared/ports.ts";

const RETRY_MS = 2_000;

export interface DeadLettersOptions {
  readonly log: Logger;
  /** @throws when it has to be done again */
  readonly record: (letter: DeadLetter) => Promise<void>;
}

export class DeadLetters {
  readonly #options: DeadLettersOptions;
  readonly #timers = new Set<NodeJS.Timeout>();
  #isOpen = true;

  constructor(options: DeadLettersOptions) {
    this.#options = options;
  }

  /** Returns at once. */
  take(letter: DeadLetter): void {
    this.#options.record(letter).catch((error: unknown) => {
      if (!this.#isOpen) return;
      this.#options.log.error("a dead delivery could not be recorded and is recorded again", {
        subscriber: letter.subscriber,
        event_id: letter.event.id,
        error: String(error),
      });
      const timer = setTimeout(() => {
        this.#timers.delete(timer);
        this.take(letter);
      }, RETRY_MS);
      this.#timers.add(timer);
    });
  }

  /** Tries nothing again. */
  close(): void {
    this.#isOpen = false;
    for (const timer of this.#timers) clearTimeout(timer);
  }
}
