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
import { errorFields } from "./log.ts";

/** What a callback gives back: an answer, or nothing for none. */
export type CallbackResult = JsonObject | undefined | void;

export interface Delivery<Types extends object> extends ContextParts<Types> {
  readonly callback: (
    event: DeliveredEvent,
    context: SubscriberContext<Types>,
  ) => CallbackResult | Promise<CallbackResult>;
  /** Whether an error ends it: the event does not come again. */
  readonly isLastAttempt: boolean;
}

export type DeliveryOutcome =
  | { readonly kind: "done" }
  /** Past its deadline: not begun. */
  | { readonly kind: "expired" }
  /** Refused for good by a `RejectedError`, and told so. */
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
    if (run.kind === "threw") return await settleError(delivery, context, run.error);
    if (run.answer !== undefined && delivery.answers) await answer(context, run.answer, "ok");
    return { kind: "done" };
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
  error: unknown,
): Promise<DeliveryOutcome> {
  const { event, subscriber, attempt, log, answers, isLastAttempt } = delivery;
  const isRefusal = error instanceof RejectedError;
  const about = { subscriber, event_id: event.id, type: event.type, attempt };
  if (isRefusal) log.info("rejected", about);
  else log.error("the callback failed", { ...about, last_attempt: isLastAttempt, ...errorFields(error) });
  if (answers && (isRefusal || isLastAttempt)) await answer(context, rejectionOf(error), "rejected");
  return isRefusal ? { kind: "rejected" } : { kind: "failed", error };
}

const rejectionOf = (error: unknown): JsonObject => ({
  error:
    error instanceof Error ? { name: error.name, message: error.message } : { name: "Error", message: String(error) },
});

/** An id that is taken by another payload means that an earlier delivery of the event has answered: the first stands. */
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
