/** An agent whose calls are written into the history of the run, with how each ended for him. */
import { AgentEventBus } from "../../../client/agent-event-bus.ts";
import { AgentEventBusError } from "../../../client/errors.ts";
import type { Fetch } from "../../../client/transport.ts";
import type { Message } from "../../../shared/deliveries/message-queue.ts";
import type { ReceiptResult } from "../../../shared/deliveries/message-receipts.ts";
import type { Redriven } from "../../../shared/deliveries/redrive.ts";
import type { BatchReceipt, EmitReceipt } from "../../../shared/emit.ts";
import { ERROR_KINDS, type ErrorCode } from "../../../shared/errors.ts";
import type { DeliveredEvent } from "../../../shared/event.ts";
import type { EventWithResponses } from "../../../shared/history.ts";
import { timeKey } from "../../../shared/keys.ts";
import type { Expect, ResponseStatus } from "../../../shared/records.ts";
import type { PendingRequest, RequestOutcome } from "../../../shared/request-outcome.ts";
import type { Verdict } from "../../../shared/respond.ts";
import type { Subscribed } from "../../../shared/subscriptions/subscribe.ts";
import type { CallHistory, CallOutcome, Operation, Operations } from "../history.ts";

type Answer<Name extends Operation> = Operations[Name]["answer"];
type Outcome<Name extends Operation> = CallOutcome<Answer<Name>>;

/** Data of this run: a marker that stands in one event only, and whatever else. */
export type Data = Readonly<Record<string, unknown>> & { readonly marker: string };

export interface Sent {
  readonly type: string;
  readonly data: Data;
  readonly key?: string;
  readonly correlationId?: string;
  readonly causationId?: string;
}

export interface Asked extends Sent {
  readonly timeoutMs: number;
  readonly expect?: Expect;
  readonly requireSubscribers?: boolean;
}

export interface Given {
  readonly marker: string;
  readonly responseId: string;
  readonly status?: ResponseStatus;
  readonly as?: string;
}

/** Who is open on loopback. */
const AGENT = "local";

/** A call over plain HTTP that is held for longer is given up. */
const CALL_MS = 15_000;

export class RecordedAgent {
  /** The same agent by the client, which tries again by itself. */
  readonly client: AgentEventBus<Record<string, Data>>;
  private readonly url: string;
  private readonly history: CallHistory;
  private readonly fetch: Fetch;

  constructor(url: string, history: CallHistory, fetch: Fetch) {
    this.url = url;
    this.history = history;
    this.fetch = fetch;
    this.client = new AgentEventBus({ url, fetch });
  }

  /** By the client, which tries again under one key. */
  emit(sent: Sent): Promise<Outcome<"emit">> {
    return this.record("emit", sentOf(sent), () =>
      this.client.emit(sent.type, sent.data, { idempotencyKey: sent.key, correlationId: sent.correlationId }),
    );
  }

  /** One try. */
  emitOnce(sent: Sent): Promise<Outcome<"emit">> {
    return this.record("emit", sentOf(sent), () =>
      this.json<EmitReceipt>("POST", "/events", bodyOf(sent), keyHeader(sent.key)),
    );
  }

  emitBatch(events: readonly Sent[], key: string): Promise<Outcome<"emitBatch">> {
    return this.record("emitBatch", { events: events.map(sentOf), key }, () =>
      this.json<BatchReceipt>("POST", "/events", { events: events.map(bodyOf) }, keyHeader(key)),
    );
  }

  /** By the client, to the end of the wait. */
  ask(asked: Asked): Promise<Outcome<"ask">> {
    const { type, data, key, timeoutMs, expect, requireSubscribers } = asked;
    return this.record(
      "ask",
      askedOf(asked),
      () =>
        this.client.emitAndWait(type, data, {
          timeout: timeoutMs / 1_000,
          idempotencyKey: key,
          expect,
          requireSubscribers,
        }) as Promise<RequestOutcome>,
    );
  }

  /** One call, held for as long as the bus likes. */
  askOnce(asked: Asked): Promise<Outcome<"ask">> {
    const { timeoutMs, expect, requireSubscribers, key } = asked;
    const body = { ...bodyOf(asked), timeout: timeoutMs / 1_000, expect, require_subscribers: requireSubscribers };
    return this.record("ask", askedOf(asked), () =>
      this.json<RequestOutcome | PendingRequest>("POST", "/requests", body, keyHeader(key)),
    );
  }

