/** The machines that run the bus: processes that die and come back, each with its own view of store, bus and clock. */
import { openAgent } from "../../../shared/agents/agent.ts";
import type { EventPublisher, PublishOutcome } from "../../../shared/ports.ts";
import { createKnownAnswerTimes } from "../../../shared/wait-policy/known-answer-times.ts";
import { type AllDeps, busInMemory, VirtualClock } from "../../support/bus-in-memory.ts";
import { silentLogger } from "../../support/silent-logger.ts";
import type { SimulatedDatabase } from "./database.ts";
import type { Network, Trace } from "./network.ts";
import { Process } from "./process.ts";
import { Random } from "./random.ts";
import type { Scheduler } from "./scheduler.ts";
import { agentOf, BUS } from "./setting.ts";
import { storeOver } from "./store.ts";
import type { Surroundings } from "./surroundings.ts";
import type { Weather } from "./weather.ts";

/** The instant at which every run begins, epoch milliseconds. */
export const START = VirtualClock.START;

export interface MachineParts {
  readonly seed: number;
  readonly scheduler: Scheduler;
  readonly network: Network;
  readonly database: SimulatedDatabase;
  readonly weather: Weather;
  readonly surroundings: Surroundings;
  readonly trace: Trace | null;
}

/** A piece of work in a process, and how it ended: when the process died it did not. */
export type WorkEnd<T> =
  | { readonly kind: "returned"; readonly value: T }
  | { readonly kind: "threw"; readonly error: unknown };

/** One machine: always the same name, and one process after the other. */
export class Machine {
  readonly name: string;
  private readonly parts: MachineParts;
  private readonly random: Random;
  private readonly times = new Map<string, number>();
  private incarnation = 0;
  private process: Process;
  private ports: Pick<AllDeps, "store" | "publisher" | "webhooks" | "webhookQueue" | "deployed" | "answerTimes">;

  constructor(name: string, parts: MachineParts) {
    this.name = name;
    this.parts = parts;
    this.random = new Random(parts.seed, `machine ${name}`);
    this.process = this.nextProcess();
    this.ports = this.portsOf(this.process);
  }

  /** The clock of the machine is put right. */
  setClock(): void {
    this.process.clockErrorMs = 0;
  }

  /** Runs a piece of work, and tells how it ended; `died` instead, when its process does. */
  run<T>(
    about: string,
    work: (deps: AllDeps) => Promise<T>,
    ended: (end: WorkEnd<T>) => void,
    died: () => void = () => undefined,
  ): void {
    if (!this.process.isAlive) {
      this.process = this.nextProcess();
      this.ports = this.portsOf(this.process);
    }
    const { process } = this;
    const stayed = process.whenItDies(died);
    const finish = (end: WorkEnd<T>): void => {
      if (!process.isAlive) return;
      stayed();
      ended(end);
    };
    // The same work is done again with other ids and tokens.
    const time = (this.times.get(about) ?? 0) + 1;
    this.times.set(about, time);
    work(this.depsFor(`${about} for time ${time}`, process)).then(
      (value) => finish({ kind: "returned", value }),
      (error: unknown) => finish({ kind: "threw", error }),
    );
  }

  private nextProcess(): Process {
    const { clockErrorMs, clocksJump } = this.parts.weather;
    const error = (): number => (clockErrorMs === 0 ? 0 : this.random.pick([0, 1, -1]) * clockErrorMs);
    const process = new Process(`${this.name}.${++this.incarnation}`, this.parts.surroundings.isCalm ? 0 : error());
    if (clocksJump)
      this.parts.scheduler.after(this.random.between(1_000, 90_000), () => {
        if (!this.parts.surroundings.isCalm) process.clockErrorMs = error();
      });
    return process;
  }

  /** Made once for a process: what is kept beside a store dies with it. */
  private portsOf(process: Process): typeof this.ports {
    const { database, network, scheduler, surroundings } = this.parts;
    const publisher: EventPublisher = { publish: (events) => publish(this.parts, process, events) };
    const store = storeOver(database, network, process);
    return {
      store,
      publisher,
      answerTimes: createKnownAnswerTimes({
        store,
        log: silentLogger,
        now: () => START + Math.floor(scheduler.nowMs) + process.clockErrorMs,
        monotonic: () => scheduler.nowMs,
      }),
      ...surroundings.portsFor(process),
    };
  }

  private depsFor(about: string, process: Process): AllDeps {
    const { scheduler, weather, seed } = this.parts;
    const random = new Random(seed, `${about} in ${process.name}`);
    const now = (): number => START + Math.floor(scheduler.nowMs) + process.clockErrorMs;
    return {
      ...BASE,
      limits: { ...BASE.limits, holdSeconds: weather.holdSeconds },
      ...this.ports,
      configuredAgent: weather.hasPolicies ? agentOf : openAgent,
      now,
      monotonic: () => scheduler.nowMs,
      newId: () => uuidv7(now(), random),
      newToken: () => random.token(22),
      newWebhookSecret: () => `whsec_${random.hex(32)}`,
      pause: (ms, _topic, signal) =>
        new Promise((resolve) => {
          const wake = (): void => {
            signal?.removeEventListener("abort", wake);
            if (process.isAlive) resolve();
          };
          if (signal?.aborted === true) return wake();
          signal?.addEventListener("abort", wake, { once: true });
          scheduler.after(ms + random.between(0, weather.oversleepMs), wake);
        }),
      log: silentLogger,
    };
  }
}

/** What is the same for all, and for ever. */
export const BASE: AllDeps = busInMemory(BUS).deps;

function uuidv7(nowMs: number, random: Random): string {
  const time = nowMs.toString(16).padStart(12, "0");
  const rest = random.hex(18);
  return `${time.slice(0, 8)}-${time.slice(8)}-7${rest.slice(0, 3)}-8${rest.slice(3, 6)}-${rest.slice(6)}`;
}

/** PutEvents takes ten; of each ten some may be refused, and where the call itself fails nobody knows of any. */
const MAX_ENTRIES = 10;

async function publish(
  { network, surroundings }: MachineParts,
  process: Process,
  events: Parameters<EventPublisher["publish"]>[0],
): Promise<PublishOutcome[]> {
  const chunks = Array.from({ length: Math.ceil(events.length / MAX_ENTRIES) }, (_, i) =>
    events.slice(i * MAX_ENTRIES, (i + 1) * MAX_ENTRIES),
  );
  const outcomes = await Promise.all(
    chunks.map(async (chunk): Promise<PublishOutcome[]> => {
      const about = `publish ${chunk.length} from ${chunk[0]?.id}`;
      try {
        return await network.call(process, {
          about,
          isWrite: true,
          effect: async () => chunk.map((event) => surroundings.accept(event)),
        });
      } catch (error) {
        return chunk.map(() => ({ kind: "failed", reason: String(error) }));
      }
    }),
  );
  return outcomes.flat();
}
