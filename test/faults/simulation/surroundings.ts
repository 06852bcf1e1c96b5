/**
 * What stands around the bus: the event bus between store and subscribers, the queues behind it, the deployed
 * subscribers, the endpoints of webhooks.
 */
import { DISPATCH } from "../../../shared/deployed-subscriber.ts";
import { BusError } from "../../../shared/errors.ts";
import type { DeliveredEvent } from "../../../shared/event.ts";
import { deliveryWorkId } from "../../../shared/keys.ts";
import { LONGEST_HIDDEN_MS, MAX_RECEIVES } from "../../../shared/limits.ts";
import type { PublishOutcome, WebhookTask } from "../../../shared/ports.ts";
import { deployedId } from "../../../shared/subscriptions/records.ts";
import type { WebhookCall, WebhookOutcome } from "../../../shared/webhooks/port.ts";
import type { AllDeps } from "../../support/bus-in-memory.ts";
import type { HandOver } from "../final-state.ts";
import type { Domain } from "./domain.ts";
import type { Machine } from "./machines.ts";
import { MessageQueue, type Received } from "./message-queue.ts";
import type { Network, Trace } from "./network.ts";
import type { Process } from "./process.ts";
import { Random } from "./random.ts";
import type { Scheduler } from "./scheduler.ts";
import { BUS } from "./setting.ts";
import type { Fates, FaultKind } from "./weather.ts";

export interface SurroundingsParts {
  readonly seed: number;
  readonly scheduler: Scheduler;
  readonly network: Network;
  readonly fates: Fates;
  readonly domain: Domain;
  readonly trace: Trace | null;
  /** The machine that is to do a piece of work. */
  readonly machineFor: (kind: "dispatch" | "webhooks" | "dead letters", about: string) => Machine;
  /** A deployed subscriber got an event; `end` when it is through with it: whether it could do what it had to. */
  readonly callDeployed: (name: string, event: DeliveredEvent, end: (isDone: boolean) => void) => void;
  /** The run-time subscription whose endpoint has a name. */
  readonly subscriptionOf: (name: string) => string;
  /** An agent got an event with the token to answer it. */
  readonly noteDelivered: (subscriptionId: string, event: DeliveredEvent) => void;
}

interface Letter {
  readonly subscriber: string;
  readonly event: DeliveredEvent;
  readonly reason: string;
  readonly attempts: number;
}

const ENTRY_FAULTS: readonly FaultKind[] = ["failedEntry"];
const ROUTE_FAULTS: readonly FaultKind[] = ["again"];
const VISIBILITY_MS = 60_000;
/** Dead letters are kept for 14 days, and come again until they are recorded. */
const WITHOUT_END = 1_000_000;
/** As `infra/webhooks.ts` has it. */
const WEBHOOK_RECEIVES = 100;

export class Surroundings {
  /** Faults are over, and everybody who is called does what he should. */
  isCalm = false;
  /** Ids of events, each time that one was put on the bus. */
  readonly publications: string[] = [];
  readonly handOvers: HandOver[] = [];
  readonly webhookQueue: MessageQueue<WebhookTask>;
  readonly dispatchQueue: MessageQueue<DeliveredEvent>;
  readonly letters: MessageQueue<Letter>;
  private readonly deployedQueues: ReadonlyMap<string, MessageQueue<DeliveredEvent>>;
  private readonly parts: SurroundingsParts;

  constructor(parts: SurroundingsParts) {
    this.parts = parts;
    const { scheduler, fates, domain } = parts;
    this.letters = new MessageQueue(scheduler, fates, {
      name: "the queue of dead letters",
      visibilityMs: VISIBILITY_MS,
      maxReceives: WITHOUT_END,
      keyOf: ({ subscriber, event }) => `${subscriber} ${event.id}`,
      work: ({ subscriber, event, reason, attempts }, receives, end) =>
        this.work("dead letters", `${subscriber} ${event.id} at ${receives}`, end, async (deps) => {
          await domain.recordDeadLetter(deps, { subscriber, event, reason, attempts });
          return { kind: "done" };
        }),
      bury: () => undefined,
    });
    this.dispatchQueue = new MessageQueue(scheduler, fates, {
      name: "the dispatch queue",
      visibilityMs: VISIBILITY_MS,
      maxReceives: MAX_RECEIVES,
      keyOf: ({ id }) => id,
      work: (event, receives, end) =>
        this.work("dispatch", `${event.id} at ${receives}`, end, async (deps) => {
          await domain.dispatchEvent(deps, event);
          return { kind: "done" };
        }),
      bury: (event, receives) => this.bury(DISPATCH, event, receives),
    });
    this.webhookQueue = new MessageQueue(scheduler, fates, {
      name: "the webhook queue",
      visibilityMs: VISIBILITY_MS,
      maxReceives: WEBHOOK_RECEIVES,
      keyOf: ({ eventId, subscriptionId }) => deliveryWorkId(eventId, subscriptionId),
      work: (task, receives, end) =>
        this.work("webhooks", `${task.subscriptionId} ${task.eventId} at ${receives}`, end, async (deps) => {
          const outcome = await domain.deliverWebhook(deps, task);
          if (outcome.kind === "done" || outcome.afterMs > LONGEST_HIDDEN_MS) return { kind: "done" };
          return outcome;
        }),
      // The deliveries are in the table: the reconciler sends for those that were forgotten.
      bury: () => undefined,
    });
    this.deployedQueues = new Map(
      (BUS.subscribers ?? []).map(({ name, via }) => [name, this.queueOf(name, via === "direct" ? 1 : MAX_RECEIVES)]),
    );
  }

