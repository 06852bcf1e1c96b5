/**
 * Calls from a process to what it depends on, with the two tries that the SDK makes of each. Where a call fails, whether it
 * was done is known to nobody but the run itself.
 */
import { BusError } from "../../../shared/errors.ts";
import type { Process } from "./process.ts";
import type { Scheduler } from "./scheduler.ts";
import { delayOf, type Fates, type FaultKind } from "./weather.ts";

export type Trace = (who: string, what: string) => void;

/** Faults of a call that changes something, and of one that only reads. */
const WRITE_FAULTS: readonly FaultKind[] = [
  "lost",
  "unacknowledged",
  "zombie",
  "twice",
  "throttled",
  "slow",
  "crashBefore",
  "crashAfter",
];
const READ_FAULTS: readonly FaultKind[] = ["lost", "throttled", "slow", "crashBefore"];

/** As in `SDK_CLIENT`: two tries, three seconds each. */
const MAX_TRIES = 2;
const TIMEOUT_MS = 3_000;
const RETRY_AFTER_MS = 60;

export interface CallTo<T> {
  /** The same text for the same call, so that its fate is the same in every run that makes it. */
  readonly about: string;
  readonly isWrite: boolean;
  /** Does at once what is to be done there; its result comes later. */
  readonly effect: () => Promise<T>;
}

export class Network {
  private readonly scheduler: Scheduler;
  private readonly fates: Fates;
  private readonly trace: Trace | null;

  constructor(scheduler: Scheduler, fates: Fates, trace: Trace | null) {
    this.scheduler = scheduler;
    this.fates = fates;
    this.trace = trace;
  }

  /** @throws BusError `unavailable` when no try of it was acknowledged */
  call<T>(process: Process, call: CallTo<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      if (process.isAlive) this.attempt(process, call, 1, resolve, reject);
    });
  }

  private attempt<T>(
    process: Process,
    call: CallTo<T>,
    tries: number,
    resolve: (value: Promise<T>) => void,
    reject: (error: Error) => void,
  ): void {
    const { scheduler } = this;
    const { kind, draw } = this.fates.of(call.about, call.isWrite ? WRITE_FAULTS : READ_FAULTS);
    const thereMs = delayOf(draw, 1, kind === "slow" ? 2_500 : 12);
    const backMs = delayOf(draw >>> 16, 1, 6);
    const failAfter = (ms: number): void => {
      scheduler.after(ms, () => {
        if (!process.isAlive) return;
        this.trace?.(process.name, `${call.about} failed, at try ${tries}`);
        if (tries < MAX_TRIES)
          scheduler.after(RETRY_AFTER_MS, () => {
            if (process.isAlive) this.attempt(process, call, tries + 1, resolve, reject);
          });
        else reject(new BusError("unavailable", "No acknowledgement came; retry with the same idempotency key."));
      });
    };
    const happen = (ms: number, then: (result: Promise<T>) => void): void => {
      scheduler.after(ms, () => {
        const result = call.effect();
        result.catch(() => undefined);
        if (this.trace !== null) this.traceResult(process, call, result);
        then(result);
      });
    };
    const reply = (result: Promise<T>): void => {
      scheduler.after(backMs, () => {
        if (process.isAlive) resolve(result);
      });
    };
    switch (kind) {
      case "lost":
        failAfter((draw & 1) === 0 ? thereMs : TIMEOUT_MS);
        break;
      case "throttled":
        failAfter(thereMs);
        break;
      case "unacknowledged":
        happen(thereMs, () => undefined);
        failAfter((draw & 1) === 0 ? thereMs + backMs : TIMEOUT_MS);
        break;
      case "zombie":
        happen(delayOf(draw >>> 8, TIMEOUT_MS, 10 * TIMEOUT_MS), () => undefined);
        failAfter((draw & 1) === 0 ? thereMs : TIMEOUT_MS);
        break;
      case "twice":
        happen(thereMs, reply);
        happen(thereMs + delayOf(draw >>> 8, 1, 2_000), () => undefined);
        break;
      case "crashBefore":
        scheduler.after(thereMs, () => this.crash(process, call));
        break;
      case "crashAfter":
        happen(thereMs, () => this.crash(process, call));
        break;
      default:
        happen(thereMs, reply);
    }
  }

  private crash(process: Process, { about }: CallTo<unknown>): void {
    if (!process.isAlive) return;
    this.trace?.(process.name, `dies at ${about}`);
    process.die();
  }

  private traceResult(process: Process, { about }: CallTo<unknown>, result: Promise<unknown>): void {
    const told = (text: string): void => this.trace?.(process.name, `${about} ${text}`);
    result.then(
      (value) => told(`-> ${summary(value)}`),
      (error: unknown) => told(`throws ${String(error)}`),
    );
  }
}

/** A result in a few words. */
function summary(value: unknown): string {
  if (value === undefined) return "done";
  if (value === null) return "nothing";
  if (Array.isArray(value)) return `${value.length} found`;
  if (typeof value === "object" && "kind" in value) return String(value.kind);
  if (typeof value === "object" && "state" in value) return String(value.state);
  return typeof value === "object" ? "found" : String(value);
}