  resume(eventId: string, waitSeconds: number): Promise<Outcome<"resume">> {
    return this.record("resume", { eventId }, () =>
      this.json<RequestOutcome | PendingRequest>("GET", `/requests/${eventId}?wait=${waitSeconds}`),
    );
  }

  cancel(eventId: string): Promise<Outcome<"cancel">> {
    return this.record("cancel", { eventId }, () =>
      this.json<RequestOutcome | PendingRequest>("DELETE", `/requests/${eventId}`),
    );
  }

  respond(event: Pick<DeliveredEvent, "id" | "reply_to">, given: Given): Promise<Outcome<"respond">> {
    const { marker, responseId, status = "ok", as } = given;
    const body = { response: { marker }, reply_token: event.reply_to.token, response_id: responseId, status };
    const query = as === undefined ? "" : `?as=${encodeURIComponent(as)}`;
    return this.record(
      "respond",
      { eventId: event.id, marker, responseId, status, ...(as === undefined ? {} : { as }) },
      () => this.json<Verdict>("POST", `/events/${event.id}/responses${query}`, body),
    );
  }

  subscribe(
    name: string,
    eventTypes: readonly string[],
    target: { readonly kind: "webhook" | "queue" } & Readonly<Record<string, unknown>>,
    answers: boolean,
  ): Promise<Outcome<"subscribe">> {
    return this.record("subscribe", { name, kind: target.kind, eventTypes, answers }, async () => {
      const body = { name, event_types: eventTypes, target, answers };
      const { status, json } = await this.call("POST", "/subscriptions", body);
      const { subscription_id } = json as Subscribed["subscription"];
      return { subscriptionId: subscription_id, created: status === 201 };
    });
  }

  changeSubscription(subscriptionId: string, status: "active" | "disabled"): Promise<Outcome<"changeSubscription">> {
    return this.record("changeSubscription", { subscriptionId, status }, async () => {
      await this.call("PATCH", `/subscriptions/${subscriptionId}`, { status });
      return { subscriptionId };
    });
  }

  unsubscribe(subscriptionId: string): Promise<Outcome<"unsubscribe">> {
    return this.record("unsubscribe", { subscriptionId }, async () => {
      await this.call("DELETE", `/subscriptions/${subscriptionId}`);
      return null;
    });
  }

  /** @param onMessages gets the messages themselves, before the call has ended */
  take(
    subscriptionId: string,
    waitSeconds: number,
    onMessages: (messages: readonly Message[]) => void,
  ): Promise<Outcome<"take">> {
    return this.record("take", { subscriptionId }, async () => {
      const path = `/subscriptions/${subscriptionId}/messages?wait=${waitSeconds}`;
      const { messages } = await this.json<{ messages: readonly Message[] }>("GET", path);
      onMessages(messages);
      return messages.map(({ event, receipt, attempt }) => ({ eventId: event.id, receipt, attempt }));
    });
  }

  acknowledge(subscriptionId: string, receipts: readonly string[]): Promise<Outcome<"acknowledge">> {
    return this.record("acknowledge", { subscriptionId, receipts }, () =>
      this.results(subscriptionId, "ack", { receipts }),
    );
  }

  giveBack(subscriptionId: string, receipts: readonly string[]): Promise<Outcome<"giveBack">> {
    return this.record("giveBack", { subscriptionId, receipts }, () =>
      this.results(subscriptionId, "nack", { receipts, reason: "not now" }),
    );
  }

  keepHidden(subscriptionId: string, receipts: readonly string[], seconds: number): Promise<Outcome<"keepHidden">> {
    return this.record("keepHidden", { subscriptionId, receipts }, () =>
      this.results(subscriptionId, "extend", { receipts, visibility: seconds }),
    );
  }

