/**
 * The webhook queue of the embedded run, in memory: the records of the deliveries are what lasts, and the next run begins
 * with all that are pending.
 *
 * Subscriptions take turns, and each has few calls under way; those that were slow the last time have one, and all of them
 * together half of the calls: slow endpoints do not hold up the others.
 */
import type { Logger, WebhookQueue, WebhookTask } from "../shared/ports.ts";
import type { TaskOutcome } from "../shared/webhooks/deliver.ts";

/** Calls under way: of one subscription, and of all. As many as the deployed function makes: 50 times 10. */
const MAX_OF_ONE = 4;
const MAX_OF_ALL = 500;
/** A call that takes so long is slow. */
const SLOW_MS = 3_000;
/** After a failure of the bus itself, not of the endpoint. */
const RETRY_MS = 1_000;

export interface LocalWebhookQueueOptions {
  readonly log: Logger;
  /** Makes one attempt. @throws when it has to be brought again */
  readonly deliver: (task: WebhookTask) => Promise<TaskOutcome>;
}

export class LocalWebhookQueue implements WebhookQueue {
  readonly #options: LocalWebhookQueueOptions;
  /** What waits for its turn, by subscription; those whose turn comes next stand first. */
  readonly #lanes = new Map<string, Map<string, WebhookTask>>();
  readonly #running = new Map<string, Set<string>>();
  /** Subscriptions whose last call was slow. */
  readonly #slow = new Set<string>();
  #slowCalls = 0;
  readonly #underWay = new Set<Promise<void>>();
  readonly #timers = new Map<string, NodeJS.Timeout>();
  #isOpen = true;

  constructor(options: LocalWebhookQueueOptions) {
    this.#options = options;
  }

  async send(tasks: readonly WebhookTask[]): Promise<void> {
    for (const task of tasks) this.#queue(task);
    this.#next();
  }

  /** Takes on what an earlier run left, however often it has to look for it. Never throws. */
  async resume(find: () => Promise<readonly WebhookTask[]>): Promise<void> {
    for (;;)
      try {
        return await this.send(await find());
      } catch (error) {
        if (!this.#isOpen) return;
        this.#options.log.warn("what is left of webhooks could not be looked up and is looked for again", {
          error: String(error),
        });
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
  }

  /** Starts nothing more; resolves when the calls under way have ended, or `ms` have passed. */
  async close(ms: number): Promise<void> {
    this.#isOpen = false;
    for (const timer of this.#timers.values()) clearTimeout(timer);
    let timer: NodeJS.Timeout | undefined;
    const timeUp = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, ms);
    });
    await Promise.race([Promise.all(this.#underWay), timeUp]);
    clearTimeout(timer);
  }

  /** Once, however often it is sent for; whoever waits for a later time is done with waiting. */
  #queue(task: WebhookTask): void {
    const key = keyOf(task);
    clearTimeout(this.#timers.get(key));
    this.#timers.delete(key);
    const lane = this.#lanes.get(task.subscriptionId) ?? new Map<string, WebhookTask>();
    lane.set(key, task);
    this.#lanes.set(task.subscriptionId, lane);
  }

  #next(): void {
    for (;;) {
      const task = this.#isOpen && this.#underWay.size < MAX_OF_ALL ? this.#takeTurn() : null;
      if (task === null) return;
      const call = this.#run(task).finally(() => {
        this.#underWay.delete(call);
        this.#next();
      });
      this.#underWay.add(call);
    }
  }

  /** The first task of the first subscription that may have another call; the subscription goes to the end. */
  #takeTurn(): WebhookTask | null {
    for (const [subscriptionId, lane] of this.#lanes) {
      const running = this.#running.get(subscriptionId) ?? new Set();
      const isSlow = this.#slow.has(subscriptionId);
      if (running.size >= (isSlow ? 1 : MAX_OF_ONE) || (isSlow && this.#slowCalls >= MAX_OF_ALL / 2)) continue;
      const free = [...lane].find(([key]) => !running.has(key));
      if (free === undefined) continue;
      const [key, task] = free;
      lane.delete(key);
      this.#running.set(subscriptionId, running.add(key));
      this.#lanes.delete(subscriptionId);
      if (lane.size > 0) this.#lanes.set(subscriptionId, lane);
      return task;
    }
    return null;
  }

  async #run(task: WebhookTask): Promise<void> {
    const key = keyOf(task);
    const isSlow = this.#slow.has(task.subscriptionId);
    if (isSlow) this.#slowCalls++;
    const startMs = performance.now();
    let againMs: number | null;
    try {
      const outcome = await this.#options.deliver(task);
      againMs = outcome.kind === "again" ? outcome.afterMs : null;
    } catch (error) {
      this.#options.log.warn("a webhook could not be seen to and is tried again", { ...task, error: String(error) });
      againMs = RETRY_MS;
    }
    if (isSlow) this.#slowCalls--;
    if (performance.now() - startMs >= SLOW_MS) this.#slow.add(task.subscriptionId);
    else this.#slow.delete(task.subscriptionId);
    const running = this.#running.get(task.subscriptionId);
    running?.delete(key);
    if (running?.size === 0) this.#running.delete(task.subscriptionId);
    if (againMs !== null && this.#isOpen) this.#later(task, againMs);
  }

  #later(task: WebhookTask, ms: number): void {
    const key = keyOf(task);
    clearTimeout(this.#timers.get(key));
    const timer = setTimeout(() => {
      this.#queue(task);
      this.#next();
    }, ms);
    this.#timers.set(key, timer);
  }
}

const keyOf = ({ subscriptionId, eventId }: WebhookTask): string => `${subscriptionId}/${eventId}`;
