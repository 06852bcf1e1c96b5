/** What a callback gets beside the event. */

import { answerId } from "../shared/answer-id.ts";
import type { BusEvent, DeliveredEvent } from "../shared/event.ts";
import type { BuiltInEventTypes } from "../shared/event-types/catalogue.ts";
import { derivedId } from "../shared/hash.ts";
import type { JsonObject } from "../shared/json.ts";
import { NESTED_DEADLINE_MARGIN_MS } from "../shared/limits.ts";
import type { Logger } from "../shared/ports.ts";
import type { Verdict } from "../shared/respond.ts";
import { type LinkedAbort, linkAbort, MAX_TIMER_MS } from "./abort.ts";
import type {
  Answerable,
  EmitOptions,
  EmitReceipt,
  EventCalls,
  RespondOptions,
  TypeName,
  WaitOptions,
  WaitOutcome,
} from "./calls.ts";
import { AgentEventBusError } from "./errors.ts";
import { errorFields } from "./log.ts";

/**
 * The bus as seen from inside a callback. `emit` and `emitAndWait` carry the conversation, the cause and the trace on; their keys
 * are derived from (subscriber, event, type, nth call of that type), so that a callback that runs again for the same
 * event does not emit twice. One that then says it differently, as a language model does, gets what the first run
 * emitted: its receipt, or the outcome of its wait.
 */
export interface SubscriberContext<Types extends object = BuiltInEventTypes> extends EventCalls<Types> {
  /** Tells who waits how far it is. Never throws: null when it could not be told. */
  progress(report: JsonObject): Promise<Verdict | null>;
  /** Answers before the callback ends; it then returns nothing. @throws AgentEventBusError */
  respond(
    response: JsonObject,
    options?: Pick<RespondOptions, "status" | "responseId" | "traceparent">,
  ): Promise<Verdict>;
  /**
   * Aborts at the event's deadline, shortly before the function's time is up, or when the event was given to another
   * process of this subscriber, since the bus could not be told in time that it is being worked on here.
   */
  readonly signal: AbortSignal;
  /** Milliseconds until `signal` aborts; `Infinity` when nothing bounds it. */
  remainingMs(): number;
  /** The name of this subscriber. */
  readonly subscriber: string;
  /** 1 for the first time that this event comes from the queue. */
  readonly attempt: number;
}

/** What of the bus a context needs. */
export interface BusOfContext<Types extends object> extends EventCalls<Types> {
  respond(event: Answerable, response: JsonObject, options?: RespondOptions): Promise<Verdict>;
  resume(eventId: string, options?: Pick<WaitOptions, "signal" | "onProgress">): Promise<WaitOutcome>;
}

export interface ContextParts<Types extends object> {
  readonly bus: BusOfContext<Types>;
  readonly event: DeliveredEvent;
  readonly subscriber: string;
  readonly attempt: number;
  /** False for an observer: it cannot answer. */
  readonly answers: boolean;
  /** By the monotonic clock; `Infinity` where no function runs out of time. */
  readonly functionEndsAt: number;
  /** Aborts when the work on the event has lost its point for another reason than time. */
  readonly signal?: AbortSignal | undefined;
  readonly log: Logger;
}

/** Milliseconds until nobody waits for the answer any more; `Infinity` when nobody ever did. */
export function untilDeadlineMs(event: Pick<BusEvent, "deadline">): number {
  return event.deadline === undefined ? Number.POSITIVE_INFINITY : Date.parse(event.deadline) - Date.now();
}

/** The context of one run of a callback; `release` when it has ended. */
export function createContext<Types extends object>(
  parts: ContextParts<Types>,
): { context: SubscriberContext<Types>; release: () => void } {
  const { bus, event, subscriber, attempt, answers } = parts;
  const controller = linkAbort(parts.signal);
  const remainingMs = (): number => Math.min(untilDeadlineMs(event), parts.functionEndsAt - performance.now());
  const timer = abortAfter(controller, remainingMs());
  const nthCall = new Map<string, number>();

  const keyFor = (call: string, type: string): string => {
    const n = (nthCall.get(`${call} ${type}`) ?? 0) + 1;
    nthCall.set(`${call} ${type}`, n);
    return derivedId(call, subscriber, event.id, type, n);
  };
  const carryOn = (call: string, type: string, options: EmitOptions) => ({
    ...options,
    correlationId: options.correlationId ?? event.correlation_id,
    causationId: options.causationId ?? event.id,
    idempotencyKey: options.idempotencyKey ?? keyFor(call, type),
    traceparent: options.traceparent ?? event.traceparent,
  });

  const context: SubscriberContext<Types> = {
    async emit(type, data, options = {}) {
      const carried = carryOn("emit", type, options);
      return bus.emit(type, data, carried).catch((error: unknown): EmitReceipt => {
        const { eventId, timestamp } = saidBefore(error, options);
        return {
          event_id: eventId,
          type,
          timestamp,
          correlation_id: carried.correlationId,
          published: false,
          replayed: true,
        };
      });
    },
    async emitAndWait(type: TypeName<Types>, data, options: WaitOptions) {
      const timeout = nestedTimeout(options.timeout, remainingMs());
      const signal = options.signal ?? controller.signal;
      const asked = { ...carryOn("emitAndWait", type, options), timeout, signal };
      return bus.emitAndWait(type, data, asked).catch((error: unknown): Promise<WaitOutcome> => {
        const { eventId } = saidBefore(error, options);
        return bus.resume(eventId, { signal, onProgress: options.onProgress });
      });
    },
    async progress(report) {
      if (!answers) return null;
      return bus.respond(event, report, { status: "progress", as: subscriber }).catch((error: unknown) => {
        parts.log.warn("progress could not be told", { subscriber, event_id: event.id, ...errorFields(error) });
        return null;
      });
    },
    async respond(response, options = {}) {
      if (!answers) throw new Error(`"${subscriber}" is an observer (answers: false): it cannot respond.`);
      const responseId = options.responseId ?? answerId(subscriber, event.id);
      return bus.respond(event, response, { ...options, responseId, as: subscriber });
    },
    signal: controller.signal,
    remainingMs,
    subscriber,
    attempt,
  };
  return {
    context,
    release() {
      clearTimeout(timer);
      controller.release();
    },
  };
}

/**
 * What an earlier run of the callback emitted with this call, under its derived key.
 * @throws the error, if it says otherwise
 */
function saidBefore(error: unknown, options: EmitOptions): { eventId: string; timestamp: string } {
  if (
    error instanceof AgentEventBusError &&
    error.code === "idempotency_conflict" &&
    options.idempotencyKey === undefined
  ) {
    const { eventId, timestamp } = error;
    if (eventId !== undefined && timestamp !== undefined) return { eventId, timestamp };
  }
  throw error;
}

function abortAfter(controller: LinkedAbort, ms: number): ReturnType<typeof setTimeout> | undefined {
  if (ms > MAX_TIMER_MS) return undefined;
  const timeIsUp = (): void => controller.abort(new DOMException("The time for this event is up.", "TimeoutError"));
  return setTimeout(timeIsUp, Math.max(0, ms));
}

/**
 * The lesser of what is wanted and what is left, so that the answer to the event itself still comes in time. Seconds.
 */
function nestedTimeout(wanted: number, remainingMs: number): number {
  const leftMs = remainingMs - NESTED_DEADLINE_MARGIN_MS;
  if (leftMs < 50) {
    const detail = "There is no time left before the event's deadline to ask and wait.";
    throw new AgentEventBusError("deadline_passed", detail, { status: 0, retryable: false });
  }
  return Math.min(wanted, Math.floor(leftMs) / 1000);
}
