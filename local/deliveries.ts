/**
 * Brings events to the deployed subscribers, at least once, as EventBridge and SQS do.
 *
 * `direct`: one try; an error is final. `queue`: batches, and what fails comes again after 1, 2, 4 and 8 s; after five
 * receives it is dead. What a crash of the bus interrupts comes again either way, up to five receives: a handler that
 * kills the process must not kill it for ever. Every delivery ends done or dead with a reason (I7), and the journal
 * keeps it across crashes.
 */

import { type DeployedSubscriber, subscriberEnvironment } from "../shared/deployed-subscriber.ts";
import type { DeliveredEvent } from "../shared/event.ts";
import { MAX_RECEIVES } from "../shared/limits.ts";
import type { Logger } from "../shared/ports.ts";
import { HandlerThread } from "./handler-thread.ts";
import type { Delivery, Journal } from "./journal.ts";
import { eventBridgeEvent, failedMessages, sqsBatch } from "./lambda-input.ts";

const NO_LONGER_THERE = "the subscriber is no longer in bus.config.ts";
const INTERRUPTED = `the bus ended in the middle of it, at the last of ${MAX_RECEIVES} tries`;

/**
 * Deliveries that a subscriber handles at once. On AWS each call has a processor; here they share a thread, and each
 * must be finished in its time. It is also the most that SQS hands to a function in one batch.
 */
const MAX_UNDER_WAY = 10;

export interface DeliveriesOptions {
  readonly journal: Journal;
  readonly log: Logger;
  /** Gets what handlers write to their consoles. */
  readonly print: (line: string) => void;
  /** The environment that every handler sees beside its own variables. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The key by which a subscriber is known to the bus; absent where nobody needs one. */
  readonly keyOf?: ((subscriber: string) => string) | undefined;
  /** Hears of each delivery that dies. */
  readonly onDead?: (delivery: Delivery, reason: string) => void;
  /** The wait before the second receive; it doubles from there. SQS's visibility timeout is longer, people are not. */
  readonly retryMs?: number;
}

/** How one subscriber is served at the moment. */
interface Lane {
  subscriber: DeployedSubscriber;
  /** Its code; null until some could be loaded. */
  path: string | null;
  thread: HandlerThread | null;
  /** The thread of newer code, while that loads. */
  next: HandlerThread | null;
  readonly waiting: Delivery[];
  /** How many deliveries are under way. */
  running: number;
  scheduled: boolean;
}

const newLane = (subscriber: DeployedSubscriber): Lane => ({
  subscriber,
  path: null,
  thread: null,
  next: null,
  waiting: [],
  running: 0,
  scheduled: false,
});

export class Deliveries {
  readonly #options: Required<Omit<DeliveriesOptions, "keyOf">> & Pick<DeliveriesOptions, "keyOf">;
  readonly #lanes = new Map<string, Lane>();
  /** What handlers have, and the calls that end with it: also those of old code and of subscribers taken out. */
  readonly #underWay = new Map<Delivery, Promise<void>>();
  /** What waits for its next receive. */
  readonly #retries = new Map<Delivery, NodeJS.Timeout>();
  /** All that have not ended yet, whoever they serve. */
  readonly #threads = new Set<HandlerThread>();
  /** `draining` starts nothing more; once `closed`, outcomes mean nothing: threads are ended under their calls. */
  #state: "open" | "draining" | "closed" = "open";
  #resumed = false;

  constructor(options: DeliveriesOptions) {
    this.#options = { retryMs: 1_000, onDead: () => {}, ...options };
  }

