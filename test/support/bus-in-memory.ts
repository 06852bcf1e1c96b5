/** The domain on a store in memory, neighbours that remember, and a clock that jumps from one pause to the next. */
import type { AgentDeps } from "../../shared/agents/administer.ts";
import { type Agent, openAgent } from "../../shared/agents/agent.ts";
import { type BusDeclaration, defineBus } from "../../shared/bus-config.ts";
import type { RedriveDeps } from "../../shared/deliveries/redrive.ts";
import type { DeliveredEvent } from "../../shared/event.ts";
import { sha256 } from "../../shared/hash.ts";
import { INDEX_SETTLE_MS } from "../../shared/limits.ts";
import type { DeployedTargets, EventPublisher, PublishOutcome, WebhookQueue, WebhookTask } from "../../shared/ports.ts";
import { createRateLimiter } from "../../shared/rate-limit/limiter.ts";
import type { SubscribeDeps } from "../../shared/subscriptions/subscribe.ts";
import type { WaitDeps } from "../../shared/wait.ts";
import type { WebhookSender } from "../../shared/webhooks/port.ts";
import { newWebhookSecret } from "../../shared/webhooks/signature.ts";
import { MemoryEventStore } from "./memory-event-store.ts";
import { MemoryRateStore } from "./memory-rate-store.ts";
import { ScriptedWebhooks } from "./scripted-webhooks.ts";
import { silentLogger } from "./silent-logger.ts";

/** Subscribers that a test may count on; they run nowhere. */
export const TEST_BUS: BusDeclaration = {
  subscribers: [
    { name: "alice", on: "CONTEXT_REQUESTED", handler: "alice.ts", via: "direct" },
    { name: "bob", on: "CONTEXT_REQUESTED", handler: "bob.ts", via: "queue" },
    { name: "watcher", on: "CONTEXT_REQUESTED", handler: "watcher.ts", via: "queue", answers: false },
  ],
};

export class RecordingPublisher implements EventPublisher {
  readonly published: DeliveredEvent[] = [];
  /** While set, publishing fails so. */
  failure: string | null = null;

  async publish(events: readonly DeliveredEvent[]): Promise<PublishOutcome[]> {
    if (this.failure !== null) return events.map(() => ({ kind: "failed", reason: this.failure as string }));
    this.published.push(...events);
    return events.map(() => ({ kind: "published" }));
  }
}

/** Keeps what it is given; `webhook-worker.ts` works it off. */
export class RecordingWebhookQueue implements WebhookQueue {
  /** All that was ever sent. */
  readonly sent: WebhookTask[] = [];
  /** What waits, and from when on it may be taken, in epoch milliseconds. */
  readonly waiting: { readonly task: WebhookTask; readonly visibleAtMs: number }[] = [];
  /** While set, sending fails with it. */
  failure: Error | null = null;

  async send(tasks: readonly WebhookTask[]): Promise<void> {
    if (this.failure !== null) throw this.failure;
    this.sent.push(...tasks);
    this.waiting.push(...tasks.map((task) => ({ task, visibleAtMs: 0 })));
  }
}

export class RecordingTargets implements DeployedTargets {
  readonly redelivered: { readonly name: string; readonly event: DeliveredEvent }[] = [];
  /** While set, handing over fails with it. */
  failure: Error | null = null;

  async redeliver(name: string, event: DeliveredEvent): Promise<void> {
    if (this.failure !== null) throw this.failure;
    this.redelivered.push({ name, event });
  }
}

/** What every operation of the domain works with. */
export type AllDeps = SubscribeDeps & RedriveDeps & AgentDeps & WaitDeps & { readonly webhooks: WebhookSender };

export interface BusInMemory {
  readonly deps: AllDeps;
  readonly store: MemoryEventStore;
  readonly publisher: RecordingPublisher;
  readonly webhooks: ScriptedWebhooks;
  readonly webhookQueue: RecordingWebhookQueue;
  readonly deployed: RecordingTargets;
  /** By their ids; whoever is not here may do everything. */
  readonly agents: Map<string, Agent>;
  readonly clock: VirtualClock;
}

/** A bus whose ids are numbered, so that a test reads the same each time. */
export function busInMemory(declaration: BusDeclaration = TEST_BUS): BusInMemory {
  const clock = new VirtualClock();
  const store = new MemoryEventStore(() => clock.nowMs);
  const publisher = new RecordingPublisher();
  const webhooks = new ScriptedWebhooks();
  const webhookQueue = new RecordingWebhookQueue();
  const deployed = new RecordingTargets();
  const { catalogue, subscribers, limits } = defineBus(declaration);
  const agents = new Map<string, Agent>();
  let ids = 0;
  const deps: AllDeps = {
    store,
    publisher,
    webhooks,
    webhookQueue,
    deployed,
    newAgentSecret: () => sha256(`secret ${++ids}`).slice(0, 42).padEnd(43, "A"),
    newWebhookSecret: () => newWebhookSecret(new TextEncoder().encode(`secret ${++ids}`.padEnd(32))),
    catalogue,
    subscribers,
    configuredAgent: (id) => agents.get(id) ?? openAgent(id),
    limits,
    limiter: createRateLimiter({
      store: new MemoryRateStore(),
      rate: limits.ratePerAgent,
      now: () => clock.nowMs,
      log: silentLogger,
    }),
    now: () => clock.nowMs,
    monotonic: () => clock.nowMs - VirtualClock.START,
    newId: () => `00000000-0000-7000-8000-${String(++ids).padStart(12, "0")}`,
    newToken: () => `token-${++ids}`,
    pause: (ms, _topic, signal) => clock.pause(ms, signal),
    indexSettleMs: INDEX_SETTLE_MS,
    log: silentLogger,
  };
  return { deps, store, publisher, webhooks, webhookQueue, deployed, agents, clock };
}

/** Time passes only when everybody waits for it; then it jumps to the next moment that somebody waits for. */
export class VirtualClock {
  static readonly START = Date.parse("2026-06-01T12:00:00.000Z");
  nowMs = VirtualClock.START;
  /** How often somebody waited. */
  pauses = 0;
  private readonly sleepers: { at: number; wake: () => void }[] = [];
  private turning = false;

  pause(ms: number, signal?: AbortSignal): Promise<void> {
    this.pauses++;
    return new Promise((wake) => {
      const abort = (): void => {
        const place = this.sleepers.indexOf(sleeper);
        if (place >= 0) this.sleepers.splice(place, 1);
        wake();
      };
      const sleeper = {
        at: this.nowMs + Math.max(0, ms),
        wake: () => {
          signal?.removeEventListener("abort", abort);
          wake();
        },
      };
      signal?.addEventListener("abort", abort, { once: true });
      this.sleepers.push(sleeper);
      this.turn();
    });
  }

  /** Lets all that can go on without time passing do so, then wakes the next. */
  private turn(): void {
    if (this.turning) return;
    this.turning = true;
    setImmediate(() => {
      this.turning = false;
      this.sleepers.sort((a, b) => a.at - b.at);
      const next = this.sleepers.shift();
      if (next === undefined) return;
      this.nowMs = Math.max(this.nowMs, next.at);
      next.wake();
      if (this.sleepers.length > 0) this.turn();
    });
  }
}

/** Runs something at a moment of virtual time. */
export async function after<T>(clock: VirtualClock, ms: number, run: () => Promise<T>): Promise<T> {
  await clock.pause(ms);
  return run();
}
