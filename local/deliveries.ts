/**
 * Brings events to the deployed subscribers, at least once, as EventBridge and SQS do.
 *
 * `direct`: one try; an error is final. `queue`: batches, and what fails comes again after 1, 2, 4 and 8 s; after five
 * receives it is dead. Every delivery ends done or dead with a reason (I7), and the journal keeps it across crashes.
 */

import type { DeployedSubscriber } from "../shared/deployed-subscriber.ts";
import type { DeliveredEvent } from "../shared/event.ts";
import type { Logger } from "../shared/ports.ts";
import { HandlerThread } from "./handler-thread.ts";
import type { Delivery, Journal } from "./journal.ts";
import { eventBridgeEvent, failedMessages, sqsBatch } from "./lambda-input.ts";

/** After so many receives a queue gives a message up. */
export const MAX_RECEIVES = 5;
const NO_LONGER_THERE = "the subscriber is no longer in bus.config.ts";
/** The most that SQS hands to a function at once unless told otherwise. */
const MAX_BATCH = 10;

export interface DeliveriesOptions {
  readonly journal: Journal;
  readonly log: Logger;
  /** Gets what handlers write to their consoles. */
  readonly print: (line: string) => void;
  /** The environment that every handler sees beside its own variables. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The wait before the second receive; it doubles from there. SQS's visibility timeout is longer, people are not. */
  readonly retryMs?: number;
}

/** How one subscriber is served at the moment. */
interface Lane {
  subscriber: DeployedSubscriber;
  path: string | null;
  thread: HandlerThread | null;
  readonly waiting: Delivery[];
  readonly running: Map<Promise<void>, readonly Delivery[]>;
  readonly timers: Set<NodeJS.Timeout>;
  scheduled: boolean;
}

const newLane = (subscriber: DeployedSubscriber): Lane => ({
  subscriber,
  path: null,
  thread: null,
  waiting: [],
  running: new Map(),
  timers: new Set(),
  scheduled: false,
});

export class Deliveries {
  readonly #options: Required<DeliveriesOptions>;
  readonly #lanes = new Map<string, Lane>();
  /** `draining` starts nothing more; once `closed`, outcomes mean nothing: threads are ended under their calls. */
  #state: "open" | "draining" | "closed" = "open";
  #resumed = false;

  constructor(options: DeliveriesOptions) {
    this.#options = { retryMs: 1_000, ...options };
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
        this.#replaceThread(lane);
      }
    }
    if (this.#resumed) return;
    this.#resumed = true;
    for (const delivery of this.#options.journal.pending()) this.#queue(delivery);
  }

  /** Gives a subscriber the code to run; calls under way finish with the old. */
  setCode(subscriber: string, path: string): void {
    const lane = this.#lanes.get(subscriber);
    if (lane === undefined) return;
    lane.path = path;
    this.#replaceThread(lane);
    this.#schedule(lane);
  }

  /** Accepts deliveries: once it returns, a crash does not lose them (I1). @throws when the journal cannot be written */
  accept(deliveries: readonly { subscriber: string; event: DeliveredEvent }[]): void {
    for (const delivery of this.#options.journal.put(deliveries)) this.#queue(delivery);
  }

  /** Starts nothing more; resolves when what runs is finished, or `ms` have passed. */
  async drain(ms: number): Promise<void> {
    this.#state = "draining";
    const running = [...this.#lanes.values()].flatMap((lane) => [...lane.running.keys()]);
    let timer: NodeJS.Timeout | undefined;
    const timeUp = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, ms);
    });
    await Promise.race([Promise.all(running), timeUp]);
    clearTimeout(timer);
  }

  /** Ends every thread. What was under way stays in the journal, for the next run. */
  async close(): Promise<void> {
    this.#state = "closed";
    for (const lane of this.#lanes.values()) for (const timer of lane.timers) clearTimeout(timer);
    await Promise.all([...this.#lanes.values()].map((lane) => lane.thread?.terminate()));
  }

  /** What is under way may still finish; what waits is dead. */
  #removeLane(name: string, lane: Lane): void {
    this.#lanes.delete(name);
    lane.thread?.retire();
    for (const timer of lane.timers) clearTimeout(timer);
    const underWay = new Set([...lane.running.values()].flat());
    for (const delivery of this.#options.journal.pending())
      if (delivery.subscriber === name && !underWay.has(delivery)) this.#bury(delivery, NO_LONGER_THERE);
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
        const batch = lane.waiting.splice(0, lane.subscriber.via === "queue" ? MAX_BATCH : 1);
        const running = this.#run(lane, batch).finally(() => lane.running.delete(running));
        lane.running.set(running, batch);
      }
    });
  }

  async #run(lane: Lane, batch: readonly Delivery[]): Promise<void> {
    const { name, via } = lane.subscriber;
    const input = via === "queue" ? sqsBatch(name, batch, Date.now()) : eventBridgeEvent((batch[0] as Delivery).event);
    const outcome = await this.#threadOf(lane).call(input);
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
      if (!failed.has(delivery.event.id)) this.#record(() => this.#options.journal.done(delivery));
      else this.#fail(lane, delivery, reason);
    }
  }

  #fail(lane: Lane, delivery: Delivery, reason: string): void {
    delivery.failures += 1;
    const { name, via } = lane.subscriber;
    const isFinal = via === "direct" || delivery.failures >= MAX_RECEIVES || this.#lanes.get(name) !== lane;
    if (isFinal) {
      this.#bury(delivery, reason);
      return;
    }
    this.#record(() => this.#options.journal.failed(delivery));
    const timer = setTimeout(
      () => {
        lane.timers.delete(timer);
        this.#queue(delivery);
      },
      this.#options.retryMs * 2 ** (delivery.failures - 1),
    );
    lane.timers.add(timer);
  }

  #bury(delivery: Delivery, reason: string): void {
    this.#record(() => this.#options.journal.dead(delivery, reason));
    this.#options.log.warn("delivery is dead", {
      subscriber: delivery.subscriber,
      event_id: delivery.event.id,
      type: delivery.event.type,
      receives: delivery.failures,
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

  #threadOf(lane: Lane): HandlerThread {
    if (lane.thread?.usable !== true) lane.thread = this.#startThread(lane);
    return lane.thread;
  }

  #replaceThread(lane: Lane): void {
    lane.thread?.retire();
    // Started ahead of the first call, which would have to wait for it.
    lane.thread = lane.path === null ? null : this.#startThread(lane);
  }

  #startThread({ subscriber, path }: Lane): HandlerThread {
    const { env, print } = this.#options;
    return new HandlerThread({
      name: subscriber.name,
      path: path as string,
      env: {
        ...env,
        AGENT_EVENT_BUS_SUBSCRIBER: subscriber.name,
        ...(subscriber.via === "queue" ? { AGENT_EVENT_BUS_MAX_RECEIVES: String(MAX_RECEIVES) } : {}),
        ...(subscriber.answers ? {} : { AGENT_EVENT_BUS_ANSWERS: "false" }),
      },
      callMs: subscriber.timeoutSeconds * 1_000,
      log: print,
    });
  }
}