  /** What a process finds here. */
  portsFor(process: Process): Pick<AllDeps, "webhooks" | "webhookQueue" | "deployed"> {
    const { network } = this.parts;
    return {
      webhooks: {
        check: async () => null,
        send: (call) =>
          network
            .call(process, {
              about: `post ${call.headers["webhook-id"]}`,
              isWrite: true,
              effect: async () => this.post(call),
            })
            .catch((): WebhookOutcome => ({ kind: "failed", reason: "no answer within 15 s", elapsedMs: 15_000 })),
      },
      webhookQueue: {
        send: (tasks) =>
          network.call(process, {
            about: `send for ${tasks.length} from ${tasks[0]?.eventId} ${tasks[0]?.subscriptionId}`,
            isWrite: true,
            effect: async () => {
              for (const task of tasks) this.webhookQueue.send(task);
            },
          }),
      },
      deployed: {
        redeliver: (name, event) =>
          network.call(process, {
            about: `redeliver ${name} ${event.id}`,
            isWrite: true,
            effect: async () => this.route(name, event),
          }),
      },
    };
  }

  /** An event is put on the bus, which brings it to all who are on its type. */
  accept(event: DeliveredEvent): PublishOutcome {
    const { fates } = this.parts;
    if (fates.of(`the bus takes ${event.id}`, ENTRY_FAULTS).kind !== null)
      return { kind: "failed", reason: "InternalFailure" };
    this.publications.push(event.id);
    const routes = [
      DISPATCH,
      ...(BUS.subscribers ?? []).filter(({ on }) => isOn(on, event.type)).map(({ name }) => name),
    ];
    for (const name of routes) {
      this.route(name, event);
      if (fates.of(`the bus brings ${event.id} to ${name}`, ROUTE_FAULTS).kind !== null) this.route(name, event);
    }
    return { kind: "published" };
  }

  private route(name: string, event: DeliveredEvent): void {
    const queue = name === DISPATCH ? this.dispatchQueue : this.deployedQueues.get(name);
    if (queue === undefined) throw new BusError("not_found", "There is no such subscriber.");
    queue.send(event);
  }

  private queueOf(name: string, maxReceives: number): MessageQueue<DeliveredEvent> {
    const { scheduler, fates, callDeployed, noteDelivered } = this.parts;
    return new MessageQueue(scheduler, fates, {
      name: `the queue of ${name}`,
      visibilityMs: VISIBILITY_MS,
      maxReceives,
      keyOf: ({ id }) => id,
      work: (event, _receives, end) => {
        this.handOvers.push({ subscriptionId: deployedId(name), eventId: event.id });
        noteDelivered(deployedId(name), event);
        callDeployed(name, event, (isDone) => end(isDone ? { kind: "done" } : { kind: "again", afterMs: 5_000 }));
      },
      bury: (event, receives) => this.bury(name, event, receives),
    });
  }

  private bury(subscriber: string, event: DeliveredEvent, attempts: number): void {
    this.letters.send({
      subscriber,
      event,
      reason: "it failed each time that it was received from the queue",
      attempts,
    });
  }

  private work(
    kind: "dispatch" | "webhooks" | "dead letters",
    about: string,
    end: (received: Received) => void,
    work: (deps: AllDeps) => Promise<Received>,
  ): void {
    this.parts.machineFor(kind, about).run(`${kind} ${about}`, work, (ended) => {
      if (ended.kind === "threw") this.parts.trace?.(kind, `${about} failed: ${String(ended.error)}`);
      end(ended.kind === "returned" ? ended.value : { kind: "again" });
    });
  }

  /** The endpoint of a webhook is called: what it says follows from the message, and is the same when it comes again. */
  private post({ url, headers, body }: WebhookCall): WebhookOutcome {
    const event = JSON.parse(body) as DeliveredEvent;
    const name = new URL(url).hostname.split(".")[0] ?? "";
    const subscriptionId = this.parts.subscriptionOf(name);
    this.handOvers.push({ subscriptionId, eventId: event.id });
    this.parts.noteDelivered(subscriptionId, event);
    const random = new Random(this.parts.seed, `endpoint ${headers["webhook-id"]}`);
    const answer = { response: { marker: `hook ${name} ${event.id}` }, status: random.chance(0.2) ? "rejected" : "ok" };
    const mood = random.weighted({ answers: 6, accepts: 3, fails: this.isCalm ? 0 : 2, asks: this.isCalm ? 0 : 1 });
    const ok = { kind: "delivered", status: 200, elapsedMs: 12 } as const;
    if (mood === "answers") return { ...ok, body: JSON.stringify(answer) };
    if (mood === "accepts") return { ...ok, body: null };
    return {
      kind: "failed",
      reason: mood === "fails" ? "HTTP 500" : "HTTP 429",
      status: mood === "fails" ? 500 : 429,
      ...(mood === "asks" ? { retryAfterMs: random.pick([1_000, 60_000, 7_200_000]) } : {}),
      elapsedMs: 12,
    };
  }
}

const isOn = (on: string | readonly string[], type: string): boolean =>
  typeof on === "string" ? on === type : on.includes(type);