  /** One page; `next` is where it goes on. */
  async list(
    reading: string,
    page: number,
    query: { readonly order: "asc" | "desc"; readonly type?: string; readonly cursor?: string },
  ): Promise<{ outcome: Outcome<"list">; next: string | null }> {
    const { order, type, cursor } = query;
    let next: string | null = null;
    const outcome = await this.record(
      "list",
      { reading, page, order, ...(type === undefined ? {} : { type }) },
      async () => {
        const search = new URLSearchParams({ order, limit: "200", ...(type && { type }), ...(cursor && { cursor }) });
        const listed = await this.json<{ events: { id: string; timestamp: string }[]; next_cursor: string | null }>(
          "GET",
          `/events?${search}`,
        );
        next = listed.next_cursor;
        return {
          positions: listed.events.map(({ id, timestamp }) => timeKey(timestamp, id)),
          hasMore: listed.next_cursor !== null,
        };
      },
    );
    return { outcome, next };
  }

  show(eventId: string): Promise<Outcome<"show">> {
    return this.record("show", { eventId }, () => this.json<EventWithResponses>("GET", `/events/${eventId}`));
  }

  /** All that is dead. */
  redrive(): Promise<Outcome<"redrive">> {
    return this.record("redrive", {}, () => this.json<Redriven>("POST", "/deliveries/redrive", { limit: 1_000 }));
  }

  private async results(
    subscriptionId: string,
    operation: "ack" | "nack" | "extend",
    body: object,
  ): Promise<readonly ReceiptResult[]> {
    const path = `/subscriptions/${subscriptionId}/${operation}`;
    return (await this.json<{ results: readonly ReceiptResult[] }>("POST", path, body)).results;
  }

  private async record<Name extends Operation>(
    operation: Name,
    input: Operations[Name]["input"],
    call: () => Promise<Answer<Name>>,
  ): Promise<Outcome<Name>> {
    const end = this.history.begin(AGENT, operation, input);
    const outcome = await call().then((answer): Outcome<Name> => ({ kind: "ok", answer }), outcomeOf);
    end(outcome);
    return outcome;
  }

  private async json<Body>(
    method: string,
    path: string,
    body?: object,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Body> {
    return (await this.call(method, path, body, headers)).json as Body;
  }

  /** One try. @throws Refused */
  private async call(
    method: string,
    path: string,
    body?: object,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<{ status: number; json: unknown }> {
    const response = await this.fetch(`${this.url}${path}`, {
      method,
      headers: { ...(body === undefined ? {} : { "content-type": "application/json" }), ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(CALL_MS),
    });
    const text = await response.text();
    const json: unknown = text === "" ? null : JSON.parse(text);
    if (!response.ok) throw new Refused(json as { code: ErrorCode; retryable: boolean; detail: string });
    return { status: response.status, json };
  }
}

/** A problem document. */
class Refused extends Error {
  readonly code: ErrorCode;
  readonly retryable: boolean;

  constructor({ code, retryable, detail }: { code: ErrorCode; retryable: boolean; detail: string }) {
    super(`${code}: ${detail}`);
    this.code = code;
    this.retryable = retryable;
  }
}

/** What a caller knows after a call that threw. */
function outcomeOf(error: unknown): { kind: "failed"; code: ErrorCode } | { kind: "unknown"; why: string } {
  const isTold = error instanceof Refused || error instanceof AgentEventBusError;
  if (isTold && !error.retryable && error.code in ERROR_KINDS) return { kind: "failed", code: error.code as ErrorCode };
  return { kind: "unknown", why: String(error) };
}

const keyHeader = (key: string | undefined): Record<string, string> =>
  key === undefined ? {} : { "idempotency-key": key };

const bodyOf = ({ type, data, correlationId, causationId }: Sent): object => ({
  type,
  data,
  correlation_id: correlationId,
  causation_id: causationId,
});

function sentOf({ type, data, key, correlationId, causationId }: Sent): Operations["emit"]["input"] {
  return {
    type,
    marker: data.marker,
    ...(key === undefined ? {} : { key }),
    ...(correlationId === undefined ? {} : { correlation_id: correlationId }),
    ...(causationId === undefined ? {} : { causation_id: causationId }),
  };
}

const askedOf = (asked: Asked): Operations["ask"]["input"] => ({
  ...sentOf(asked),
  timeoutMs: asked.timeoutMs,
  expect: asked.expect ?? { mode: "first" },
});
