/**
 * One event at one subscriber: leave what is past its deadline, run the callback, send its answer.
 *
 * The answer's id is derived from (subscriber, event): a redelivery finds it taken and cannot answer twice (I5).
 */
import type { DeliveredEvent } from "../shared/event.ts";
import type { JsonObject } from "../shared/json.ts";
import type { Verdict } from "../shared/respond.ts";
import { type ContextParts, createContext, type SubscriberContext, untilDeadlineMs } from "./context.ts";
import { AgentEventBusError, RejectedError } from "./errors.ts";
import { errorFields, messageOf } from "./log.ts";
import { isRetryable } from "./retry.ts";

/** More of an error's message than this helps nobody, and could make the rejection too large to be sent. */
const MAX_ERROR_MESSAGE_CHARS = 4_000;

/** What a callback gives back: an answer, or nothing for none. */
export type CallbackResult = JsonObject | undefined | void;

export interface Delivery<Types extends object> extends ContextParts<Types> {
  readonly callback: (
    event: DeliveredEvent,
    context: SubscriberContext<Types>,
  ) => CallbackResult | Promise<CallbackResult>;
  /** After a failure the event comes again, but not before this time: epoch milliseconds; `Infinity` for never. */
  readonly comesAgainAt: number;
}

export type DeliveryOutcome =
  | { readonly kind: "done" }
  /** Past its deadline: not begun. */
  | { readonly kind: "expired" }
  /** Who waits was told that there will be no answer, and the event need not come again. */
  | { readonly kind: "rejected" }
  /** The callback threw, or its answer could not be sent. */
  | { readonly kind: "failed"; readonly error: unknown };

/** Never throws. */
export async function deliver<Types extends object>(delivery: Delivery<Types>): Promise<DeliveryOutcome> {
  const { event, subscriber, attempt, log } = delivery;
  const about = { subscriber, event_id: event.id, type: event.type, attempt };
  if (untilDeadlineMs(event) <= 0) {
    log.info("dropped: past its deadline", about);
    return { kind: "expired" };
  }
  const { context, release } = createContext(delivery);
  try {
    const run = await runCallback(delivery, context);
    if (run.kind === "threw") return await settleError(delivery, context, "the callback failed", run.error);
    if (run.answer === undefined || !delivery.answers) return { kind: "done" };
    try {
      await answer(context, run.answer, "ok");
      return { kind: "done" };
    } catch (error) {
      // An answer too large or too deep never gets through: whoever waits must hear of it.
      if (isRetryable(error)) throw error;
      return await settleError(delivery, context, "the answer was refused", error);
    }
  } catch (error) {
    log.error("the answer could not be sent", { ...about, ...errorFields(error) });
    return { kind: "failed", error };
  } finally {
    release();
  }
}

type Run =
  | { readonly kind: "returned"; readonly answer: JsonObject | undefined }
  | { readonly kind: "threw"; readonly error: unknown };

async function runCallback<Types extends object>(
  delivery: Delivery<Types>,
  context: SubscriberContext<Types>,
): Promise<Run> {
  const end = functionEnd(delivery.functionEndsAt);
  try {
    const callback = (async () => delivery.callback(delivery.event, context))();
    const answer = await Promise.race([callback, end.reached]);
    if (answer !== undefined && !isObject(answer))
      throw new TypeError(
        `A callback answers with a JSON object or with nothing (undefined), not with ${describe(answer)}.`,
      );
    return { kind: "returned", answer: answer as JsonObject | undefined };
  } catch (error) {
    return { kind: "threw", error };
  } finally {
    end.release();
  }
}

/** A function that is stopped by its time fails its whole batch: a callback that takes too long fails alone instead. */
function functionEnd(endsAt: number): { readonly reached: Promise<never>; release(): void } {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const reached = new Promise<never>((_, reject) => {
    if (endsAt === Number.POSITIVE_INFINITY) return;
    const fail = (): void => reject(new DOMException("The function's time is up.", "TimeoutError"));
    timer = setTimeout(fail, Math.max(0, endsAt - performance.now()));
  });
  return { reached, release: () => clearTimeout(timer) };
}

async function settleError<Types extends object>(
  delivery: Delivery<Types>,
  context: SubscriberContext<Types>,
  what: string,
  error: unknown,
): Promise<DeliveryOutcome> {
  const { event, subscriber, attempt, log, answers, comesAgainAt } = delivery;
  const isLastAttempt = comesAgainAt === Number.POSITIVE_INFINITY;
  const isRefusal = error instanceof RejectedError;
  const isFinal = isRefusal || isLastAttempt || isHopeless(delivery, error);
  const about = { subscriber, event_id: event.id, type: event.type, attempt };
  if (isRefusal) log.info("rejected", about);
  else log.error(what, { ...about, last_attempt: isLastAttempt, ...errorFields(error) });
  if (answers && isFinal) await answer(context, rejectionOf(error), "rejected");
  // An error is recorded where it cannot come again, and where nobody was told of it.
  return isRefusal || (isFinal && answers && !isLastAttempt) ? { kind: "rejected" } : { kind: "failed", error };
}

/**
 * Whether a further attempt cannot help whoever waits: it comes after the deadline, and is then dropped, or it ends the
 * same way. Where nobody waits, what fails comes again and ends in the dead-letter queue, to be sent again from there.
 */
function isHopeless<Types extends object>({ event, comesAgainAt }: Delivery<Types>, error: unknown): boolean {
  if (event.deadline === undefined) return false;
  const endsTheSame = error instanceof AgentEventBusError && !error.retryable;
  return endsTheSame || Math.max(comesAgainAt, Date.now()) >= Date.parse(event.deadline);
}

function rejectionOf(error: unknown): JsonObject {
  const name = error instanceof Error ? error.name : "Error";
  return { error: { name, message: messageOf(error, MAX_ERROR_MESSAGE_CHARS) } };
}

/**
 * An id that is taken by another payload means that an earlier delivery of the event has answered: the first stands.
 */
async function answer<Types extends object>(
  context: SubscriberContext<Types>,
  response: JsonObject,
  status: "ok" | "rejected",
): Promise<Verdict | null> {
  try {
    return await context.respond(response, { status });
  } catch (error) {
    if (error instanceof AgentEventBusError && error.code === "response_conflict") return null;
    throw error;
  }
}

const isObject = (value: unknown): value is object =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function describe(value: unknown): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "an array" : `a ${typeof value}`;
}
