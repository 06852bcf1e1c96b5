/**
 * Subscriptions made at run time: webhooks and pull queues. A subscription belongs to the agent that made it; its name
 * is its identity.
 */
import type { EventPattern } from "../shared/event-pattern.ts";
import type { SubscriptionPage } from "../shared/subscriptions/look-up.ts";
import type { WebhookFormat } from "../shared/subscriptions/records.ts";
import type { RotatedSecret, Subscribed } from "../shared/subscriptions/subscribe.ts";
import type { SubscriptionView } from "../shared/subscriptions/view.ts";
import type { Connection } from "./calls.ts";
import { targetOf } from "./endpoints.ts";
import { AgentEventBusError } from "./errors.ts";
import { type PageOptions, read, readPages } from "./read.ts";
import { hadNoEffect, withRetries } from "./retry.ts";
import { CALL_TIMEOUT_MS, type Call } from "./transport.ts";

export interface WebhookSettings {
  readonly url: string;
  /** `event` by default. */
  readonly format?: WebhookFormat | undefined;
}

export interface QueueSettings {
  /** How long a message that was taken stays hidden, in seconds: 1 to 43,200; 30 by default. */
  readonly visibility?: number | undefined;
  /** After so many receives that were not acknowledged a message is dead: 1 to 100; 5 by default. */
  readonly maxAttempts?: number | undefined;
}

export interface SubscriptionInput<TypeName extends string = string> {
  /** Yours, up to 100 characters. The same name again is the same subscription, brought up to date. */
  readonly name: string;
  /** 1 to 100. */
  readonly eventTypes: readonly TypeName[];
  readonly target: ({ readonly kind: "webhook" } & WebhookSettings) | ({ readonly kind: "queue" } & QueueSettings);
  /** Only events that fit this EventBridge event pattern. */
  readonly filter?: EventPattern | undefined;
  /** False for an observer, from whom nobody expects an answer. */
  readonly answers?: boolean | undefined;
}

/** What is to be different; the rest stays. */
export interface SubscriptionChange<TypeName extends string = string> {
  readonly eventTypes?: readonly TypeName[] | undefined;
  readonly target?: (Partial<WebhookSettings> & QueueSettings) | undefined;
  /** Null removes it. */
  readonly filter?: EventPattern | null | undefined;
  readonly answers?: boolean | undefined;
  /** `disabled`: nothing is delivered and nothing is kept, until it is `active` again. */
  readonly status?: "active" | "disabled" | undefined;
}

/** A subscription; with its secret when it is a webhook and new. */
export type CreatedSubscription = Subscribed["subscription"];

export function createSubscription(
  connection: Connection,
  { name, eventTypes, target, filter, answers }: SubscriptionInput,
  signal?: AbortSignal,
): Promise<CreatedSubscription> {
  const wireTarget = { kind: target.kind, ...wireSettings(target) };
  const body = { name, event_types: eventTypes, target: wireTarget, filter, answers };
  return read<CreatedSubscription>(connection, { ...targetOf("subscribe"), body }, signal);
}

export function subscriptions(connection: Connection, options: PageOptions): AsyncGenerator<SubscriptionView, void> {
  return readPages(connection, targetOf("subscriptions"), (page: SubscriptionPage) => page.subscriptions, options);
}

export function getSubscription(connection: Connection, id: string, signal?: AbortSignal): Promise<SubscriptionView> {
  return read<SubscriptionView>(connection, targetOf("subscription", { subscription_id: id }), signal);
}

export function changeSubscription(
  connection: Connection,
  id: string,
  { eventTypes, target, filter, answers, status }: SubscriptionChange,
  signal?: AbortSignal,
): Promise<SubscriptionView> {
  const body = {
    event_types: eventTypes,
    target: target === undefined ? undefined : wireSettings(target),
    filter,
    answers,
    status,
  };
  return read<SubscriptionView>(connection, { ...targetOf("change", { subscription_id: id }), body }, signal);
}

export function deleteSubscription(connection: Connection, id: string, signal?: AbortSignal): Promise<void> {
  const call: Call = targetOf("unsubscribe", { subscription_id: id });
  let isRepeated = false;
  return withRetries(connection.retry, signal, async () => {
    try {
      await connection.transport.done(call, { signal, timeoutMs: CALL_TIMEOUT_MS });
    } catch (error) {
      // The try before has ended it, and only its answer was lost.
      if (isRepeated && error instanceof AgentEventBusError && error.code === "not_found") return;
      isRepeated = true;
      throw error;
    }
  });
}

/** Each call makes a further secret: it is made again only where the try before certainly had no effect. */
export function rotateSecret(connection: Connection, id: string, signal?: AbortSignal): Promise<RotatedSecret> {
  const call: Call = targetOf("rotate", { subscription_id: id });
  const send = () => connection.transport.json<RotatedSecret>(call, { signal, timeoutMs: CALL_TIMEOUT_MS });
  return withRetries(connection.retry, signal, send, hadNoEffect);
}

function wireSettings({ url, format, visibility, maxAttempts }: Partial<WebhookSettings> & QueueSettings): object {
  return { url, format, visibility, max_attempts: maxAttempts };
}