  /**
   * Takes the subscribers of a (new) configuration. What waits for one that is gone is dead. The first time, takes up
   * what an earlier run left undelivered.
   */
  setSubscribers(subscribers: readonly DeployedSubscriber[]): void {
    for (const [name, lane] of this.#lanes)
      if (!subscribers.some((subscriber) => subscriber.name === name)) this.#removeLane(name, lane);
    for (const subscriber of subscribers) {
      const lane = this.#lanes.get(subscriber.name);
      if (lane === undefined) this.#lanes.set(subscriber.name, newLane(subscriber));
      else if (JSON.stringify(lane.subscriber) !== JSON.stringify(subscriber)) {
        lane.subscriber = subscriber;
        lane.thread?.retire();
        // Started ahead of the first call, which would have to wait for it.
        lane.thread = lane.path === null ? null : this.#startThread(subscriber, lane.path);
      }
    }
    if (this.#resumed) return;
    this.#resumed = true;
    for (const delivery of this.#options.journal.pending())
      if (delivery.receives < MAX_RECEIVES) this.#queue(delivery);
      else this.#bury(delivery, INTERRUPTED);
  }

  /**
   * Gives a subscriber the code to run, once that is loaded; calls under way finish with the old.
   *
   * @throws Error when the code cannot be loaded; the old code stays
   */
  async setCode(name: string, path: string): Promise<void> {
    const lane = this.#lanes.get(name);
    if (lane === undefined || this.#state === "closed") return;
    const { subscriber } = lane;
    const thread = this.#startThread(subscriber, path);
    lane.next = thread;
    const failure = await thread.loaded;
    // Newer code, or the end, came first.
    if (lane.next !== thread || this.#state !== "open") return thread.retire();
    lane.next = null;
    if (failure !== null) throw new Error(failure);
    if (lane.subscriber !== subscriber) {
      // What the thread was started with has changed meanwhile.
      thread.retire();
      return this.setCode(name, path);
    }
    const replaced = lane.thread;
    Object.assign(lane, { path, thread });
    replaced?.retire();
    this.#schedule(lane);
    // From here on nobody loads the old code any more.
    await replaced?.loaded;
  }

  /** Accepts deliveries: once it returns, a crash does not lose them (I1). @throws when the journal cannot be written */
  accept(deliveries: readonly { subscriber: string; event: DeliveredEvent }[]): void {
    for (const delivery of this.#options.journal.put(deliveries)) this.#queue(delivery);
  }

  /** Takes on a delivery that has ended before. @throws when the journal cannot be written */
  redeliver(subscriber: string, event: DeliveredEvent): void {
    this.#queue(this.#options.journal.again({ subscriber, event }));
  }

  /** Starts nothing more; resolves when what runs is finished, or `ms` have passed. */
  async drain(ms: number): Promise<void> {
    this.#state = "draining";
    let timer: NodeJS.Timeout | undefined;
    const timeUp = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, ms);
    });
    await Promise.race([Promise.all(this.#underWay.values()), timeUp]);
    clearTimeout(timer);
  }

  /** Ends every thread. What was under way stays in the journal, for the next run. */
  async close(): Promise<void> {
    if (this.#state === "closed") return;
    this.#state = "closed";
    for (const timer of this.#retries.values()) clearTimeout(timer);
    this.#record(() => this.#options.journal.notReceived([...this.#underWay.keys()]));
    await Promise.all([...this.#threads].map((thread) => thread.terminate()));
  }

  /** What is under way may still finish; what waits is dead. */
  #removeLane(name: string, lane: Lane): void {
    this.#lanes.delete(name);
    lane.waiting.length = 0;
    lane.next?.retire();
    lane.next = null;
    lane.thread?.retire();
    for (const delivery of this.#options.journal.pending())
      if (delivery.subscriber === name && !this.#underWay.has(delivery)) this.#bury(delivery, NO_LONGER_THERE);
  }

  #queue(delivery: Delivery): void {
    const lane = this.#lanes.get(delivery.subscriber);
    if (lane === undefined) {
      this.#bury(delivery, NO_LONGER_THERE);
      return;
    }
    lane.waiting.push(delivery);
    this.#schedule(lane);
  }

  /** Runs what waits, on the next turn of the loop, so that what is accepted together goes out as one batch. */
  #schedule(lane: Lane): void {
    if (lane.scheduled) return;
    lane.scheduled = true;
    setImmediate(() => {
      lane.scheduled = false;
      while (lane.waiting.length > 0 && lane.path !== null && this.#state === "open") {
        const room = MAX_UNDER_WAY - lane.running;
        if (room === 0) return;
        const batch = lane.waiting.splice(0, lane.subscriber.via === "queue" ? room : 1);
        lane.running += batch.length;
        const call = this.#run(lane, lane.path, batch);
        for (const delivery of batch) this.#underWay.set(delivery, call);
      }
    });
  }

  async #run(lane: Lane, path: string, batch: readonly Delivery[]): Promise<void> {
    const { journal } = this.#options;
    const { name, via } = lane.subscriber;
    this.#record(() => journal.received(batch));
    const input = via === "queue" ? sqsBatch(name, batch, Date.now()) : eventBridgeEvent((batch[0] as Delivery).event);
    if (lane.thread?.usable !== true) lane.thread = this.#startThread(lane.subscriber, path);
    const outcome = await lane.thread.call(input);
    if (this.#state === "closed") return;

    const ids = batch.map(({ event }) => event.id);
    const failed =
      outcome.kind === "failed"
        ? new Set(ids)
        : via === "queue"
          ? failedMessages(outcome.result, ids)
          : new Set<string>();
    const reason = outcome.kind === "failed" ? outcome.reason : "the handler reported it as failed";
    for (const delivery of batch) {
      this.#underWay.delete(delivery);
      if (!failed.has(delivery.event.id)) this.#record(() => journal.done(delivery));
      else this.#fail(delivery, reason);
    }
    lane.running -= batch.length;
    this.#schedule(lane);
  }

  #fail(delivery: Delivery, reason: string): void {
    // The lane of now: the subscriber may have been taken out and back since the call began.
    const lane = this.#lanes.get(delivery.subscriber);
    if (lane?.subscriber.via !== "queue" || delivery.receives >= MAX_RECEIVES) {
      this.#bury(delivery, reason);
      return;
    }
    const retry = (): void => {
      this.#retries.delete(delivery);
      this.#queue(delivery);
    };
    this.#retries.set(delivery, setTimeout(retry, this.#options.retryMs * 2 ** (delivery.receives - 1)));
  }

  #bury(delivery: Delivery, reason: string): void {
    clearTimeout(this.#retries.get(delivery));
    this.#retries.delete(delivery);
    this.#record(() => this.#options.journal.dead(delivery, reason));
    this.#options.onDead(delivery, reason);
    this.#options.log.warn("delivery is dead", {
      subscriber: delivery.subscriber,
      event_id: delivery.event.id,
      type: delivery.event.type,
      receives: delivery.receives,
      reason,
    });
  }

  /** An outcome that cannot be written is known to nobody after a restart: the delivery is then made again. */
  #record(write: () => void): void {
    try {
      write();
    } catch (error) {
      this.#options.log.error("the delivery journal cannot be written", { error: (error as Error).message });
    }
  }

  #startThread(subscriber: DeployedSubscriber, path: string): HandlerThread {
    const { env, keyOf, print } = this.#options;
    const key = keyOf?.(subscriber.name);
    const thread = new HandlerThread({
      name: subscriber.name,
      path,
      env: {
        ...env,
        ...subscriberEnvironment(subscriber, this.#options.retryMs / 1_000),
        ...(key === undefined ? {} : { AGENT_EVENT_BUS_KEY: key }),
      },
      callMs: subscriber.timeoutSeconds * 1_000,
      log: print,
    });
    this.#threads.add(thread);
    void thread.exited.then(() => this.#threads.delete(thread));
    return thread;
  }
}
