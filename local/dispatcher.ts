/**
 * Brings events to run-time subscriptions, as the dispatch queue and its function do on AWS: taken on in a journal, so
 * that a crash does not lose them, and tried until it succeeds.
 */

import { DISPATCH } from "../shared/deployed-subscriber.ts";
import type { DeliveredEvent } from "../shared/event.ts";
import type { Logger } from "../shared/ports.ts";
import type { Delivery, Journal } from "./journal.ts";

/** Events that are dispatched at once; each fans out on its own. */
const MAX_UNDER_WAY = 8;
/** The wait before an event is tried again: it doubles from the first to the last. */
const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 30_000;

export interface DispatcherOptions {
  readonly journal: Journal;
  readonly log: Logger;
  /** Dispatches one event. @throws when it has to be tried again */
  readonly dispatch: (event: DeliveredEvent) => Promise<void>;
}

export class Dispatcher {
  readonly #options: DispatcherOptions;
  readonly #waiting: Delivery[] = [];
  readonly #underWay = new Set<Promise<void>>();
  readonly #retries = new Set<NodeJS.Timeout>();
  #isOpen = false;

  constructor(options: DispatcherOptions) {
    this.#options = options;
  }

  /** Begins, with what an earlier run left. */
  start(): void {
    if (this.#isOpen) return;
    this.#isOpen = true;
    this.#waiting.push(...this.#options.journal.pending());
    this.#next();
  }

  /** Takes events on: once it returns, a crash does not lose them (I1). @throws when the journal cannot be written */
  accept(events: readonly DeliveredEvent[]): void {
    const fresh = this.#options.journal.put(events.map((event) => ({ subscriber: DISPATCH, event })));
    this.#waiting.push(...fresh);
    this.#next();
  }

  /** Starts nothing more; resolves when what is under way has ended. The rest is left to the next run. */
  async close(): Promise<void> {
    this.#isOpen = false;
    for (const timer of this.#retries) clearTimeout(timer);
    await Promise.all(this.#underWay);
  }

  #next(): void {
    while (this.#isOpen && this.#underWay.size < MAX_UNDER_WAY && this.#waiting.length > 0) {
      const call = this.#run(this.#waiting.shift() as Delivery).finally(() => {
        this.#underWay.delete(call);
        this.#next();
      });
      this.#underWay.add(call);
    }
  }

  async #run(delivery: Delivery): Promise<void> {
    try {
      await this.#options.dispatch(delivery.event);
      this.#options.journal.done(delivery);
    } catch (error) {
      delivery.receives++;
      this.#options.log.warn("an event was not dispatched and is tried again", {
        event_id: delivery.event.id,
        error: String(error),
      });
      this.#retryLater(delivery);
    }
  }

  #retryLater(delivery: Delivery): void {
    const afterMs = Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** (delivery.receives - 1));
    const timer = setTimeout(() => {
      this.#retries.delete(timer);
      this.#waiting.push(delivery);
      this.#next();
    }, afterMs);
    this.#retries.add(timer);
  }
}
