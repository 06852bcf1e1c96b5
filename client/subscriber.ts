/**
 * A deployed subscriber: a callback made a Lambda handler.
 *
 * A message is handled: read it, deliver it (`delivery.ts`), and report what must come again or go to the dead-letter
 * queue. Each message of a batch fails or succeeds by itself.
 */
import type { DeliveredEvent } from "../shared/event.ts";
import type { BuiltInEventTypes } from "../shared/event-types/catalogue.ts";
import type { Logger } from "../shared/ports.ts";
import { AgentEventBus } from "./agent-event-bus.ts";
import type { Delivered, TypeName } from "./calls.ts";
import { subscriberFromEnvironment } from "./config.ts";
import type { BusOfContext, SubscriberContext } from "./context.ts";
import { type CallbackResult, type Delivery, type DeliveryOutcome, deliver } from "./delivery.ts";
import { readDeliveredEvent, readLambdaInput, readQueuedEvent, receiveCount, type SqsRecord } from "./lambda-input.ts";
import { consoleLogger, errorFields } from "./log.ts";

/** The event of a callback: of the named types, or of any. */
export type SubscribedEvent<Types extends object, Type extends TypeName<Types>> = [Type] extends [never]
  ? DeliveredEvent
  : Delivered<Types, Type>;

/**
 * Gets an event; what it returns is the answer, nothing is none. `throw new RejectedError(...)` (`errors.ts`) refuses
 * for good.
 */
export type SubscriberCallback<Types extends object, Type extends TypeName<Types>> = (
  event: SubscribedEvent<Types, Type>,
  context: SubscriberContext<Types>,
) => CallbackResult | Promise<CallbackResult>;

/** What is not given comes from the environment, at the first call. */
export interface SubscriberOptions<Types extends object = BuiltInEventTypes> {
  readonly bus?: BusOfContext<Types> | undefined;
  /** `AGENT_EVENT_BUS_SUBSCRIBER`. */
  readonly name?: string | undefined;
  /** `AGENT_EVENT_BUS_MAX_RECEIVES`. */
  readonly maxReceives?: number | undefined;
  /** `AGENT_EVENT_BUS_RETRY_SECONDS`. */
  readonly retrySeconds?: number | undefined;
  /** `AGENT_EVENT_BUS_ANSWERS`. */
  readonly answers?: boolean | undefined;
  readonly log?: Logger | undefined;
}

/** What of Lambda's context is used. */
export interface FunctionContext {
  getRemainingTimeInMillis?(): number;
}

export interface BatchFailures {
  readonly batchItemFailures: { readonly itemIdentifier: string }[];
}

export type SubscriberHandler = (input: unknown, context?: FunctionContext) => Promise<BatchFailures | undefined>;

/** A callback is stopped this much before its function is, so that what is left can still be told. */
const FUNCTION_END_MARGIN_MS = 1_000;

/**
 * Makes a callback a Lambda handler for events from EventBridge and from a queue.
 *
 * `subscriber<"MESSAGE_RECEIVED">(async (event, context) => ...)` types the event; a second type argument brings the
 * deployment's own types: `subscriber<"REPLY_DRAFTED", EventTypesOf<typeof config>>`.
 *
 * What the callback throws, and an answer that the bus refuses for good (too large, too deep), is told to whoever waits
 * as `rejected`: at once where no further try can help, else with the last one.
 *
 * - `direct`: at once. There is one try.
 * - `queue`: at once for a `RejectedError`, and while somebody waits also for an `AgentEventBusError` that is not
 *   retryable and for any error after which the message could not come again before the deadline. Such a message does
 *   not come again. Anything else comes again until the last receive, is told then, and ends in the dead-letter queue.
 */
