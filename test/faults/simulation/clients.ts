/** Agents calling the bus over a network that may fail them; every call goes into the history. */
import type { Agent } from "../../../shared/agents/agent.ts";
import { BusError } from "../../../shared/errors.ts";
import type { DeliveredEvent } from "../../../shared/event.ts";
import type { AllDeps } from "../../support/bus-in-memory.ts";
import type { CallHistory, CallOutcome, Operation, Operations } from "../history.ts";
import type { Domain } from "./domain.ts";
import type { Machine } from "./machines.ts";
import type { Trace } from "./network.ts";
import { Random } from "./random.ts";
import type { Scheduler } from "./scheduler.ts";
import { delayOf, type Fates, type FaultKind } from "./weather.ts";

/** A request or its reply may be lost; the client does not know which. */
const REQUEST_FAULTS: readonly FaultKind[] = ["lost", "unacknowledged", "slow"];
/** One that says what it is may also be sent twice by what lies in between. */
const KEYED_REQUEST_FAULTS: readonly FaultKind[] = [...REQUEST_FAULTS, "twice"];
const PATIENCE_MS = 1_500;

export interface ClientParts {
  readonly seed: number;
  readonly scheduler: Scheduler;
  readonly fates: Fates;
  readonly domain: Domain;
  readonly history: CallHistory;
  readonly trace: Trace | null;
  readonly agentOf: (id: string) => Agent;
  readonly machineFor: (about: string) => Machine;
}

/** An event that somebody got, with the token to answer it. */
export interface Delivered {
  readonly subscriptionId: string;
  readonly event: DeliveredEvent;
}

export class Clients {
  readonly parts: ClientParts;
  readonly domain: Domain;
  /** All that was ever delivered, in the order in which it was. */
  readonly delivered: Delivered[] = [];
  /** Errors of the domain that are none of its own: each is a defect. */
  readonly surprises: string[] = [];
  /** Ids of the events that an operation is known to have made. */
  readonly madeBy = new Map<number, string>();

  constructor(parts: ClientParts) {
    this.parts = parts;
    this.domain = parts.domain;
  }

  random(about: string): Random {
    return new Random(this.parts.seed, about);
  }

  /** Lets virtual time pass. */
  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.parts.scheduler.after(ms, resolve));
  }

  /** One call, as it is written down. @param work what the bus does for it; what it gives is the answer */
  async call<Name extends Operation>(
    agentId: string,
    operation: Name,
    input: Operations[Name]["input"],
    work: (deps: AllDeps, agent: Agent) => Promise<Operations[Name]["answer"]>,
  ): Promise<CallOutcome<Operations[Name]["answer"]>> {
    const end = this.parts.history.begin(agentId, operation, input);
    const agent = this.parts.agentOf(agentId);
    const outcome = await this.send(`${agentId} ${operation} ${JSON.stringify(input)}`, isKeyed(input), (deps) =>
      work(deps, agent),
    );
    end(outcome);
    return outcome;
  }

  /** The same until its outcome is known, a few times. */
  async callUntilKnown<Name extends Operation>(
    tries: number,
    agentId: string,
    operation: Name,
    input: Operations[Name]["input"],
    work: (deps: AllDeps, agent: Agent) => Promise<Operations[Name]["answer"]>,
  ): Promise<CallOutcome<Operations[Name]["answer"]>> {
    for (let attempt = 1; ; attempt++) {
      const outcome = await this.call(agentId, operation, input, work);
      if (outcome.kind !== "unknown" || attempt >= tries) return outcome;
      await this.sleep(100 * 2 ** attempt);
    }
  }

  private send<T>(about: string, mayComeTwice: boolean, work: (deps: AllDeps) => Promise<T>): Promise<CallOutcome<T>> {
    const { scheduler, fates, machineFor } = this.parts;
    const { kind, draw } = fates.of(about, mayComeTwice ? KEYED_REQUEST_FAULTS : REQUEST_FAULTS);
    return new Promise((resolve) => {
      const unknown = (why: string, ms: number): void => scheduler.after(ms, () => resolve({ kind: "unknown", why }));
      const thereMs = delayOf(draw, 1, kind === "slow" ? 2_000 : 10);
      if (kind === "lost") return unknown("no answer came", PATIENCE_MS);
      const run = (answer: (outcome: CallOutcome<T>) => void): void =>
        machineFor(`${about} ${draw}`).run(
          about,
          work,
          (ended) =>
            answer(ended.kind === "returned" ? { kind: "ok", answer: ended.value } : this.failure(ended.error)),
          () => answer({ kind: "unknown", why: "the connection broke" }),
        );
      if (kind === "twice") scheduler.after(thereMs + delayOf(draw >>> 8, 0, 500), () => run(() => undefined));
      scheduler.after(thereMs, () =>
        run((outcome) => {
          if (kind === "unacknowledged") unknown("the answer was lost", PATIENCE_MS);
          else scheduler.after(delayOf(draw >>> 16, 1, 6), () => resolve(outcome));
        }),
      );
    });
  }

  private failure(error: unknown): CallOutcome<never> {
    if (!(error instanceof BusError)) {
      this.surprises.push(`the domain threw ${error instanceof Error ? error.stack : String(error)}`);
      return { kind: "unknown", why: "internal" };
    }
    if (error.retryable) return { kind: "unknown", why: error.code };
    return { kind: "failed", code: error.code };
  }
}

const isKeyed = (input: object): boolean => "key" in input || "responseId" in input;