export function subscriber<Type extends TypeName<Types> = never, Types extends object = BuiltInEventTypes>(
  callback: SubscriberCallback<Types, Type>,
  options: SubscriberOptions<Types> = {},
): SubscriberHandler {
  let settings: Settings<Types> | undefined;
  return async (input, functionContext) => {
    settings ??= settle(callback, options);
    const invocation: Invocation<Types> = { settings, functionEndsAt: endOf(functionContext) };
    const message = readLambdaInput(input);
    return message.kind === "queue"
      ? handleBatch(invocation, message.records)
      : handleDirect(invocation, message.detail);
  };
}

type Settings<Types extends object> = Pick<Delivery<Types>, "bus" | "subscriber" | "answers" | "log" | "callback"> & {
  readonly maxReceives: number;
  readonly retrySeconds: number;
};

interface Invocation<Types extends object> {
  readonly settings: Settings<Types>;
  /** By the monotonic clock, less the margin. */
  readonly functionEndsAt: number;
}

function settle<Types extends object, Type extends TypeName<Types>>(
  callback: SubscriberCallback<Types, Type>,
  options: SubscriberOptions<Types>,
): Settings<Types> {
  const environment = subscriberFromEnvironment();
  const name = options.name ?? environment.name;
  if (name === undefined)
    throw new Error("The subscriber has no name: set AGENT_EVENT_BUS_SUBSCRIBER, or give it as an option.");
  return {
    bus: options.bus ?? new AgentEventBus<Types>(),
    subscriber: name,
    answers: options.answers ?? environment.answers,
    maxReceives: options.maxReceives ?? environment.maxReceives,
    retrySeconds: options.retrySeconds ?? environment.retrySeconds,
    log: options.log ?? consoleLogger,
    // What arrives is what the subscription's rule lets through: events of these types.
    callback: callback as Delivery<Types>["callback"],
  };
}

function endOf(context: FunctionContext | undefined): number {
  const remaining = context?.getRemainingTimeInMillis?.();
  return remaining === undefined ? Number.POSITIVE_INFINITY : performance.now() + remaining - FUNCTION_END_MARGIN_MS;
}

/** @throws what the callback threw, so that the function's OnFailure destination records it (I7) */
async function handleDirect<Types extends object>(
  { settings, functionEndsAt }: Invocation<Types>,
  detail: unknown,
): Promise<undefined> {
  const event = orLog(settings, "an event cannot be read", {}, () => readDeliveredEvent(detail));
  const outcome = await deliver({
    ...settings,
    functionEndsAt,
    event,
    attempt: 1,
    comesAgainAt: Number.POSITIVE_INFINITY,
  });
  if (outcome.kind === "failed") throw outcome.error;
}

async function handleBatch<Types extends object>(
  invocation: Invocation<Types>,
  records: readonly SqsRecord[],
): Promise<BatchFailures> {
  const outcomes = await Promise.all(records.map((record) => handleRecord(invocation, record)));
  const failed = records.filter((_, i) => outcomes[i]?.kind === "failed");
  return { batchItemFailures: failed.map(({ messageId }) => ({ itemIdentifier: messageId })) };
}

async function handleRecord<Types extends object>(
  { settings, functionEndsAt }: Invocation<Types>,
  record: SqsRecord,
): Promise<DeliveryOutcome> {
  const attempt = receiveCount(record);
  const { maxReceives, retrySeconds } = settings;
  const comesAgainAt = attempt >= maxReceives ? Number.POSITIVE_INFINITY : Date.now() + retrySeconds * 1000;
  try {
    const event = orLog(settings, "a message cannot be read", { message_id: record.messageId, attempt }, () =>
      readQueuedEvent(record),
    );
    return await deliver({ ...settings, functionEndsAt, event, attempt, comesAgainAt });
  } catch (error) {
    return { kind: "failed", error };
  }
}

function orLog<Types extends object, T>(
  { log, subscriber }: Settings<Types>,
  message: string,
  fields: Record<string, unknown>,
  read: () => T,
): T {
  try {
    return read();
  } catch (error) {
    log.error(message, { subscriber, ...fields, error: errorFields(error).error });
    throw error;
  }
}
